-- Spaces whose rules somebody has changed; all others have those that the program begins with.
CREATE TABLE rule_sets (
    space_id BIGINT NOT NULL PRIMARY KEY REFERENCES spaces (id) ON DELETE CASCADE
);

-- Rules for what is written, which act by themselves.
CREATE TABLE rules (
    id           BIGINT  NOT NULL PRIMARY KEY,
    space_id     BIGINT  NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    preset       BIGINT,           -- the number of the program's own rule that it was; NULL: none
    name         TEXT COLLATE "C"    NOT NULL,
    enabled      BOOLEAN NOT NULL,
    condition    TEXT COLLATE "C"    NOT NULL, -- JSON: what it looks for
    action       TEXT COLLATE "C"    NOT NULL CHECK (action IN ('mask', 'hold', 'refuse')),
    time_out     BIGINT  NOT NULL, -- minutes; 0: none
    exempt_roles TEXT COLLATE "C"    NOT NULL, -- ids, separated by spaces
    rooms        TEXT COLLATE "C"    NOT NULL, -- ids, separated by spaces; empty: all
    changed_at   BIGINT  NOT NULL
);
CREATE INDEX rules_of_space ON rules (space_id, id);

-- What rules count of an account: messages, or those of one text, since the first of them.
CREATE TABLE rule_counts (
    space_id   BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    rule_id    BIGINT NOT NULL,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    topic      BIGINT NOT NULL, -- 0: every message; else the digest of a text
    ends_at    BIGINT NOT NULL, -- when counting begins again
    count      BIGINT NOT NULL,
    PRIMARY KEY (space_id, rule_id, account_id, topic)
);
CREATE INDEX rule_counts_by_end ON rule_counts (ends_at);
CREATE INDEX rule_counts_of_account ON rule_counts (account_id);

-- Messages that wait for a moderator, and for a while those that one has decided about.
CREATE TABLE held_messages (
    id         BIGINT NOT NULL PRIMARY KEY,
    space_id   BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    room_id    BIGINT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    author_id  BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    client_key TEXT COLLATE "C"   NOT NULL,
    body       TEXT COLLATE "C"   NOT NULL, -- empty once decided
    files      TEXT COLLATE "C"   NOT NULL, -- JSON as of messages; empty once decided
    rule       TEXT COLLATE "C"   NOT NULL, -- the name of the rule that held it
    state      TEXT COLLATE "C"   NOT NULL CHECK (state IN ('waiting', 'released', 'discarded')),
    created_at BIGINT NOT NULL,
    UNIQUE (author_id, client_key)
);
CREATE INDEX held_in_space ON held_messages (space_id, id) WHERE state = 'waiting';
CREATE INDEX held_in_room ON held_messages (room_id, author_id) WHERE state = 'waiting';

-- The files of messages that wait.
CREATE TABLE held_files (
    file_id  BIGINT NOT NULL PRIMARY KEY REFERENCES files (id) ON DELETE CASCADE,
    held_id  BIGINT NOT NULL REFERENCES held_messages (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    caption  TEXT COLLATE "C"   NOT NULL
);
CREATE INDEX held_files_of_message ON held_files (held_id, position);

-- Raid mode: more joins than this in so many minutes begin it; 0: only moderators do.
ALTER TABLE spaces ADD COLUMN raid_joins BIGINT NOT NULL DEFAULT 0;
ALTER TABLE spaces ADD COLUMN raid_minutes BIGINT NOT NULL DEFAULT 5;
-- Minutes that it lasts.
ALTER TABLE spaces ADD COLUMN raid_length BIGINT NOT NULL DEFAULT 30;
-- While it is on: who joined since then only reads, and until when nobody joins.
ALTER TABLE spaces ADD COLUMN raid_since BIGINT;
ALTER TABLE spaces ADD COLUMN raid_until BIGINT;
CREATE INDEX spaces_in_raid_mode ON spaces (raid_until) WHERE raid_until IS NOT NULL;
CREATE INDEX members_by_joining ON members (space_id, joined_at);
