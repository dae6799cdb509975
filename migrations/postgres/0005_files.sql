-- Content, by its BLAKE3 digest. Kept once however many files have it.
CREATE TABLE blobs (
    digest     TEXT COLLATE "C"   NOT NULL PRIMARY KEY,
    size       BIGINT NOT NULL,
    media      TEXT COLLATE "C"   NOT NULL,
    created_at BIGINT NOT NULL
);

-- What people put somewhere.
CREATE TABLE files (
    id         BIGINT  NOT NULL PRIMARY KEY,
    kind       TEXT COLLATE "C"    NOT NULL,               -- which module's
    place      BIGINT  NOT NULL,               -- where, as the kind counts places: a room, an account
    owner_id   BIGINT  NOT NULL REFERENCES accounts (id),
    space_id   BIGINT,                         -- whose limit it counts against, too
    name       TEXT COLLATE "C"    NOT NULL,
    media      TEXT COLLATE "C"    NOT NULL,               -- found from the content
    size       BIGINT  NOT NULL,
    digest     TEXT COLLATE "C"    NOT NULL REFERENCES blobs (digest),
    picture    TEXT COLLATE "C"    NOT NULL CHECK (picture IN ('none', 'waiting', 'made', 'failed')),
    width      BIGINT,
    height     BIGINT,
    blur       TEXT COLLATE "C",                           -- a few pixels as a data address, shown until it is loaded
    small      TEXT COLLATE "C" REFERENCES blobs (digest),
    large      TEXT COLLATE "C" REFERENCES blobs (digest),
    kept       BOOLEAN NOT NULL,               -- false: nothing refers to it yet, and it goes after a day
    created_at BIGINT  NOT NULL
);
CREATE INDEX files_by_digest ON files (digest);
CREATE INDEX files_by_small ON files (small) WHERE small IS NOT NULL;
CREATE INDEX files_by_large ON files (large) WHERE large IS NOT NULL;
CREATE INDEX files_not_kept ON files (created_at) WHERE NOT kept;

-- Files on their way in. What has come lies in the folder "uploads".
CREATE TABLE uploads (
    id         TEXT COLLATE "C"   NOT NULL PRIMARY KEY,
    kind       TEXT COLLATE "C"   NOT NULL,
    place      BIGINT NOT NULL,
    owner_id   BIGINT NOT NULL REFERENCES accounts (id),
    space_id   BIGINT,
    name       TEXT COLLATE "C"   NOT NULL,
    size       BIGINT NOT NULL,
    file_id    BIGINT, -- once it is all there
    expires_at BIGINT NOT NULL
);
CREATE INDEX uploads_by_expiry ON uploads (expires_at);
CREATE INDEX uploads_of_account ON uploads (owner_id) WHERE file_id IS NULL;

-- Bytes that accounts and spaces have used, uploads on their way included.
CREATE TABLE storage_used (
    scope      TEXT COLLATE "C"   NOT NULL CHECK (scope IN ('account', 'space')),
    id         BIGINT NOT NULL,
    bytes      BIGINT NOT NULL,
    PRIMARY KEY (scope, id)
);
