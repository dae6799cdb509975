-- Links by which people without an account watch a terminal. Of the secret only its digest is
-- stored.
CREATE TABLE terminal_links (
    id          BIGINT NOT NULL PRIMARY KEY,
    terminal_id BIGINT NOT NULL REFERENCES terminals (id) ON DELETE CASCADE,
    digest      TEXT COLLATE "C" NOT NULL UNIQUE,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX terminal_links_of_terminal ON terminal_links (terminal_id);
