-- What hangs on a message, as it is shown: JSON, empty for nothing. Kept here so that reading a message is one row.
ALTER TABLE messages ADD COLUMN files TEXT COLLATE "C" NOT NULL DEFAULT '';

-- The same by file and room.
CREATE TABLE attachments (
    file_id    BIGINT NOT NULL PRIMARY KEY REFERENCES files (id) ON DELETE CASCADE,
    message_id BIGINT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    room_id    BIGINT NOT NULL
);
CREATE INDEX attachments_of_message ON attachments (message_id);
CREATE INDEX attachments_of_room ON attachments (room_id, file_id);
