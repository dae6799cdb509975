-- Terminals in which one person types at a time: who holds the baton.
ALTER TABLE terminals ADD COLUMN one_at_a_time BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE terminals ADD COLUMN baton_account_id BIGINT
    REFERENCES accounts (id) ON DELETE SET NULL;
CREATE INDEX terminals_of_baton ON terminals (baton_account_id)
    WHERE baton_account_id IS NOT NULL;

-- Files that people offer to a sharer. The rows outlive their terminals until their files are
-- released.
ALTER TABLE terminals ADD COLUMN takes_files BOOLEAN NOT NULL DEFAULT FALSE;
CREATE TABLE terminal_sent_files (
    id          BIGINT NOT NULL PRIMARY KEY,
    terminal_id BIGINT NOT NULL,
    account_id  BIGINT NOT NULL,
    file_id     BIGINT,
    name        TEXT COLLATE "C" NOT NULL,
    size        BIGINT NOT NULL,
    state       TEXT COLLATE "C" NOT NULL,
    stored_as   TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE INDEX terminal_sent_files_of_terminal ON terminal_sent_files (terminal_id, id);
CREATE INDEX terminal_sent_files_by_age ON terminal_sent_files (created_at);
