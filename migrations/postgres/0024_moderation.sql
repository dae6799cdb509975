-- The network that an account last signed in from: what a ban of its address refuses.
ALTER TABLE accounts ADD COLUMN last_network TEXT COLLATE "C";

-- Bans: of an account, or of the network that an account came from.
CREATE TABLE bans (
    id         BIGINT NOT NULL PRIMARY KEY,
    space_id   BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    network    TEXT COLLATE "C",            -- NULL: the account itself is banned
    by_id      BIGINT,          -- without a key: a ban outlives who made it
    reason     TEXT COLLATE "C"   NOT NULL, -- empty: none was given
    at         BIGINT NOT NULL,
    expires_at BIGINT           -- NULL: never
);
CREATE UNIQUE INDEX bans_of_account ON bans (space_id, account_id) WHERE network IS NULL;
CREATE UNIQUE INDEX bans_of_network ON bans (space_id, network) WHERE network IS NOT NULL;
CREATE INDEX bans_by_account ON bans (account_id);

-- What was done to members, for their history.
CREATE TABLE sanctions (
    id         BIGINT NOT NULL PRIMARY KEY,
    space_id   BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    kind       TEXT COLLATE "C"   NOT NULL CHECK (kind IN ('time-out', 'removal', 'ban')),
    by_id      BIGINT,
    reason     TEXT COLLATE "C"   NOT NULL,
    at         BIGINT NOT NULL,
    until      BIGINT,          -- NULL: has no end
    ended_at   BIGINT           -- when a moderator took it back
);
CREATE INDEX sanctions_of_account ON sanctions (account_id, space_id, id);

-- What moderators note about a member.
CREATE TABLE member_notes (
    id         BIGINT NOT NULL PRIMARY KEY,
    space_id   BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    by_id      BIGINT,
    body       TEXT COLLATE "C"   NOT NULL,
    at         BIGINT NOT NULL
);
CREATE INDEX member_notes_of_account ON member_notes (account_id, space_id, id);

-- Seconds between two messages of one member; 0: no limit.
ALTER TABLE rooms ADD COLUMN slow_seconds BIGINT NOT NULL DEFAULT 0;
-- When somebody last posted in a room that is slow.
CREATE TABLE slow_posts (
    room_id    BIGINT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    posted_at  BIGINT NOT NULL,
    PRIMARY KEY (room_id, account_id)
);
CREATE INDEX slow_posts_of_account ON slow_posts (account_id);

-- The newest messages of somebody, which moderators delete.
CREATE INDEX messages_of_author ON messages (author_id, id) WHERE deleted_at IS NULL;
