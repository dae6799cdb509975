-- What people are told of, once for each cause.
CREATE TABLE notices (
    id         BIGINT NOT NULL PRIMARY KEY,
    kind       TEXT NOT NULL, -- as a module declares it: `chat.mention`
    item       BIGINT NOT NULL, -- what it is about, such as a message
    actor_id   BIGINT REFERENCES accounts (id) ON DELETE SET NULL,
    space_id   BIGINT REFERENCES spaces (id) ON DELETE CASCADE,
    room_id    BIGINT REFERENCES rooms (id) ON DELETE CASCADE,
    href       TEXT NOT NULL,
    text       TEXT NOT NULL,
    recipients TEXT NOT NULL, -- whom it is for: JSON
    told_up_to BIGINT           -- the last account that was told; NULL: all are
);
CREATE INDEX notices_untold ON notices (id) WHERE told_up_to IS NOT NULL;
CREATE INDEX notices_of_item ON notices (item);
CREATE INDEX notices_of_room ON notices (room_id);
CREATE INDEX notices_of_space ON notices (space_id);
CREATE INDEX notices_of_actor ON notices (actor_id);

-- Who was told. What somebody has read of a room, `chat_reads` says, too.
CREATE TABLE notice_recipients (
    account_id BIGINT  NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    item       BIGINT  NOT NULL,
    notice_id  BIGINT  NOT NULL REFERENCES notices (id) ON DELETE CASCADE,
    room_id    BIGINT,
    is_quiet   BOOLEAN NOT NULL, -- it came in quiet hours, or when they did not want to be disturbed
    read_at    BIGINT,
    PRIMARY KEY (account_id, item)
);
CREATE UNIQUE INDEX notice_recipients_newest ON notice_recipients (account_id, notice_id);
CREATE INDEX notice_recipients_unread ON notice_recipients (account_id, room_id)
    WHERE read_at IS NULL;
CREATE INDEX notice_recipients_of_notice ON notice_recipients (notice_id);

-- What an account wants to be told of in a room, or in all rooms of a space.
CREATE TABLE notice_levels (
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    room_id    BIGINT REFERENCES rooms (id) ON DELETE CASCADE,
    space_id   BIGINT REFERENCES spaces (id) ON DELETE CASCADE,
    level      TEXT NOT NULL CHECK (level IN ('all', 'mentions', 'nothing', 'hidden')),
    CHECK ((room_id IS NULL) <> (space_id IS NULL)),
    UNIQUE (account_id, room_id),
    UNIQUE (account_id, space_id)
);
CREATE INDEX notice_levels_of_room ON notice_levels (room_id, level);
CREATE INDEX notice_levels_of_space ON notice_levels (space_id, level);

-- When an account is told without drawing its attention.
CREATE TABLE quiet_hours (
    account_id BIGINT NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    quiet_from BIGINT NOT NULL, -- minutes after midnight, in the account's time zone
    quiet_to   BIGINT NOT NULL
);
