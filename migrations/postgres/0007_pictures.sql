-- Pictures of people and spaces, and the emoji that a space has made.
ALTER TABLE accounts ADD COLUMN picture BIGINT REFERENCES files (id);
ALTER TABLE spaces ADD COLUMN picture BIGINT REFERENCES files (id);
CREATE INDEX accounts_with_picture ON accounts (picture) WHERE picture IS NOT NULL;
CREATE INDEX spaces_with_picture ON spaces (picture) WHERE picture IS NOT NULL;

CREATE TABLE emoji (
    space_id   BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    name       TEXT COLLATE "C"   NOT NULL, -- as it is written between colons
    file_id    BIGINT NOT NULL UNIQUE REFERENCES files (id),
    made_by    BIGINT NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (space_id, name)
);
