-- What lets `tidepool share` connect for an account. Of a token only its digest is stored.
CREATE TABLE terminal_tokens (
    id         BIGINT NOT NULL PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name       TEXT   NOT NULL,
    digest     TEXT   NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    used_at    BIGINT
);
CREATE INDEX terminal_tokens_of_account ON terminal_tokens (account_id);

-- Terminals that members share in rooms. The instance that its sharer is connected to has it in
-- memory as long as `expires_at` has not passed.
CREATE TABLE terminals (
    id          BIGINT  NOT NULL PRIMARY KEY,
    room_id     BIGINT  NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    account_id  BIGINT  NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    title       TEXT    NOT NULL,
    command     TEXT    NOT NULL,
    started_at  BIGINT  NOT NULL,
    ended_at    BIGINT,
    exit_code   BIGINT,
    locked      BOOLEAN NOT NULL,
    takes_input BOOLEAN NOT NULL,
    recorded    BOOLEAN NOT NULL,
    instance    TEXT    NOT NULL,
    expires_at  BIGINT  NOT NULL
);
CREATE INDEX terminals_of_room ON terminals (room_id, id);
CREATE INDEX terminals_of_account ON terminals (account_id);
CREATE INDEX terminals_open ON terminals (expires_at) WHERE ended_at IS NULL;

-- What somebody is in a terminal beside a viewer, and how many bytes they have typed.
CREATE TABLE terminal_people (
    terminal_id BIGINT  NOT NULL REFERENCES terminals (id) ON DELETE CASCADE,
    account_id  BIGINT  NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    role        TEXT    NOT NULL CHECK (role IN ('viewer', 'typist', 'removed')),
    raised_hand BOOLEAN NOT NULL,
    typed       BIGINT  NOT NULL,
    PRIMARY KEY (terminal_id, account_id)
);
CREATE INDEX terminal_people_of_account ON terminal_people (account_id);

-- Recordings: lines of asciicast v3 in parts.
CREATE TABLE terminal_recordings (
    terminal_id BIGINT NOT NULL REFERENCES terminals (id) ON DELETE CASCADE,
    part        BIGINT NOT NULL,
    lines       TEXT   NOT NULL,
    PRIMARY KEY (terminal_id, part)
);
