-- What a message answers.
ALTER TABLE messages ADD COLUMN reply_to BIGINT;
ALTER TABLE held_messages ADD COLUMN reply_to BIGINT;
CREATE INDEX messages_replies ON messages (reply_to) WHERE reply_to IS NOT NULL;

-- Reactions, one row for each person and emoji, and how a message shows them: JSON.
ALTER TABLE messages ADD COLUMN reactions TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE TABLE chat_reactions (
    message_id BIGINT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    emoji      TEXT COLLATE "C" NOT NULL, -- a character, or ":name:" of a space's own
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (message_id, emoji, account_id)
);
CREATE INDEX chat_reactions_of_account ON chat_reactions (account_id);

-- Messages pinned to their rooms.
ALTER TABLE messages ADD COLUMN pinned_at BIGINT;
CREATE INDEX messages_pinned ON messages (room_id, pinned_at) WHERE pinned_at IS NOT NULL;

-- Messages that somebody keeps for themselves.
CREATE TABLE chat_bookmarks (
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    message_id BIGINT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, message_id)
);
CREATE INDEX chat_bookmarks_of_message ON chat_bookmarks (message_id);

-- What a message said before it was edited.
CREATE TABLE chat_versions (
    message_id BIGINT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    revision   BIGINT NOT NULL,
    body       TEXT COLLATE "C" NOT NULL,
    written_at BIGINT NOT NULL,
    PRIMARY KEY (message_id, revision)
);

-- A pin changes what `is:pinned` finds.
DROP TRIGGER message_is_searched_anew ON messages;
CREATE TRIGGER message_is_searched_anew AFTER UPDATE OF body, files, deleted_at, pinned_at
    ON messages FOR EACH ROW WHEN (OLD.body <> NEW.body OR OLD.files <> NEW.files
        OR OLD.deleted_at IS DISTINCT FROM NEW.deleted_at
        OR OLD.pinned_at IS DISTINCT FROM NEW.pinned_at)
    EXECUTE FUNCTION queue_message_for_search();
