-- What somebody wants to be told of at a time.
CREATE TABLE reminders (
    id         BIGINT NOT NULL PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    client_key TEXT NOT NULL, -- unique among those of the account: sent twice it is once
    text       TEXT NOT NULL,
    href       TEXT NOT NULL, -- the path of what it is about; empty: nothing
    due_at     BIGINT NOT NULL,
    job_id     BIGINT, -- what tells of it
    UNIQUE (account_id, client_key)
);
CREATE INDEX reminders_of_account ON reminders (account_id, due_at, id);
