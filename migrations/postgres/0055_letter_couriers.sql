-- Bags of letters, under the code of a sticker that stays on the bag. A letter is in one at most.
CREATE TABLE letter_bags (
    id         BIGINT NOT NULL PRIMARY KEY,
    space_id   BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    code       TEXT COLLATE "C" NOT NULL,
    holder_id  BIGINT, -- the courier who has it
    offered_to BIGINT, -- the courier whom the holder wants to give it to
    packed_at  BIGINT NOT NULL,
    opened_at  BIGINT
);
CREATE UNIQUE INDEX letter_bags_by_code ON letter_bags (code) WHERE opened_at IS NULL;
CREATE INDEX letter_bags_of_space ON letter_bags (space_id) WHERE opened_at IS NULL;
CREATE INDEX letter_bags_held ON letter_bags (holder_id) WHERE opened_at IS NULL;
CREATE INDEX letter_bags_offered ON letter_bags (offered_to) WHERE opened_at IS NULL;
ALTER TABLE letter_stickers ADD COLUMN is_bag BOOLEAN NOT NULL DEFAULT FALSE; -- for ever
ALTER TABLE letters ADD COLUMN bag_id BIGINT;
CREATE INDEX letters_in_bag ON letters (bag_id) WHERE bag_id IS NOT NULL;

-- Who should pick a letter up, and until when; without anybody: when to look for somebody again.
ALTER TABLE letters ADD COLUMN assigned_to BIGINT;
ALTER TABLE letters ADD COLUMN assigned_until BIGINT;
CREATE INDEX letters_assigned ON letters (assigned_to) WHERE assigned_to IS NOT NULL;
CREATE INDEX letters_to_assign ON letters (assigned_until)
    WHERE way = 'hand' AND state = 'posted';
CREATE INDEX letters_with_courier ON letters (holder_id, space_id)
    WHERE state IN ('in_transit', 'undeliverable');
UPDATE letters SET assigned_until = 0 WHERE way = 'hand' AND state = 'posted';

-- The rank that has to decide about a letter: 0 nobody yet, 5 an organiser.
ALTER TABLE letters ADD COLUMN escalated BIGINT NOT NULL DEFAULT 0;
CREATE INDEX letters_by_place ON letters (space_id, state, place_id, due_at) WHERE way = 'hand';
CREATE INDEX letter_places_open ON letter_places (resident_id, space_id, code)
    WHERE state = 'open';
CREATE INDEX letters_late ON letters (due_at) WHERE way = 'hand' AND state = 'in_transit';

-- Who did not pick a letter up in time: it is not assigned to them again.
CREATE TABLE letter_lapses (
    letter_id  BIGINT NOT NULL REFERENCES letters (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    PRIMARY KEY (letter_id, account_id)
);
CREATE INDEX letter_lapses_of_account ON letter_lapses (account_id);

-- Who stands in while a courier pauses, when a courier carries, and what they did in their rank.
ALTER TABLE letter_couriers ADD COLUMN substitute_id BIGINT;
ALTER TABLE letter_couriers ADD COLUMN days BIGINT NOT NULL DEFAULT 127; -- bit 0: Monday
ALTER TABLE letter_couriers ADD COLUMN from_hour BIGINT NOT NULL DEFAULT 0;
ALTER TABLE letter_couriers ADD COLUMN until_hour BIGINT NOT NULL DEFAULT 24;
ALTER TABLE letter_couriers ADD COLUMN done BIGINT NOT NULL DEFAULT 0; -- delivered in this rank
ALTER TABLE letter_couriers ADD COLUMN on_time BIGINT NOT NULL DEFAULT 0; -- of these
ALTER TABLE letter_couriers ADD COLUMN lapsed BIGINT NOT NULL DEFAULT 0; -- not picked up in time
ALTER TABLE letter_couriers ADD COLUMN proposed_at BIGINT; -- for the next rank
CREATE INDEX letter_couriers_of_substitute ON letter_couriers (substitute_id)
    WHERE substitute_id IS NOT NULL;
CREATE INDEX letter_couriers_proposed ON letter_couriers (space_id)
    WHERE proposed_at IS NOT NULL;
UPDATE letter_couriers SET done = delivered, on_time = delivered;

-- How a space has its couriers work; without a row as a new space does.
CREATE TABLE letter_courier_rules (
    space_id          BIGINT  NOT NULL PRIMARY KEY REFERENCES spaces (id) ON DELETE CASCADE,
    assigns           BOOLEAN NOT NULL,
    take_hours        BIGINT  NOT NULL,
    max_load          BIGINT  NOT NULL,
    promote_delivered BIGINT  NOT NULL, -- 0: nobody is proposed
    promote_percent   BIGINT  NOT NULL
);
