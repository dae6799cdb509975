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
    code         TEXT COLLATE "C"    NOT NULL,
    name         TEXT COLLATE "C"    NOT NULL,
    kind         TEXT COLLATE "C"    NOT NULL, -- school, area; of a point door, shop, box
    state        TEXT COLLATE "C"    NOT NULL, -- applied, open, retired
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
    recipient_name TEXT COLLATE "C"   NOT NULL, -- how the author knows a recipient who did not sign; or empty
    client_key     TEXT COLLATE "C"   NOT NULL, -- of an author: sent twice it is once
    kind           TEXT COLLATE "C"   NOT NULL,
    way            TEXT COLLATE "C"   NOT NULL,
    state          TEXT COLLATE "C"   NOT NULL, -- changed by the table of states only
    paper          TEXT COLLATE "C"   NOT NULL,
    signature      TEXT COLLATE "C"   NOT NULL, -- own, pen, none
    pen_name       TEXT COLLATE "C"   NOT NULL DEFAULT '',
    body           TEXT COLLATE "C"   NOT NULL DEFAULT '',
    revision       BIGINT NOT NULL DEFAULT 0, -- of the draft
    reply_to       BIGINT,
    thread_id      BIGINT NOT NULL, -- the first letter of a correspondence
    opens_at       BIGINT, -- of a future letter
    departs_at     BIGINT,
    arrives_at     BIGINT,
    job_id         BIGINT,
    sent_from      TEXT COLLATE "C"   NOT NULL DEFAULT '',
    created_at     BIGINT NOT NULL,
    sealed_at      BIGINT,
    delivered_at   BIGINT,
    read_at        BIGINT,
    hidden_at      BIGINT, -- taken down by moderators; no state of its way
    code           TEXT COLLATE "C", -- of its sticker
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
    body      TEXT COLLATE "C"   NOT NULL,
    saved_at  BIGINT NOT NULL,
    PRIMARY KEY (letter_id, revision)
);

-- What happened to a letter: one entry for each change of its state, never changed.
CREATE TABLE letter_journey (
    id         BIGINT NOT NULL PRIMARY KEY,
    letter_id  BIGINT NOT NULL REFERENCES letters (id) ON DELETE CASCADE,
    event      TEXT COLLATE "C"   NOT NULL,
    state      TEXT COLLATE "C"   NOT NULL, -- after it
    actor      TEXT COLLATE "C"   NOT NULL, -- author, recipient, courier, organiser, clock
    account_id BIGINT,
    place      TEXT COLLATE "C"   NOT NULL, -- a city, or the code of a place
    detail     TEXT COLLATE "C"   NOT NULL, -- why it failed
    at         BIGINT NOT NULL
);
CREATE INDEX letter_journey_of_letter ON letter_journey (letter_id, id);
CREATE FUNCTION refuse_letter_journey_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Entries go with their letter.
    IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT 1 FROM letters WHERE id = OLD.letter_id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the journey of a letter is append-only';
END $$;
CREATE TRIGGER letter_journey_is_append_only BEFORE UPDATE OR DELETE ON letter_journey
    FOR EACH ROW EXECUTE FUNCTION refuse_letter_journey_change();

-- Couriers: one post in a space.
CREATE TABLE letter_couriers (
    space_id     BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    account_id   BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    rank         BIGINT NOT NULL, -- 1 carrier, 2 sorter, 3 postmaster, 4 director
    branch       TEXT COLLATE "C"   NOT NULL, -- the beginning of the codes of its places
    state        TEXT COLLATE "C"   NOT NULL, -- applied, active, paused
    about        TEXT COLLATE "C"   NOT NULL, -- what an applicant wrote
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
    code      TEXT COLLATE "C"   NOT NULL PRIMARY KEY,
    sheet_id  BIGINT NOT NULL REFERENCES letter_sheets (id) ON DELETE CASCADE,
    space_id  BIGINT NOT NULL,
    letter_id BIGINT UNIQUE, -- bound for ever, also once the letter is erased
    bound_at  BIGINT
);
CREATE INDEX letter_stickers_of_sheet ON letter_stickers (sheet_id);
CREATE FUNCTION refuse_letter_sticker_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a sticker is bound once';
END $$;
CREATE TRIGGER letter_sticker_is_bound_once BEFORE UPDATE OF letter_id ON letter_stickers
    FOR EACH ROW WHEN (OLD.letter_id IS NOT NULL) EXECUTE FUNCTION refuse_letter_sticker_change();

-- Letters that can be found, when their text is sealed or they move.
CREATE FUNCTION queue_letter_for_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_queue (source, item) VALUES ('letters.letter', COALESCE(NEW.id, OLD.id));
    RETURN NULL;
END $$;
CREATE TRIGGER letter_is_searched_anew
    AFTER UPDATE OF state, hidden_at, recipient_id OR DELETE ON letters
    FOR EACH ROW EXECUTE FUNCTION queue_letter_for_search();
