-- Who began a direct conversation: an account has room for 500 that it began itself.
ALTER TABLE rooms ADD COLUMN begun_by BIGINT REFERENCES accounts (id);
CREATE INDEX rooms_begun_by ON rooms (begun_by) WHERE begun_by IS NOT NULL;
