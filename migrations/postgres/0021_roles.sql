-- What every member of a space may do, where it differs from the defaults: `+name` and `-name`.
ALTER TABLE spaces ADD COLUMN permissions TEXT COLLATE "C" NOT NULL DEFAULT '';

-- Named sets of permissions. A role acts only on what stands below it.
CREATE TABLE roles (
    id           BIGINT  NOT NULL PRIMARY KEY,
    space_id     BIGINT  NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    name         TEXT COLLATE "C"    NOT NULL,
    name_key     TEXT COLLATE "C"    NOT NULL, -- the name as compared
    color        TEXT COLLATE "C"    NOT NULL, -- the name of a colour; empty: none
    position     BIGINT  NOT NULL, -- higher is above
    preset       TEXT COLLATE "C"    CHECK (preset IN ('moderator')), -- whose defaults it follows; NULL: none's
    permissions  TEXT COLLATE "C"    NOT NULL, -- what differs from these: `+name` and `-name`
    self_chosen  BOOLEAN NOT NULL, -- members give it to themselves
    listed_apart BOOLEAN NOT NULL, -- its members stand under a heading of their own
    created_at   BIGINT  NOT NULL,
    UNIQUE (space_id, name_key)
);

CREATE TABLE member_roles (
    space_id   BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    role_id    BIGINT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    PRIMARY KEY (space_id, account_id, role_id),
    FOREIGN KEY (space_id, account_id) REFERENCES members (space_id, account_id) ON DELETE CASCADE
);
CREATE INDEX member_roles_by_role ON member_roles (role_id, account_id);

-- A guest reads, and nothing else.
ALTER TABLE members ADD COLUMN guest BOOLEAN NOT NULL DEFAULT FALSE;
-- Whether the rules of the space are yet to be accepted: only reads until then.
ALTER TABLE members ADD COLUMN pending BOOLEAN NOT NULL DEFAULT FALSE;
-- Only reads until then.
ALTER TABLE members ADD COLUMN timed_out_until BIGINT;
CREATE INDEX members_timed_out ON members (timed_out_until) WHERE timed_out_until IS NOT NULL;

ALTER TABLE rooms ADD COLUMN kind TEXT COLLATE "C" NOT NULL DEFAULT 'text'
    CHECK (kind IN ('text', 'announcement'));
ALTER TABLE rooms ADD COLUMN read_only BOOLEAN NOT NULL DEFAULT FALSE;

-- What a room allows or denies: to a role, to an account, or, with neither, to every member.
CREATE TABLE room_overrides (
    id         BIGINT NOT NULL PRIMARY KEY,
    room_id    BIGINT NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    role_id    BIGINT REFERENCES roles (id) ON DELETE CASCADE,
    account_id BIGINT REFERENCES accounts (id) ON DELETE CASCADE,
    allowed    TEXT COLLATE "C"   NOT NULL, -- names of permissions
    denied     TEXT COLLATE "C"   NOT NULL,
    CHECK (role_id IS NULL OR account_id IS NULL)
);
CREATE UNIQUE INDEX room_overrides_by_subject
    ON room_overrides (room_id, (COALESCE(role_id, 0)), (COALESCE(account_id, 0)));
CREATE INDEX room_overrides_of_role ON room_overrides (role_id) WHERE role_id IS NOT NULL;
CREATE INDEX room_overrides_of_account ON room_overrides (account_id) WHERE account_id IS NOT NULL;

-- Administrative acts. Without foreign keys: it outlives what it tells of.
CREATE TABLE audit_log (
    id         BIGINT NOT NULL PRIMARY KEY,
    space_id   BIGINT,          -- NULL: the whole server
    actor_id   BIGINT,          -- NULL: the server itself
    act        TEXT COLLATE "C"   NOT NULL, -- `member.banned`
    subject_id BIGINT,          -- the account, room, role … it was done to
    subject    TEXT COLLATE "C"   NOT NULL, -- what that was called then; empty for accounts
    before     TEXT COLLATE "C"   NOT NULL, -- JSON; empty: nothing
    after      TEXT COLLATE "C"   NOT NULL,
    at         BIGINT NOT NULL
);
CREATE INDEX audit_log_of_space ON audit_log (space_id, id);
CREATE FUNCTION refuse_audit_log_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION refuse_audit_log_change();
CREATE TRIGGER audit_log_is_not_truncated BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_log_change();
