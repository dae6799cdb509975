-- Tokens that are used once: links in mail, the second step of a sign-in, challenges of passkeys.
CREATE TABLE one_time_tokens (
    digest     TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- SHA-256 of the token
    purpose    TEXT COLLATE "C" NOT NULL,
    account_id BIGINT REFERENCES accounts (id) ON DELETE CASCADE,
    data       TEXT COLLATE "C"   NOT NULL,             -- as the purpose has it, such as a new address
    expires_at BIGINT NOT NULL
);
CREATE INDEX one_time_tokens_of_account ON one_time_tokens (account_id, purpose);
CREATE INDEX one_time_tokens_by_expiry ON one_time_tokens (expires_at);

-- Codes of an authenticator app, asked for after the password.
CREATE TABLE totp_secrets (
    account_id BIGINT  NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    secret     TEXT COLLATE "C" NOT NULL,             -- base32; codes are computed from it
    last_step  BIGINT  NOT NULL,            -- of the code used last: no code is taken twice
    created_at BIGINT  NOT NULL
);

-- Codes that stand in for a lost authenticator, each once.
CREATE TABLE recovery_codes (
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    digest     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (account_id, digest)
);

-- Public keys that sign in without a password (WebAuthn).
CREATE TABLE passkeys (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- the credential's id, base64url
    account_id  BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name        TEXT COLLATE "C"   NOT NULL,
    public_key  TEXT COLLATE "C" NOT NULL,            -- base64url, as its algorithm has it
    algorithm   BIGINT NOT NULL,            -- of COSE: -7 ES256, -8 EdDSA
    sign_count  BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    used_at     BIGINT
);
CREATE INDEX passkeys_of_account ON passkeys (account_id, created_at);

-- Accounts of another sign-in service (OpenID Connect).
CREATE TABLE linked_identities (
    issuer     TEXT COLLATE "C" NOT NULL,
    subject    TEXT COLLATE "C" NOT NULL,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX linked_identities_of_account ON linked_identities (account_id);

-- The network address that a session was used from last.
ALTER TABLE sessions ADD COLUMN address TEXT COLLATE "C" NOT NULL DEFAULT '';

-- A copy of one's data, made by a job: pieces of one JSON document.
CREATE TABLE data_exports (
    account_id BIGINT NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    asked_at   BIGINT NOT NULL,
    ready_at   BIGINT,                      -- NULL while it is being made
    bytes      BIGINT NOT NULL,
    complete   BOOLEAN NOT NULL             -- false: there was more than a copy may hold
);
CREATE TABLE data_export_pieces (
    account_id BIGINT NOT NULL REFERENCES data_exports (account_id) ON DELETE CASCADE,
    number     BIGINT NOT NULL,
    json       TEXT COLLATE "C"   NOT NULL,
    PRIMARY KEY (account_id, number)
);

-- When an account was deleted. Its row remains for what others refer to, without anything of it.
ALTER TABLE accounts ADD COLUMN deleted_at BIGINT;
