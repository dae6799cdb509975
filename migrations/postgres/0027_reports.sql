-- A thing that was reported: one open case for each, in the queue of a space or of the host.
CREATE TABLE report_cases (
    id          BIGINT NOT NULL PRIMARY KEY,
    space_id    BIGINT REFERENCES spaces (id) ON DELETE CASCADE, -- NULL: the host's queue
    room_id     BIGINT,          -- who reviews has to read it; NULL: it is in no room
    kind        TEXT COLLATE "C"   NOT NULL, -- as a module declares it: `message`
    thing_id    BIGINT NOT NULL,
    author_id   BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    href        TEXT COLLATE "C"   NOT NULL, -- where it is
    thing_at    BIGINT,          -- when it was written; NULL for people
    resolved_at BIGINT,
    resolved_by BIGINT,
    outcome     TEXT COLLATE "C" CHECK (outcome IN ('nothing', 'acted')),
    note        TEXT COLLATE "C"   NOT NULL
);
CREATE UNIQUE INDEX report_cases_open ON report_cases ((COALESCE(space_id, 0)), kind, thing_id)
    WHERE resolved_at IS NULL;
CREATE INDEX report_cases_of_queue ON report_cases ((COALESCE(space_id, 0)), id);
CREATE INDEX report_cases_of_author ON report_cases (author_id);
CREATE INDEX report_cases_of_space ON report_cases (space_id) WHERE space_id IS NOT NULL;

CREATE TABLE reports (
    id          BIGINT NOT NULL PRIMARY KEY,
    case_id     BIGINT NOT NULL REFERENCES report_cases (id) ON DELETE CASCADE,
    reporter_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    reason      TEXT COLLATE "C"   NOT NULL,
    words       TEXT COLLATE "C"   NOT NULL, -- what the reporter wrote; empty: nothing
    excerpt     TEXT COLLATE "C"   NOT NULL, -- what was reported, as it was then
    at          BIGINT NOT NULL,
    seen_at     BIGINT,          -- when the reporter saw that it was resolved
    UNIQUE (case_id, reporter_id)
);
CREATE INDEX reports_of_reporter ON reports (reporter_id, id);

-- One for each sanction, by whom it was imposed on.
CREATE TABLE appeals (
    sanction_id BIGINT NOT NULL PRIMARY KEY REFERENCES sanctions (id) ON DELETE CASCADE,
    space_id    BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    account_id  BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    words       TEXT COLLATE "C"   NOT NULL,
    at          BIGINT NOT NULL,
    resolved_at BIGINT,
    resolved_by BIGINT,
    outcome     TEXT COLLATE "C" CHECK (outcome IN ('lifted', 'upheld')),
    answer      TEXT COLLATE "C"   NOT NULL  -- what the person is told
);
CREATE INDEX appeals_of_space ON appeals (space_id, sanction_id);
CREATE INDEX appeals_of_account ON appeals (account_id);

-- Bans of the whole server: a suspended account, or a network that is refused.
CREATE TABLE server_bans (
    id         BIGINT NOT NULL PRIMARY KEY,
    account_id BIGINT REFERENCES accounts (id) ON DELETE CASCADE,
    network    TEXT COLLATE "C",            -- `192.0.2.0/24`
    by_id      BIGINT,          -- without a key: a ban outlives who made it
    reason     TEXT COLLATE "C"   NOT NULL,
    at         BIGINT NOT NULL,
    expires_at BIGINT,          -- NULL: never
    CHECK ((account_id IS NULL) <> (network IS NULL))
);
CREATE UNIQUE INDEX server_bans_of_account ON server_bans (account_id)
    WHERE account_id IS NOT NULL;
CREATE UNIQUE INDEX server_bans_of_network ON server_bans (network) WHERE network IS NOT NULL;

-- Who was a member once: they may be banned.
CREATE TABLE former_members (
    space_id   BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    left_at    BIGINT NOT NULL,
    PRIMARY KEY (space_id, account_id)
);
CREATE INDEX former_members_of_account ON former_members (account_id);
-- Of those who left before, whoever wrote something.
INSERT INTO former_members (space_id, account_id, left_at)
    SELECT DISTINCT r.space_id, m.author_id, CAST(0 AS BIGINT) FROM messages m
    JOIN rooms r ON r.id = m.room_id WHERE r.space_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM members b
        WHERE b.space_id = r.space_id AND b.account_id = m.author_id);

-- The log of the server as a whole is read, too.
DROP INDEX audit_log_of_space;
CREATE INDEX audit_log_of_scope ON audit_log ((COALESCE(space_id, 0)), id);
