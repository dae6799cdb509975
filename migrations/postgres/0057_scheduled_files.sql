-- The files of scheduled messages, until they are posted.
CREATE TABLE chat_scheduled_files (
    file_id      BIGINT NOT NULL PRIMARY KEY REFERENCES files (id) ON DELETE CASCADE,
    scheduled_id BIGINT NOT NULL REFERENCES chat_scheduled (id) ON DELETE CASCADE,
    position     BIGINT NOT NULL,
    caption      TEXT COLLATE "C" NOT NULL
);
CREATE INDEX chat_scheduled_files_of_message ON chat_scheduled_files (scheduled_id, position);
