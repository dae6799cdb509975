-- Exhibitions of a museum of letters. Days since 1970-01-01.
CREATE TABLE letter_exhibitions (
    id         BIGINT NOT NULL PRIMARY KEY,
    space_id   BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    title      TEXT   NOT NULL,
    about      TEXT   NOT NULL,
    opens_day  BIGINT NOT NULL,
    closes_day BIGINT NOT NULL, -- the last day
    made_at    BIGINT NOT NULL
);
CREATE INDEX letter_exhibitions_of_space ON letter_exhibitions (space_id, closes_day, id);
ALTER TABLE letter_exhibits ADD COLUMN exhibition_id BIGINT;
ALTER TABLE letter_exhibits ADD COLUMN position BIGINT NOT NULL DEFAULT 0; -- in its exhibition
CREATE INDEX letter_exhibits_of_exhibition ON letter_exhibits (exhibition_id, position)
    WHERE exhibition_id IS NOT NULL;

-- What readers of the museum leave with a letter; goes when it is taken back.
CREATE TABLE letter_hearts (
    letter_id  BIGINT NOT NULL REFERENCES letter_exhibits (letter_id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    PRIMARY KEY (letter_id, account_id)
);
CREATE INDEX letter_hearts_of_account ON letter_hearts (account_id);
CREATE TABLE letter_notes (
    id         BIGINT NOT NULL PRIMARY KEY,
    letter_id  BIGINT NOT NULL REFERENCES letter_exhibits (letter_id) ON DELETE CASCADE,
    author_id  BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    client_key TEXT   NOT NULL, -- sent twice it is once
    body       TEXT   NOT NULL,
    UNIQUE (author_id, client_key)
);
CREATE INDEX letter_notes_of_letter ON letter_notes (letter_id, id);

-- Scans that were made without a connection, by the key that the phone gave each.
CREATE TABLE letter_scans (
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    client_key TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (account_id, client_key)
);
CREATE INDEX letter_scans_by_time ON letter_scans (at);
