-- Whether people of one's direct conversations see what one has read there.
ALTER TABLE accounts ADD COLUMN shares_reads BOOLEAN NOT NULL DEFAULT FALSE;
