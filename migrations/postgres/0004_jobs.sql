-- Work that outlives its cause. A row is deleted when its job is done.
CREATE TABLE jobs (
    id           BIGINT  NOT NULL PRIMARY KEY,
    kind         TEXT COLLATE "C"    NOT NULL,
    key          TEXT COLLATE "C",             -- unique among the jobs of a kind that have not failed for good
    payload      TEXT COLLATE "C"    NOT NULL, -- JSON
    priority     BIGINT  NOT NULL, -- higher goes first
    state        TEXT COLLATE "C"    NOT NULL CHECK (state IN ('waiting', 'later', 'running', 'failed')),
    run_at       BIGINT  NOT NULL, -- of a later one: when it begins to wait
    attempts     BIGINT  NOT NULL, -- begun so far
    leased_until BIGINT  NOT NULL, -- of a running one: believed to run until then
    cancelled    BOOLEAN NOT NULL, -- of a running one: to be ended
    error        TEXT COLLATE "C",             -- what the last attempt failed with
    created_at   BIGINT  NOT NULL,
    changed_at   BIGINT  NOT NULL  -- when it came into its state
);
CREATE INDEX jobs_waiting ON jobs (kind, priority DESC, id) WHERE state = 'waiting';
CREATE INDEX jobs_later ON jobs (run_at) WHERE state = 'later';
CREATE INDEX jobs_running ON jobs (id) WHERE state = 'running';
CREATE INDEX jobs_failed ON jobs (id) WHERE state = 'failed';
CREATE UNIQUE INDEX jobs_by_key ON jobs (kind, key) WHERE key IS NOT NULL AND state <> 'failed';

-- Kinds that were told to pause.
CREATE TABLE job_pauses (
    kind         TEXT COLLATE "C"    NOT NULL PRIMARY KEY
);

-- When each schedule is due next.
CREATE TABLE job_schedules (
    name         TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    cron         TEXT COLLATE "C"    NOT NULL,
    next_at      BIGINT  NOT NULL
);
