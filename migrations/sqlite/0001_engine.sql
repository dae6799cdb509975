-- Events whose handler failed for good.
CREATE TABLE dead_letters (
    id          BIGINT NOT NULL,
    subscriber  TEXT   NOT NULL,
    topic       TEXT   NOT NULL,
    key         BIGINT NOT NULL,
    actor       BIGINT,
    space       BIGINT,
    event       TEXT   NOT NULL,
    error       TEXT   NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (id, subscriber)
);

-- Schema changes of modules that were added from outside.
CREATE TABLE module_migrations (
    module      TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    applied_at  BIGINT NOT NULL,
    PRIMARY KEY (module, name)
);
