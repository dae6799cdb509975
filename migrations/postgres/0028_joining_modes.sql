-- How a space is joined, besides by invitations.
ALTER TABLE spaces ADD COLUMN joining TEXT COLLATE "C" NOT NULL DEFAULT 'invitation'
    CHECK (joining IN ('invitation', 'open', 'approval', 'password'));
ALTER TABLE spaces ADD COLUMN join_password TEXT COLLATE "C"; -- a PHC string, Argon2id; NULL: none was set
-- Whether guests may become members by signing up.
ALTER TABLE spaces ADD COLUMN guests_may_stay BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX spaces_by_joining ON spaces (joining) WHERE joining <> 'invitation';

-- What members accept before they write; empty: nothing.
ALTER TABLE spaces ADD COLUMN rules TEXT COLLATE "C" NOT NULL DEFAULT '';
-- When the rules were changed last: whoever accepts says which ones were read.
ALTER TABLE spaces ADD COLUMN rules_at BIGINT NOT NULL DEFAULT 0;
-- What the page says that members see after joining.
ALTER TABLE spaces ADD COLUMN welcome TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE TABLE welcome_rooms (
    space_id BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    room_id  BIGINT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    PRIMARY KEY (space_id, room_id)
);
CREATE INDEX welcome_rooms_of_room ON welcome_rooms (room_id);

-- Who asks to join a space. A row goes when it is accepted or taken back.
CREATE TABLE join_requests (
    id          BIGINT NOT NULL PRIMARY KEY,
    space_id    BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    account_id  BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    words       TEXT COLLATE "C" NOT NULL,
    at          BIGINT NOT NULL,
    declined_at BIGINT,                  -- NULL: nobody has answered yet
    answer      TEXT COLLATE "C" NOT NULL DEFAULT '',
    UNIQUE (space_id, account_id)
);
CREATE INDEX open_join_requests ON join_requests (space_id, id) WHERE declined_at IS NULL;
CREATE INDEX join_requests_of_account ON join_requests (account_id);

-- What a link makes of people: members, or guests.
ALTER TABLE invites ADD COLUMN kind TEXT COLLATE "C" NOT NULL DEFAULT 'member'
    CHECK (kind IN ('member', 'guest'));
-- When a guest's account ends; NULL: it is no guest's.
ALTER TABLE accounts ADD COLUMN guest_until BIGINT;
CREATE INDEX accounts_of_guests ON accounts (guest_until) WHERE guest_until IS NOT NULL;
CREATE INDEX members_who_are_guests ON members (space_id) WHERE guest;

-- Whether anybody may make an account, and which accounts were made so.
ALTER TABLE installation ADD COLUMN open_registration BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE accounts ADD COLUMN registered BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX accounts_registered ON accounts (created_at) WHERE registered;
