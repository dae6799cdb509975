-- Terminals whose program runs on the server, in a container of its own.
ALTER TABLE terminals ADD COLUMN is_shell BOOLEAN NOT NULL DEFAULT FALSE;
