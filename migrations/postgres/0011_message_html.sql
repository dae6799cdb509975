-- HTML of messages with highlighted code, which is made once: when they are posted or edited.
ALTER TABLE messages ADD COLUMN html TEXT COLLATE "C";
