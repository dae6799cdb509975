-- The newest position of each feed with events: taken in the transaction that causes the event.
-- Half-empty pages: the row of a busy room changes with each commit.
CREATE TABLE feed_positions (
    feed     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL
) WITH (fillfactor = 50);
