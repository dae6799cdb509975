-- A thread is a room inside another one, whose rules are its own. It has no space, so that nothing
-- that lists the rooms of a space lists it: what space it is in, its parent says.
ALTER TABLE rooms ADD COLUMN parent_id BIGINT REFERENCES rooms (id) ON DELETE CASCADE;
CREATE INDEX rooms_of_parent ON rooms (parent_id) WHERE parent_id IS NOT NULL;

-- What chat keeps of a thread. `origin_id` is the message it grew from, which may be erased before.
CREATE TABLE chat_threads (
    room_id    BIGINT NOT NULL PRIMARY KEY REFERENCES rooms (id) ON DELETE CASCADE,
    parent_id  BIGINT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    origin_id  BIGINT NOT NULL UNIQUE,
    begun_by   BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    is_named   BOOLEAN NOT NULL DEFAULT FALSE, -- people named it: it is not called as its message
    replies    BIGINT NOT NULL DEFAULT 0, -- that are not deleted
    last_id    BIGINT NOT NULL DEFAULT 0  -- the newest reply; 0: none yet
);
CREATE INDEX chat_threads_newest ON chat_threads (parent_id, last_id);

-- Who hears of a thread's replies.
CREATE TABLE chat_thread_followers (
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    room_id    BIGINT NOT NULL REFERENCES chat_threads (room_id) ON DELETE CASCADE,
    PRIMARY KEY (account_id, room_id)
);
CREATE INDEX chat_thread_followers_of_room ON chat_thread_followers (room_id, account_id);
