//! A lock that another program holds on a server's database.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};

use sqlx::{Connection, SqliteConnection};

use super::{Database, TestServer};

/// While it is held no message can be written. Released at the latest when it is dropped.
pub enum DatabaseLock {
    /// The file's one lock, which every write needs.
    Sqlite(SqliteConnection),
    /// A transaction that has locked the table of messages against writes.
    Postgres(Child),
}

impl TestServer {
    /// Has the writes of messages wait, as they would for another program.
    pub async fn lock_messages(&self) -> DatabaseLock {
        match &self.database {
            Database::Sqlite(file) => {
                let mut other = SqliteConnection::connect(&format!("sqlite://{}", file.display()))
                    .await
                    .expect("it opens");
                sqlx::query("BEGIN IMMEDIATE")
                    .execute(&mut other)
                    .await
                    .expect("the lock is free");
                DatabaseLock::Sqlite(other)
            }
            Database::Postgres(database) => {
                let mut session = database.session();
                let mut psql = session
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .spawn()
                    .expect("psql runs");
                let input = psql.stdin.as_mut().expect("stdin is piped");
                let lock = b"BEGIN; LOCK TABLE messages IN EXCLUSIVE MODE;\n\\echo locked\n";
                input.write_all(lock).expect("psql reads");
                let output = psql.stdout.take().expect("stdout is piped");
                let mut lines = BufReader::new(output).lines().map_while(Result::ok);
                assert!(lines.any(|line| line == "locked"), "the lock is free");
                DatabaseLock::Postgres(psql)
            }
        }
    }
}

impl DatabaseLock {
    /// Gives the lock back.
    pub async fn release(mut self) {
        if let Self::Sqlite(other) = &mut self {
            sqlx::query("ROLLBACK")
                .execute(other)
                .await
                .expect("the lock is given back");
        }
    }
}

impl Drop for DatabaseLock {
    fn drop(&mut self) {
        if let Self::Postgres(psql) = self {
            let _ = psql.kill();
            let _ = psql.wait();
        }
    }
}
