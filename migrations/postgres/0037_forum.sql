-- A forum room: its messages are posts, each with a title and the thread that grows from it.
ALTER TABLE rooms DROP CONSTRAINT rooms_kind_check;
ALTER TABLE rooms ADD CONSTRAINT rooms_kind_check
    CHECK (kind IN ('text', 'announcement', 'forum'));

-- The thread of a post is named by its title. Its `last_id` is the post until there is a reply.
ALTER TABLE chat_threads ADD COLUMN is_post BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TABLE chat_tags (
    id       BIGINT NOT NULL PRIMARY KEY,
    room_id  BIGINT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    name     TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL,
    UNIQUE (room_id, name)
);
CREATE TABLE chat_post_tags (
    room_id BIGINT NOT NULL REFERENCES chat_threads (room_id) ON DELETE CASCADE, -- of the post
    tag_id  BIGINT NOT NULL REFERENCES chat_tags (id) ON DELETE CASCADE,
    PRIMARY KEY (room_id, tag_id)
);
CREATE INDEX chat_post_tags_of_tag ON chat_post_tags (tag_id);

-- Of a held message that is a post.
ALTER TABLE held_messages ADD COLUMN title TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE held_messages ADD COLUMN tags TEXT COLLATE "C" NOT NULL DEFAULT ''; -- ids
