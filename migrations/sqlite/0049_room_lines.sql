-- Lines that nobody wrote tell more than who joined: what other modules have to tell.
ALTER TABLE messages RENAME COLUMN joined TO told;
