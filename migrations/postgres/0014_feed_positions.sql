-- The newest position of each feed with events: taken in the transaction that causes the event.
CREATE TABLE feed_positions (
    feed     TEXT COLLATE "C"   NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL
);
