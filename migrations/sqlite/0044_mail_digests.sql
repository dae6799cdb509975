-- Who wants to be mailed what stayed unread, and when the next mail is due.
CREATE TABLE mail_digests (
    account_id BIGINT NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    every      TEXT NOT NULL CHECK (every IN ('daily', 'weekly')),
    next_at    BIGINT NOT NULL,
    told_up_to BIGINT NOT NULL, -- notices after this one were not mailed yet
    token      TEXT NOT NULL UNIQUE -- of the link that ends the mails
);
CREATE INDEX mail_digests_due ON mail_digests (next_at);
