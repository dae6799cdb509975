-- Whether letters may drift to whom the tide finds.
ALTER TABLE letter_settings ADD COLUMN drift BOOLEAN NOT NULL DEFAULT TRUE;

-- Who takes letters that drift, and may send them.
CREATE TABLE letter_drifters (
    space_id    BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    account_id  BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    languages   TEXT COLLATE "C"   NOT NULL, -- ' de en ': each between spaces
    interests   TEXT COLLATE "C"   NOT NULL, -- one on each line
    since       BIGINT NOT NULL,
    found_at    BIGINT NOT NULL DEFAULT 0, -- when a letter last found them
    rests_until BIGINT NOT NULL DEFAULT 0, -- no letter finds them before
    PRIMARY KEY (space_id, account_id)
);
CREATE INDEX letter_drifters_by_found ON letter_drifters (space_id, found_at, account_id);
CREATE INDEX letter_drifters_of_account ON letter_drifters (account_id);

-- Whom a drifting letter found. Outlives the letter, for the rule about pairs.
CREATE TABLE letter_meetings (
    letter_id BIGINT NOT NULL,
    author_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    finder_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    met_at    BIGINT NOT NULL,
    PRIMARY KEY (letter_id, finder_id)
);
CREATE INDEX letter_meetings_of_author ON letter_meetings (author_id, finder_id, met_at);
CREATE INDEX letter_meetings_of_finder ON letter_meetings (finder_id, author_id, met_at);
CREATE INDEX letter_meetings_by_time ON letter_meetings (met_at);
CREATE INDEX letters_drifting ON letters (author_id, space_id, state) WHERE way = 'drift';
CREATE INDEX letters_drifted_to ON letters (recipient_id, space_id, state) WHERE way = 'drift';

-- Photographs of a letter that was written by hand.
CREATE TABLE letter_pages (
    file_id   BIGINT NOT NULL PRIMARY KEY REFERENCES files (id),
    letter_id BIGINT NOT NULL REFERENCES letters (id),
    position  BIGINT NOT NULL -- from 1 on
);
CREATE INDEX letter_pages_of_letter ON letter_pages (letter_id, position);

-- Who is away, for those who write to them. Days since 1970-01-01.
CREATE TABLE letter_absences (
    space_id   BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    from_day   BIGINT NOT NULL,
    until_day  BIGINT NOT NULL,
    note       TEXT COLLATE "C"   NOT NULL,
    PRIMARY KEY (space_id, account_id)
);
CREATE INDEX letter_absences_of_account ON letter_absences (account_id);

-- Whether somebody who long wrote nothing is still here: one question about a letter to them.
CREATE TABLE letter_questions (
    letter_id   BIGINT NOT NULL PRIMARY KEY REFERENCES letters (id) ON DELETE CASCADE,
    asked_at    BIGINT NOT NULL,
    answer      TEXT COLLATE "C"   NOT NULL DEFAULT '', -- here, rest
    answered_at BIGINT
);

-- The last letter of a correspondence.
ALTER TABLE letters ADD COLUMN closes BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX letters_hidden ON letters (space_id, id) WHERE hidden_at IS NOT NULL;
