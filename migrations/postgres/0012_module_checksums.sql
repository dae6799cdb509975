-- The BLAKE3 digest of a module's migration: an edited one is refused. Empty for those applied earlier.
ALTER TABLE module_migrations ADD COLUMN checksum TEXT COLLATE "C" NOT NULL DEFAULT '';
