-- The key by which push services know this server.
CREATE TABLE push_key (
    one         BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    private_key TEXT COLLATE "C" NOT NULL -- PKCS #8 in base64
);

-- Devices that notices are sent to while their pages are closed. One ends with its session.
CREATE TABLE push_devices (
    id         BIGINT NOT NULL PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    session    TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES sessions (digest) ON DELETE CASCADE,
    endpoint   TEXT COLLATE "C" NOT NULL UNIQUE,
    public_key TEXT COLLATE "C" NOT NULL,
    auth       TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX push_devices_of_account ON push_devices (account_id);
