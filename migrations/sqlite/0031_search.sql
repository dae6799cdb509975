-- The search index: the words and facets of what can be found, without the texts. What makes the
-- words (`engine/search/words.rs`) leaves nothing but letters, digits and signs of facets.
CREATE VIRTUAL TABLE search_index USING fts5(
    words, content='', contentless_delete=1, tokenize="ascii tokenchars '='", prefix='1 2 3'
);

-- What changed since the index took it in.
CREATE TABLE search_queue (
    id     INTEGER NOT NULL PRIMARY KEY,
    source TEXT    NOT NULL,
    item   BIGINT  NOT NULL
);

-- How far the index has taken in what was there before it.
CREATE TABLE search_progress (
    source      TEXT   NOT NULL PRIMARY KEY,
    next_before BIGINT NOT NULL, -- 0: all of it
    added       BIGINT NOT NULL
);

-- What somebody looked for last.
CREATE TABLE recent_searches (
    account_id  BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    query       TEXT   NOT NULL,
    searched_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, query)
);

-- What changed of messages, whoever changed it.
CREATE TRIGGER message_is_searchable AFTER INSERT ON messages
BEGIN INSERT INTO search_queue (source, item) VALUES ('chat.message', NEW.id); END;
CREATE TRIGGER message_is_searched_anew AFTER UPDATE OF body, files, deleted_at ON messages
WHEN OLD.body <> NEW.body OR OLD.files <> NEW.files OR OLD.deleted_at IS NOT NEW.deleted_at
BEGIN INSERT INTO search_queue (source, item) VALUES ('chat.message', NEW.id); END;
CREATE TRIGGER message_is_gone AFTER DELETE ON messages
BEGIN INSERT INTO search_queue (source, item) VALUES ('chat.message', OLD.id); END;
