-- When it was deleted: closed at once, it can be brought back for some days, and is erased then.
-- NULL: it is not deleted.
ALTER TABLE spaces ADD COLUMN deleted_at BIGINT;
CREATE INDEX spaces_deleted ON spaces (deleted_at) WHERE deleted_at IS NOT NULL;
ALTER TABLE rooms ADD COLUMN deleted_at BIGINT;
-- The name of a deleted room is free for another one.
DROP INDEX room_names;
CREATE UNIQUE INDEX room_names ON rooms (space_id, name)
    WHERE space_id IS NOT NULL AND archived_at IS NULL AND deleted_at IS NULL;

-- Where the member has the space in the rail, lower is above; NULL: below those, by name.
ALTER TABLE members ADD COLUMN rail_position BIGINT;

-- Whether people without an account read the space, and whether search engines may list it.
ALTER TABLE spaces ADD COLUMN on_web BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE spaces ADD COLUMN web_indexed BOOLEAN NOT NULL DEFAULT FALSE;
-- Whether the room is among those that they read. What else has to hold: see `web_access.rs`.
ALTER TABLE rooms ADD COLUMN on_web BOOLEAN NOT NULL DEFAULT FALSE;
