-- A voice room: people talk in it, and write beside that.
-- A check cannot be changed in place: the column is made anew.
ALTER TABLE rooms ADD COLUMN any_kind TEXT NOT NULL DEFAULT 'text'
    CHECK (any_kind IN ('text', 'announcement', 'forum', 'voice'));
UPDATE rooms SET any_kind = kind WHERE kind <> 'text';
ALTER TABLE rooms DROP COLUMN kind;
ALTER TABLE rooms RENAME COLUMN any_kind TO kind;

-- Which instance serves the media of a room, as long as it says so.
CREATE TABLE voice_leases (
    room_id    BIGINT NOT NULL PRIMARY KEY REFERENCES rooms (id) ON DELETE CASCADE,
    instance   TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);

-- Whom moderators muted in the voice of a room, until they let them speak again.
CREATE TABLE voice_silenced (
    room_id    BIGINT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    PRIMARY KEY (room_id, account_id)
);
CREATE INDEX voice_silenced_of_account ON voice_silenced (account_id);
