-- How a space has its letters.
CREATE TABLE letter_settings (
    space_id   BIGINT  NOT NULL PRIMARY KEY REFERENCES spaces (id) ON DELETE CASCADE,
    tide       BOOLEAN NOT NULL, -- letters travel by tide
    by_hand    BOOLEAN NOT NULL, -- couriers carry letters
    pen_names  BOOLEAN NOT NULL,
    unsigned   BOOLEAN NOT NULL,
    min_hours  BIGINT  NOT NULL, -- of a tide
    max_hours  BIGINT  NOT NULL
);

-- Who wants no letters in a space.
CREATE TABLE letter_refusals (
    space_id   BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    PRIMARY KEY (space_id, account_id)
);

-- Places of a space: a school or town (AA), an area of it (AABB), a point of that (AABBCC).
CREATE TABLE letter_places (
    id           BIGINT  NOT NULL PRIMARY KEY,
    space_id     BIGINT  NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    code         TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    kind         TEXT    NOT NULL, -- school, area; of a point door, shop, box
    state        TEXT    NOT NULL, -- applied, open, retired
    applicant_id BIGINT  REFERENCES accounts (id) ON DELETE SET NULL,
    resident_id  BIGINT  REFERENCES accounts (id) ON DELETE SET NULL, -- of a door: whose it is
    created_at   BIGINT  NOT NULL
);
-- A retired code is free again.
CREATE UNIQUE INDEX letter_places_by_code ON letter_places (space_id, code)
    WHERE state <> 'retired';
CREATE INDEX letter_places_of_resident ON letter_places (resident_id);
CREATE INDEX letter_places_of_applicant ON letter_places (applicant_id);
CREATE INDEX letter_places_of_space ON letter_places (space_id, state);

CREATE TABLE letters (
    id             BIGINT NOT NULL PRIMARY KEY,
    space_id       BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    author_id      BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    recipient_id   BIGINT REFERENCES accounts (id) ON DELETE SET NULL,
    recipient_name TEXT   NOT NULL, -- how the author knows a recipient who did not sign; or empty
    client_key     TEXT   NOT NULL, -- of an author: sent twice it is once
    kind           TEXT   NOT NULL,
    way            TEXT   NOT NULL,
    state          TEXT   NOT NULL, -- changed by the table of states only
    paper          TEXT   NOT NULL,
    signature      TEXT   NOT NULL, -- own, pen, none
    pen_name       TEXT   NOT NULL DEFAULT '',
    body           TEXT   NOT NULL DEFAULT '',
    revision       BIGINT NOT NULL DEFAULT 0, -- of the draft
    reply_to       BIGINT,
    thread_id      BIGINT NOT NULL, -- the first letter of a correspondence
    opens_at       BIGINT, -- of a future letter
    departs_at     BIGINT,
    arrives_at     BIGINT,
    job_id         BIGINT,
    sent_from      TEXT   NOT NULL DEFAULT '',
    created_at     BIGINT NOT NULL,
    sealed_at      BIGINT,
    delivered_at   BIGINT,
    read_at        BIGINT,
    hidden_at      BIGINT, -- taken down by moderators; no state of its way
    code           TEXT, -- of its sticker
    place_id       BIGINT REFERENCES letter_places (id) ON DELETE SET NULL, -- its address
    holder_id      BIGINT, -- the courier who has it
    offered_to     BIGINT, -- the courier whom the holder wants to give it to
    due_at         BIGINT, -- when it should have moved on
    UNIQUE (author_id, client_key)
);
CREATE UNIQUE INDEX letters_by_code ON letters (code);
CREATE INDEX letters_received ON letters (recipient_id, space_id, delivered_at, id);
CREATE INDEX letters_unread ON letters (recipient_id, space_id) WHERE state = 'delivered';
CREATE INDEX letters_written ON letters (author_id, space_id, sealed_at, id);
CREATE INDEX letters_open ON letters (space_id, delivered_at, id) WHERE kind = 'open';
CREATE INDEX letters_of_thread ON letters (thread_id, id);
CREATE INDEX letters_carried ON letters (space_id, state, due_at) WHERE way = 'hand';
CREATE INDEX letters_of_space ON letters (space_id, id);
CREATE INDEX letters_to_place ON letters (place_id) WHERE place_id IS NOT NULL;
CREATE INDEX letters_held ON letters (holder_id) WHERE holder_id IS NOT NULL;
CREATE INDEX letters_offered ON letters (offered_to) WHERE offered_to IS NOT NULL;

-- Earlier texts of drafts.
CREATE TABLE letter_versions (
    letter_id BIGINT NOT NULL REFERENCES letters (id) ON DELETE CASCADE,
    revision  BIGINT NOT NULL,
    body      TEXT   NOT NULL,
    saved_at  BIGINT NOT NULL,
    PRIMARY KEY (letter_id, revision)
);

-- What happened to a letter: one entry for each change of its state, never changed.
CREATE TABLE letter_journey (
    id         BIGINT NOT NULL PRIMARY KEY,
    letter_id  BIGINT NOT NULL REFERENCES letters (id) ON DELETE CASCADE,
    event      TEXT   NOT NULL,
    state      TEXT   NOT NULL, -- after it
    actor      TEXT   NOT NULL, -- author, recipient, courier, organiser, clock
    account_id BIGINT,
    place      TEXT   NOT NULL, -- a city, or the code of a place
    detail     TEXT   NOT NULL, -- why it failed
    at         BIGINT NOT NULL
);
CREATE INDEX letter_journey_of_letter ON letter_journey (letter_id, id);
CREATE TRIGGER letter_journey_is_not_changed BEFORE UPDATE ON letter_journey
BEGIN SELECT RAISE(ABORT, 'the journey of a letter is append-only'); END;
CREATE TRIGGER letter_journey_goes_with_letter BEFORE DELETE ON letter_journey
WHEN EXISTS (SELECT 1 FROM letters WHERE id = OLD.letter_id)
BEGIN SELECT RAISE(ABORT, 'the journey of a letter is append-only'); END;

-- Couriers: one post in a space.
CREATE TABLE letter_couriers (
    space_id     BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    account_id   BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    rank         BIGINT NOT NULL, -- 1 carrier, 2 sorter, 3 postmaster, 4 director
    branch       TEXT   NOT NULL, -- the beginning of the codes of its places
    state        TEXT   NOT NULL, -- applied, active, paused
    about        TEXT   NOT NULL, -- what an applicant wrote
    appointed_by BIGINT,
    since        BIGINT NOT NULL,
    delivered    BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (space_id, account_id)
);
CREATE INDEX letter_couriers_of_account ON letter_couriers (account_id);
CREATE INDEX letter_refusals_of_account ON letter_refusals (account_id);

-- Letters given to the museum of a space: hung while both give them and a curator hung them.
CREATE TABLE letter_exhibits (
    letter_id       BIGINT  NOT NULL PRIMARY KEY REFERENCES letters (id) ON DELETE CASCADE,
    space_id        BIGINT  NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    author_gives    BOOLEAN NOT NULL,
    recipient_gives BOOLEAN NOT NULL,
    author_named    BOOLEAN NOT NULL, -- may be named
    recipient_named BOOLEAN NOT NULL,
    declined        BOOLEAN NOT NULL,
    hung_at         BIGINT
);
CREATE INDEX letter_exhibits_of_space ON letter_exhibits (space_id, hung_at, letter_id);

-- Stickers: made before letters, bound once.
CREATE TABLE letter_sheets (
    id       BIGINT NOT NULL PRIMARY KEY,
    space_id BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    made_by  BIGINT NOT NULL,
    made_at  BIGINT NOT NULL
);
CREATE INDEX letter_sheets_of_space ON letter_sheets (space_id, id);
CREATE TABLE letter_stickers (
    code      TEXT   NOT NULL PRIMARY KEY,
    sheet_id  BIGINT NOT NULL REFERENCES letter_sheets (id) ON DELETE CASCADE,
    space_id  BIGINT NOT NULL,
    letter_id BIGINT UNIQUE, -- bound for ever, also once the letter is erased
    bound_at  BIGINT
);
CREATE INDEX letter_stickers_of_sheet ON letter_stickers (sheet_id);
CREATE TRIGGER letter_sticker_is_bound_once BEFORE UPDATE OF letter_id ON letter_stickers
WHEN OLD.letter_id IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a sticker is bound once'); END;

-- Letters that can be found, when their text is sealed or they move.
CREATE TRIGGER letter_is_searched_anew AFTER UPDATE OF state, hidden_at, recipient_id ON letters
BEGIN INSERT INTO search_queue (source, item) VALUES ('letters.letter', NEW.id); END;
CREATE TRIGGER letter_is_gone AFTER DELETE ON letters
BEGIN INSERT INTO search_queue (source, item) VALUES ('letters.letter', OLD.id); END;
