-- Messages that are posted at a time.
CREATE TABLE chat_scheduled (
    id         BIGINT NOT NULL PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    room_id    BIGINT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    client_key TEXT COLLATE "C" NOT NULL, -- unique among those of the account: sent twice it is once
    body       TEXT COLLATE "C" NOT NULL,
    due_at     BIGINT NOT NULL,
    job_id     BIGINT, -- what posts it
    problem    TEXT COLLATE "C" NOT NULL DEFAULT '', -- why it was not posted at its time, in words
    UNIQUE (account_id, client_key)
);
CREATE INDEX chat_scheduled_of_account ON chat_scheduled (account_id, due_at, id);
CREATE INDEX chat_scheduled_of_room ON chat_scheduled (room_id);

-- The message that a message was forwarded from, and its author.
ALTER TABLE messages ADD COLUMN forwarded_from BIGINT;
ALTER TABLE messages ADD COLUMN forwarded_author BIGINT;
