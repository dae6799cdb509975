//! The database: writers that commit waiting writes together, and a small pool of readers. SQLite
//! in the data folder, with one writer, or PostgreSQL, with several; `docs/database.md` says how
//! rules hold with several.
//!
//! `query` hides which database it is. A write is an async closure that gets the transaction:
//!
//! ```ignore
//! db.write(async move |tx| {
//!     tx.execute("UPDATE spaces SET name = $2 WHERE id = $1", (space, &name)).await?;
//!     tx.after_commit(move || bus.publish(origin, SpaceRenamed { space, name }));
//!     Ok(())
//! })
//! ```

mod block_on;
mod check;
mod check_postgres;
mod checkpoint;
mod commit;
mod connection;
pub mod copy;
mod instance;
mod named_lock;
mod outage;
mod positions;
mod postgres;
mod query;
mod reserve;
mod sqlite;
#[cfg(test)]
pub(crate) mod tests;
mod text_enum;
mod writer;

use std::path::Path;
use std::sync::Arc;

use crate::base::error::{Error, Result};
use crate::base::settings::Settings;
pub use check::Rule;
pub use commit::Tx;
pub use named_lock::NamedLock;
pub use postgres::Postgres;
pub use query::{Params, Row, Scalar, Sql};
use reserve::SpacePolicy;
pub use sqlite::Sqlite;
use writer::{Policy, QueuePolicy, Writer};

/// A handle to the database. Cheap to clone.
#[derive(Clone)]
pub enum Db {
    /// An embedded SQLite file.
    Sqlite(Sqlite),
    /// A PostgreSQL server.
    Postgres(Arc<Postgres>),
}

/// Prepared statements that a connection keeps: more than the program has.
const MAX_PREPARED_STATEMENTS: usize = 256;

impl Db {
    /// Opens the database that the settings name, or the one in the data folder, which it creates
    /// if needed. Runs the migrations that are new to it.
    ///
    /// # Errors
    /// When it cannot be opened, or a migration fails.
    pub async fn open(settings: &Settings) -> anyhow::Result<Self> {
        Ok(match settings.database.is_empty() {
            true => Self::Sqlite(Sqlite::open(settings).await?),
            false => Self::Postgres(Arc::new(Postgres::open(settings).await?)),
        })
    }

    /// Opens the database of a stopped or running server for reading. Runs no migration; writes
    /// go nowhere.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn open_read_only(settings: &Settings) -> anyhow::Result<Self> {
        Ok(match settings.database.is_empty() {
            true => Self::Sqlite(Sqlite::open_read_only(settings).await?),
            false => Self::Postgres(Arc::new(Postgres::open_read_only(settings).await?)),
        })
    }

    /// An empty database that is dropped with its handle: for reading declarations without a data
    /// folder.
    pub async fn in_memory() -> anyhow::Result<Self> {
        Sqlite::in_memory().await.map(Self::Sqlite)
    }

    /// Whether other servers may write to the same database.
    pub fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Runs `work` in a transaction and returns after its commit. Waiting writes share one commit,
    /// each in a savepoint of its own: an error or a panic in one undoes that one only.
    ///
    /// # Errors
    /// Those of `work`. `Unavailable` at once while `max_waiting_writes` wait (a setting): a client
    /// had better try again than wait. Also when the server is stopping, the commit failed, the
    /// database does not answer, or two transactions waited for one another. `Full` when the disk
    /// is.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static,
    {
        self.write_for(0, work).await
    }

    /// The same for a write to what an id names, such as a room or a space. The writes of a key
    /// commit in the order in which they came; those of other keys may commit beside them, where
    /// the database has several writers. Without a key it is 0.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn write_for<T, F>(&self, key: i64, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static,
    {
        let policy = Policy(QueuePolicy::RefuseWhenFull, SpacePolicy::RefuseWhenFull);
        self.writer(key)?.write(key, policy, work).await
    }

    /// The same for writes that protect people: ending sessions, taking away rights, deleting. They
    /// also work on a full disk, in a reserve that is kept for them, and while the queue is full.
    ///
    /// # Errors
    /// As [`write_queued`](Self::write_queued); `Full` when the reserve is used up, too.
    pub async fn write_protective<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static,
    {
        self.write_protective_for(0, work).await
    }

    /// The same with a key, see [`write_for`](Self::write_for).
    ///
    /// # Errors
    /// As [`write_protective`](Self::write_protective).
    pub async fn write_protective_for<T, F>(&self, key: i64, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static,
    {
        let policy = Policy(QueuePolicy::Wait, SpacePolicy::UseReserve);
        self.writer(key)?.write(key, policy, work).await
    }

    /// The same for writes of the server itself, which no client tries again: waits up to five
    /// seconds for a slot in the queue.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn write_queued<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static,
    {
        let policy = Policy(QueuePolicy::Wait, SpacePolicy::RefuseWhenFull);
        self.writer(0)?.write(0, policy, work).await
    }

    fn writer(&self, key: i64) -> Result<&Writer> {
        match self {
            Self::Sqlite(sqlite) => Ok(&sqlite.writer),
            Self::Postgres(postgres) => postgres.writer(key).ok_or(Error::Unavailable),
        }
    }

    fn writers(&self) -> &[Writer] {
        match self {
            Self::Sqlite(sqlite) => std::slice::from_ref(&sqlite.writer),
            Self::Postgres(postgres) => &postgres.writers,
        }
    }

    /// Runs a read and, on each writer, an empty write, for `/health/ready`.
    ///
    /// # Errors
    /// When one of them fails.
    pub async fn check(&self) -> Result<()> {
        self.execute("SELECT 1", ()).await?;
        let policy = Policy(QueuePolicy::Wait, SpacePolicy::NeedsNone);
        let checks = self.writers().iter();
        let checks = checks.map(|writer| writer.write(0, policy, async |_| Ok(())));
        futures_util::future::try_join_all(checks).await.map(drop)
    }

    /// Finishes waiting writes and closes. SQLite's write-ahead log is moved into the file.
    pub async fn close(&self) {
        futures_util::future::join_all(self.writers().iter().map(Writer::stop)).await;
        match self {
            Self::Sqlite(sqlite) => sqlite.readers.close().await,
            Self::Postgres(postgres) => postgres.readers.close().await,
        }
    }

    /// Copies a snapshot of the database into a new file that only its owner can read: of SQLite
    /// a database file, of PostgreSQL an archive for `pg_restore`.
    ///
    /// # Errors
    /// When the file exists already, there is no database to copy, or `pg_dump` is not installed.
    pub async fn backup(settings: &Settings, to: &Path) -> anyhow::Result<()> {
        anyhow::ensure!(!to.exists(), "{} exists already", to.display());
        match settings.database.is_empty() {
            true => Sqlite::backup(settings, to).await,
            false => Postgres::backup(settings, to).await,
        }
    }
}
