-- A voice room: people talk in it, and write beside that.
ALTER TABLE rooms DROP CONSTRAINT rooms_kind_check;
ALTER TABLE rooms ADD CONSTRAINT rooms_kind_check
    CHECK (kind IN ('text', 'announcement', 'forum', 'voice'));

-- Which instance serves the media of a room, as long as it says so.
CREATE TABLE voice_leases (
    room_id    BIGINT           NOT NULL PRIMARY KEY REFERENCES rooms (id) ON DELETE CASCADE,
    instance   TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT           NOT NULL
);

-- Whom moderators muted in the voice of a room, until they let them speak again.
CREATE TABLE voice_silenced (
    room_id    BIGINT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    PRIMARY KEY (room_id, account_id)
);
CREATE INDEX voice_silenced_of_account ON voice_silenced (account_id);
