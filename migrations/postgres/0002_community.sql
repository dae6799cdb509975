CREATE TABLE accounts (
    id          BIGINT NOT NULL PRIMARY KEY,
    name        TEXT COLLATE "C"   NOT NULL,
    name_key    TEXT COLLATE "C"   NOT NULL UNIQUE, -- the name as compared: lower case, without look-alike spaces
    email       TEXT COLLATE "C"   NOT NULL,
    email_key   TEXT COLLATE "C"   NOT NULL UNIQUE,
    password    TEXT COLLATE "C"   NOT NULL,        -- a PHC string, Argon2id
    language    TEXT COLLATE "C",                   -- NULL: what the browser asks for
    created_at  BIGINT NOT NULL
);

-- One row, made by the setup page. While it stands, setup is closed.
CREATE TABLE installation (
    one         BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    owner_id    BIGINT NOT NULL REFERENCES accounts (id),
    created_at  BIGINT NOT NULL
);

CREATE TABLE sessions (
    digest      TEXT COLLATE "C"   NOT NULL PRIMARY KEY, -- SHA-256 of the cookie: a stolen backup signs nobody in
    account_id  BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    data        TEXT COLLATE "C"   NOT NULL,
    device      TEXT COLLATE "C"   NOT NULL,
    created_at  BIGINT NOT NULL,
    seen_at     BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX sessions_of_account ON sessions (account_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE spaces (
    id          BIGINT NOT NULL PRIMARY KEY,
    name        TEXT COLLATE "C"   NOT NULL,
    created_at  BIGINT NOT NULL
);

CREATE TABLE members (
    space_id    BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    account_id  BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    role        TEXT COLLATE "C"   NOT NULL CHECK (role IN ('owner', 'member')),
    joined_at   BIGINT NOT NULL,
    PRIMARY KEY (space_id, account_id)
);
CREATE INDEX members_by_account ON members (account_id, space_id);

CREATE TABLE invites (
    id          BIGINT  NOT NULL PRIMARY KEY,
    space_id    BIGINT  NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    code        TEXT COLLATE "C"    NOT NULL UNIQUE,
    created_by  BIGINT  NOT NULL REFERENCES accounts (id),
    created_at  BIGINT  NOT NULL,
    expires_at  BIGINT,
    most_uses   BIGINT,
    uses        BIGINT  NOT NULL DEFAULT 0,
    revoked_at  BIGINT
);
CREATE INDEX invites_of_space ON invites (space_id, id);

CREATE TABLE rooms (
    id          BIGINT  NOT NULL PRIMARY KEY,
    space_id    BIGINT  REFERENCES spaces (id) ON DELETE CASCADE, -- NULL: a direct conversation
    name        TEXT COLLATE "C"    NOT NULL,
    about       TEXT COLLATE "C"    NOT NULL DEFAULT '',
    private     BOOLEAN NOT NULL,
    people_key  TEXT COLLATE "C"    UNIQUE, -- of a direct conversation: its people's ids in order, so that a set has one room
    archived_at BIGINT,
    created_at  BIGINT  NOT NULL
);
CREATE INDEX rooms_of_space ON rooms (space_id, name);
CREATE UNIQUE INDEX room_names ON rooms (space_id, name) WHERE space_id IS NOT NULL AND archived_at IS NULL;

-- Who is in a private room or a direct conversation. A public room is open to all members of its space.
CREATE TABLE room_members (
    room_id     BIGINT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    account_id  BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    joined_at   BIGINT NOT NULL,
    PRIMARY KEY (room_id, account_id)
);
CREATE INDEX room_members_by_account ON room_members (account_id, room_id);
