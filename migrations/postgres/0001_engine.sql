-- Events whose handler failed for good.
CREATE TABLE dead_letters (
    id          BIGINT NOT NULL,
    subscriber  TEXT COLLATE "C"   NOT NULL,
    topic       TEXT COLLATE "C"   NOT NULL,
    key         BIGINT NOT NULL,
    actor       BIGINT,
    space       BIGINT,
    event       TEXT COLLATE "C"   NOT NULL,
    error       TEXT COLLATE "C"   NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (id, subscriber)
);

-- Schema changes of modules that were added from outside.
CREATE TABLE module_migrations (
    module      TEXT COLLATE "C"   NOT NULL,
    name        TEXT COLLATE "C"   NOT NULL,
    applied_at  BIGINT NOT NULL,
    PRIMARY KEY (module, name)
);
