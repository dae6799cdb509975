-- What a name looks like (Unicode TR 39), so that no new account looks like another one. NULL: made
-- by an older version, or one of two accounts that looked alike before.
ALTER TABLE accounts ADD COLUMN name_skeleton TEXT;
CREATE UNIQUE INDEX accounts_by_skeleton ON accounts (name_skeleton);
