-- The space that an account visited last; NULL: its first. Membership is checked when it is read.
ALTER TABLE accounts ADD COLUMN last_space_id BIGINT;
-- Which colours an account chose: light or dark. NULL: those of the device.
ALTER TABLE accounts ADD COLUMN theme TEXT COLLATE "C";

-- Whether a line in a space's first room tells who has joined.
ALTER TABLE spaces ADD COLUMN tells_joins BOOLEAN NOT NULL DEFAULT FALSE;
-- Of such a line: how many joined, and the first names of them. Empty for what people wrote.
ALTER TABLE messages ADD COLUMN joined TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX messages_of_joins ON messages (room_id, id) WHERE joined <> '';
