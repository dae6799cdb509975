//! How a server knows that its database is an unfinished copy.

/// The table that is there until the copy is done.
pub(in crate::base::db) const TABLE: &str = "database_copy";

/// What a server says that is started on it.
pub(in crate::base::db) const REFUSAL: &str = "the database is an unfinished copy: run the same \
    tidepool copy-database again, or empty it";
