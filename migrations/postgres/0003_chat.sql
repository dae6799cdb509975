CREATE TABLE messages (
    id          BIGINT  NOT NULL PRIMARY KEY,
    room_id     BIGINT  NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    author_id   BIGINT  NOT NULL REFERENCES accounts (id),
    client_key  TEXT COLLATE "C"    NOT NULL,  -- chosen by the author's browser; a retry names it again
    body        TEXT COLLATE "C"    NOT NULL,  -- Markdown as written; empty once deleted
    revision    BIGINT  NOT NULL,  -- grows with every edit and the deletion
    continues   BOOLEAN NOT NULL,  -- follows a message of the same author within five minutes
    edited_at   BIGINT,
    deleted_at  BIGINT,
    created_at  BIGINT  NOT NULL,
    UNIQUE (author_id, client_key)
);
-- A page is read from this index alone; rows are fetched for what is not rendered yet.
CREATE INDEX messages_of_room ON messages (room_id, id, revision, author_id);

-- How far an account has read a room.
CREATE TABLE chat_reads (
    account_id  BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    room_id     BIGINT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    message_id  BIGINT NOT NULL,
    PRIMARY KEY (account_id, room_id)
);
