CREATE TABLE todo_items (
    id         BIGINT PRIMARY KEY,
    space_id   BIGINT NOT NULL REFERENCES spaces (id) ON DELETE CASCADE,
    author_id  BIGINT NOT NULL,
    client_key TEXT NOT NULL,
    title      TEXT NOT NULL,
    position   BIGINT NOT NULL,
    done       BOOLEAN NOT NULL,
    UNIQUE (space_id, author_id, client_key, title)
)
