//! Changes of a stopped server's rows.

use std::path::Path;

use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use super::Database;

/// Runs a statement in a SQLite file; how many rows it changed.
pub async fn change_sqlite_rows(file: &Path, sql: &str) -> u64 {
    assert!(file.exists(), "the database is there");
    let mut database = SqliteConnection::connect(&format!("sqlite://{}", file.display()))
        .await
        .expect("it opens");
    let done = sqlx::query(AssertSqlSafe(sql))
        .execute(&mut database)
        .await
        .expect("the rows change");
    database.close().await.expect("it closes");
    done.rows_affected()
}

impl Database {
    /// Runs a statement; how many rows it changed.
    pub fn change_rows(&self, sql: &str) -> u64 {
        let tag = self.execute(sql);
        let count = tag.rsplit(' ').next().and_then(|count| count.parse().ok());
        count.unwrap_or_else(|| panic!("a statement that changes rows, not one answered {tag:?}"))
    }
}
