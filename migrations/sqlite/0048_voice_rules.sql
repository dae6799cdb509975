-- What the voice of a room is like, where it is not as everywhere.
CREATE TABLE voice_rules (
    room_id      BIGINT  NOT NULL PRIMARY KEY REFERENCES rooms (id) ON DELETE CASCADE,
    max_people   BIGINT  NOT NULL CHECK (max_people >= 0),   -- 0: as many as fit
    bitrate      BIGINT  NOT NULL CHECK (bitrate > 0),       -- of a voice, in kbit/s
    is_stage     BOOLEAN NOT NULL,                           -- few speak, the others listen
    idle_minutes BIGINT  NOT NULL CHECK (idle_minutes >= 0)  -- of silence until it is ended; 0: never
);
