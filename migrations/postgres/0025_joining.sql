-- Headings under which a space lists its rooms.
CREATE TABLE room_categories (
    id         BIGINT NOT NULL PRIMARY KEY,
    space_id   BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    name       TEXT COLLATE "C"   NOT NULL,
    position   BIGINT NOT NULL, -- lower is above
    created_at BIGINT NOT NULL
);
CREATE INDEX room_categories_of_space ON room_categories (space_id, position);

-- The heading a room stands under; NULL: above all of them.
ALTER TABLE rooms ADD COLUMN category_id BIGINT REFERENCES room_categories (id) ON DELETE SET NULL;
-- Lower is above; equal ones are listed by name.
ALTER TABLE rooms ADD COLUMN position BIGINT NOT NULL DEFAULT 0;
CREATE INDEX rooms_of_category ON rooms (category_id) WHERE category_id IS NOT NULL;

-- The role that who joins through an invitation gets.
ALTER TABLE invites ADD COLUMN role_id BIGINT REFERENCES roles (id) ON DELETE SET NULL;
CREATE INDEX invites_of_role ON invites (role_id) WHERE role_id IS NOT NULL;
