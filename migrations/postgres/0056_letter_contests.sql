-- Contests in which members design envelopes: one design of each, one vote of each.
CREATE TABLE letter_contests (
    id        BIGINT NOT NULL PRIMARY KEY,
    space_id  BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    title     TEXT COLLATE "C" NOT NULL,
    opened_at BIGINT NOT NULL,
    closed_at BIGINT,
    winner_id BIGINT -- the design that won
);
CREATE INDEX letter_contests_of_space ON letter_contests (space_id, id);
CREATE TABLE letter_designs (
    id         BIGINT NOT NULL PRIMARY KEY,
    contest_id BIGINT NOT NULL REFERENCES letter_contests (id),
    space_id   BIGINT NOT NULL,
    author_id  BIGINT REFERENCES accounts (id) ON DELETE SET NULL,
    title      TEXT COLLATE "C" NOT NULL,
    file_id    BIGINT NOT NULL REFERENCES files (id),
    won_at     BIGINT,
    UNIQUE (contest_id, author_id)
);
CREATE INDEX letter_designs_of_author ON letter_designs (author_id);
CREATE INDEX letter_designs_that_won ON letter_designs (space_id, id) WHERE won_at IS NOT NULL;
CREATE INDEX letter_designs_of_space ON letter_designs (space_id);
CREATE UNIQUE INDEX letter_designs_of_file ON letter_designs (file_id);
CREATE TABLE letter_votes (
    contest_id BIGINT NOT NULL REFERENCES letter_contests (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    design_id  BIGINT NOT NULL REFERENCES letter_designs (id) ON DELETE CASCADE,
    PRIMARY KEY (contest_id, account_id)
);
CREATE INDEX letter_votes_of_account ON letter_votes (account_id);
CREATE INDEX letter_votes_for_design ON letter_votes (design_id);
ALTER TABLE letters ADD COLUMN envelope_id BIGINT; -- a design

-- Questions that a machine suggested, counted by account and day: a quota.
CREATE TABLE letter_suggestions (
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    day        BIGINT NOT NULL, -- since 1970-01-01
    asked      BIGINT NOT NULL,
    PRIMARY KEY (account_id, day)
);
CREATE INDEX letter_suggestions_by_day ON letter_suggestions (day);
ALTER TABLE letters ADD COLUMN suggested TEXT COLLATE "C" NOT NULL DEFAULT ''; -- questions, of a draft
