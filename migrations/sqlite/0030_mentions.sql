-- Whom the text of a message mentions, as it was stored: JSON; empty for nobody.
ALTER TABLE messages ADD COLUMN mentions TEXT NOT NULL DEFAULT '';

-- The same for queries. `target_id` is the account, role, group or room; of `here` there is a row
-- for each account that was present.
CREATE TABLE chat_mentions (
    kind       TEXT   NOT NULL CHECK (kind IN ('account', 'role', 'group', 'here', 'room')),
    target_id  BIGINT NOT NULL,
    room_id    BIGINT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    message_id BIGINT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    PRIMARY KEY (kind, target_id, room_id, message_id)
);
CREATE INDEX chat_mentions_of_message ON chat_mentions (message_id);
CREATE INDEX chat_mentions_newest ON chat_mentions (kind, target_id, message_id);
CREATE INDEX chat_mentions_of_room ON chat_mentions (room_id);

-- Groups of a space that can be mentioned, and grant nothing.
CREATE TABLE mention_groups (
    id         BIGINT  NOT NULL PRIMARY KEY,
    space_id   BIGINT  NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    name       TEXT    NOT NULL,
    name_key   TEXT    NOT NULL, -- the name as compared
    is_open    BOOLEAN NOT NULL, -- members join and leave by themselves
    created_at BIGINT  NOT NULL,
    UNIQUE (space_id, name_key)
);

CREATE TABLE mention_group_members (
    group_id   BIGINT NOT NULL REFERENCES mention_groups (id) ON DELETE CASCADE,
    space_id   BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    PRIMARY KEY (group_id, account_id),
    FOREIGN KEY (space_id, account_id) REFERENCES members (space_id, account_id) ON DELETE CASCADE
);
CREATE INDEX mention_group_members_of_member ON mention_group_members (space_id, account_id);
CREATE INDEX mention_group_members_of_account ON mention_group_members (account_id);

CREATE INDEX member_roles_of_account ON member_roles (account_id);

-- How an account is seen by others, besides what its sockets tell.
ALTER TABLE accounts ADD COLUMN presence TEXT NOT NULL DEFAULT 'automatic'
    CHECK (presence IN ('automatic', 'busy', 'invisible'));
ALTER TABLE accounts ADD COLUMN presence_until BIGINT; -- NULL: until it is changed
