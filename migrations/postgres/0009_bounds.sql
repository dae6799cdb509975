-- How often the process died while a job ran.
ALTER TABLE jobs ADD COLUMN crashes BIGINT NOT NULL DEFAULT 0;
-- Jobs of a kind begin in the order of their turns. Those of one account have consecutive turns,
-- so that accounts alternate; without an account the turn is 0.
ALTER TABLE jobs ADD COLUMN account_id BIGINT;
ALTER TABLE jobs ADD COLUMN turn BIGINT NOT NULL DEFAULT 0;
DROP INDEX jobs_waiting;
CREATE INDEX jobs_waiting ON jobs (kind, priority DESC, turn, id) WHERE state = 'waiting';
CREATE INDEX jobs_of_account ON jobs (kind, account_id, turn) WHERE account_id IS NOT NULL AND state <> 'failed';

-- Bytes that count against the quotas: those of the content and of its smaller versions.
ALTER TABLE files ADD COLUMN charged BIGINT NOT NULL DEFAULT 0;
UPDATE files SET charged = size;

-- When the content was last compared with its digest; 0: never.
ALTER TABLE blobs ADD COLUMN checked_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX blobs_by_check ON blobs (checked_at);

-- A digest of what a message says, who said it and where; NULL in rows of an earlier version.
ALTER TABLE messages ADD COLUMN checksum BIGINT;

-- What an account has written on the day it last wrote on.
CREATE TABLE message_usage (
    account_id  BIGINT NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    day         BIGINT NOT NULL, -- days since 1970, in UTC
    messages    BIGINT NOT NULL,
    bytes       BIGINT NOT NULL  -- of text, edits included
);
