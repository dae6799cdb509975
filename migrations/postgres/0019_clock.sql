-- Whether the hours of an account's pages go to 12 or to 24; NULL follows the language.
ALTER TABLE accounts ADD COLUMN clock BIGINT CHECK (clock IN (12, 24));
