-- The token of the link for the setup, the same for all servers on a shared database. One row from
-- the first start until the setup; none on SQLite, whose server makes a token at each start.
CREATE TABLE setup_tokens (
    one   BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    token TEXT   NOT NULL
);
