-- What the links of a message lead to, as it shows them: JSON.
ALTER TABLE messages ADD COLUMN previews TEXT NOT NULL DEFAULT '';

-- The links of messages that were looked up, with the pictures in their previews.
CREATE TABLE message_links (
    message_id BIGINT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    url        TEXT NOT NULL,
    file_id    BIGINT REFERENCES files (id) ON DELETE SET NULL,
    PRIMARY KEY (message_id, url)
);
CREATE INDEX message_links_by_url ON message_links (url);
CREATE INDEX message_links_by_file ON message_links (file_id) WHERE file_id IS NOT NULL;

-- Pages that were fetched for previews, for a while.
CREATE TABLE link_previews (
    url           TEXT NOT NULL PRIMARY KEY,
    page          TEXT NOT NULL,           -- JSON; empty: nothing can be shown
    file_id       BIGINT,                  -- of a message that shows it; it may be gone
    expires_at    BIGINT NOT NULL,
    claimed_by    BIGINT NOT NULL DEFAULT 0, -- the job that fetches it
    claimed_until BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX link_previews_by_expiry ON link_previews (expires_at);
