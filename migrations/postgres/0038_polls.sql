-- What people choose between in a message, and how it is shown: JSON.
ALTER TABLE messages ADD COLUMN poll TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE held_messages ADD COLUMN poll TEXT COLLATE "C" NOT NULL DEFAULT '';

-- What somebody chose, by the place of the answer in the poll.
CREATE TABLE chat_votes (
    message_id BIGINT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    answer     BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (message_id, answer, account_id)
);
CREATE INDEX chat_votes_of_account ON chat_votes (account_id, message_id);
