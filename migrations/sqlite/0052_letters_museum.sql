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

-- Points: what a space gives for deeds, all of it ever given or spent, and what each member has.
CREATE TABLE letter_point_rules (
    space_id  BIGINT NOT NULL PRIMARY KEY REFERENCES spaces (id) ON DELETE CASCADE,
    written   BIGINT NOT NULL,
    delivered BIGINT NOT NULL,
    carried   BIGINT NOT NULL,
    hung      BIGINT NOT NULL,
    daily     BIGINT NOT NULL -- at most so many a day
);
CREATE TABLE letter_points (
    id         BIGINT NOT NULL PRIMARY KEY,
    space_id   BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    deed       TEXT   NOT NULL, -- written, delivered, carried, hung, bought
    deed_key   TEXT   NOT NULL, -- of which letter, or what was bought: each counts once
    points     BIGINT NOT NULL, -- negative of what was spent
    at         BIGINT NOT NULL,
    UNIQUE (space_id, account_id, deed_key)
);
CREATE INDEX letter_points_of_account ON letter_points (account_id, space_id, at);
CREATE TABLE letter_purses (
    space_id   BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    points     BIGINT NOT NULL, -- the sum of the ledger
    earned     BIGINT NOT NULL, -- without what was spent
    PRIMARY KEY (space_id, account_id)
);
CREATE INDEX letter_purses_by_earned ON letter_purses (space_id, earned);
CREATE INDEX letter_purses_of_account ON letter_purses (account_id);
ALTER TABLE letters ADD COLUMN stamp TEXT NOT NULL DEFAULT '';
CREATE TRIGGER letter_points_are_not_changed BEFORE UPDATE ON letter_points
BEGIN SELECT RAISE(ABORT, 'the ledger of points is append-only'); END;
