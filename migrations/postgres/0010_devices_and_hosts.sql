-- Browsers from which an account has signed in: limits of tries for everybody else pass them.
CREATE TABLE known_devices (
    digest     TEXT COLLATE "C"   NOT NULL, -- SHA-256 of the cookie
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    seen_at    BIGINT NOT NULL,
    PRIMARY KEY (digest, account_id)
);
CREATE INDEX known_devices_of_account ON known_devices (account_id, seen_at);
CREATE INDEX known_devices_by_use ON known_devices (seen_at);

-- The host name under which the server was set up, without its port.
ALTER TABLE installation ADD COLUMN host TEXT COLLATE "C";
