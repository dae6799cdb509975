-- A picture that moves: its content does, its smaller versions do not.
ALTER TABLE files ADD COLUMN animated BOOLEAN NOT NULL DEFAULT FALSE;

-- Content that stays as it was uploaded, with its metadata, because its owner chose so.
ALTER TABLE files ADD COLUMN intact BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE uploads ADD COLUMN intact BOOLEAN NOT NULL DEFAULT FALSE;
