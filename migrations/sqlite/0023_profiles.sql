-- What a name looks like (Unicode TR 39), so that no new account looks like another one. NULL: made
-- by an older version, or one of two accounts that looked alike before.
ALTER TABLE accounts ADD COLUMN name_skeleton TEXT;
CREATE UNIQUE INDEX accounts_by_skeleton ON accounts (name_skeleton);

-- `name` is the name that is shown, `user_name` the one that is unique and signs in. NULL: made by an
-- older version, which shows the user name.
ALTER TABLE accounts ADD COLUMN user_name TEXT;
UPDATE accounts SET user_name = name;
ALTER TABLE accounts ADD COLUMN pronouns TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN bio TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN time_zone TEXT NOT NULL DEFAULT ''; -- of the IANA database
ALTER TABLE accounts ADD COLUMN status_emoji TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN status TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN status_until BIGINT; -- NULL: until it is changed
-- Who may begin a conversation.
ALTER TABLE accounts ADD COLUMN writers TEXT NOT NULL DEFAULT 'spaces'
    CHECK (writers IN ('all', 'spaces', 'nobody'));

CREATE TABLE blocks (
    account_id  BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    blocked_id  BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    kind        TEXT   NOT NULL CHECK (kind IN ('block', 'ignore')),
    PRIMARY KEY (account_id, blocked_id)
);
CREATE INDEX blocks_of_blocked ON blocks (blocked_id, account_id);
