//! The database: one writer that groups waiting writes into one commit, and a small pool of
//! readers.
//!
//! `Db` is an enum so that a second database is a second arm, not a second program; `query` hides
//! the arms. A write is an async closure that gets the transaction:
//!
//! ```ignore
//! db.write(async move |tx| {
//!     tx.execute("UPDATE spaces SET name = $2 WHERE id = $1", (space, &name)).await?;
//!     tx.after_commit(move || bus.publish(origin, SpaceRenamed { space, name }));
//!     Ok(())
//! })
//! ```

mod query;
#[cfg(test)]
pub(crate) mod tests;
mod writer;

use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};

use crate::base::error::Result;
use crate::base::settings::Settings;
pub use query::{Params, Row, Scalar};
pub use writer::Tx;
use writer::{QueuePolicy, Writer};

/// A handle to the database. Cheap to clone.
#[derive(Clone)]
pub enum Db {
    /// An embedded SQLite file.
    Sqlite(Sqlite),
}

/// The SQLite arm: a pool of read-only connections beside the one that writes.
#[derive(Clone)]
pub struct Sqlite {
    readers: SqlitePool,
    writer: Writer,
}

// Statements a connection keeps prepared; more than the program has.
/// How long a checkpoint that blocks writers waits for readers.
const CHECKPOINT_TIMEOUT: Duration = Duration::from_millis(100);
const STATEMENT_CACHE: usize = 256;
// Rows a connection's thread may be ahead: a page of 50 crosses threads once.
const ROW_BUFFER: usize = 256;

impl Db {
    /// Opens (or makes) the database in the data folder and runs the migrations that are new to it.
    pub async fn open(settings: &Settings) -> anyhow::Result<Self> {
        let path = settings.data.join("tidepool.sqlite");
        let mut connection = options(&path)
            .create_if_missing(true)
            .connect()
            .await
            .with_context(|| format!("cannot open {}", path.display()))?;
        sqlx::migrate!("migrations/sqlite")
            .run(&mut connection)
            .await
            .context("a migration failed; nothing was started")?;
        let readers = SqlitePoolOptions::new()
            .max_connections(settings.readers)
            .min_connections(1)
            .acquire_timeout(Duration::from_secs(5))
            .test_before_acquire(false)
            .connect_with(reading(&path))
            .await?;
        let checkpointer = options(&path)
            .busy_timeout(CHECKPOINT_TIMEOUT)
            .connect()
            .await?;
        let wait = Duration::from_micros(settings.write_wait_micros);
        let writer = Writer::start(
            connection,
            checkpointer,
            settings.max_waiting_writes,
            settings.write_batch,
            wait,
        )?;
        Ok(Self::Sqlite(Sqlite { readers, writer }))
    }

    /// An empty database that is gone with its handle: for looking at declarations without a data
    /// folder.
    pub async fn in_memory() -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new().in_memory(true);
        let writer = Writer::start(
            options.connect().await?,
            options.connect().await?,
            1,
            1,
            Duration::ZERO,
        )?;
        Ok(Self::Sqlite(Sqlite {
            readers: SqlitePoolOptions::new().connect_lazy_with(options),
            writer,
        }))
    }

    /// Runs `work` in a transaction and answers after its commit. Several waiting writes share one
    /// commit, each in a savepoint of its own: an error or a panic in one undoes that one only.
    ///
    /// Answers `Unavailable` at once while too many writes wait (setting `max_waiting_writes`), and
    /// when the server is stopping: who asked is told to come back rather than kept waiting, and
    /// reads go on.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static,
    {
        match self {
            Self::Sqlite(sqlite) => sqlite.writer.write(QueuePolicy::RefuseWhenFull, work).await,
        }
    }

    /// The same for what cannot be asked to come back: it waits up to five seconds for a place in
    /// the queue.
    pub async fn write_queued<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static,
    {
        match self {
            Self::Sqlite(sqlite) => sqlite.writer.write(QueuePolicy::Wait, work).await,
        }
    }

    /// Whether a read and an empty write both answer: what `/health/ready` asks.
    pub async fn answers(&self) -> Result<()> {
        self.execute("SELECT 1", ()).await?;
        self.write_queued(async |_| Ok(())).await
    }

    /// Finishes waiting writes, moves the log into the file and closes.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(sqlite) => {
                sqlite.writer.stop().await;
                sqlite.readers.close().await;
            }
        }
    }

    /// Copies the database, as it stands at one moment, into a new file that only its owner can
    /// read.
    ///
    /// # Errors
    /// When the file exists already, or there is no database to copy.
    pub async fn backup(settings: &Settings, to: &Path) -> anyhow::Result<()> {
        anyhow::ensure!(!to.exists(), "{} exists already", to.display());
        let path = settings.data.join("tidepool.sqlite");
        let mut connection = reading(&path)
            .connect()
            .await
            .with_context(|| format!("cannot open {}", path.display()))?;
        let name = to.to_str().context("the file's name is not UTF-8")?;
        std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(to)?;
        sqlx::query("VACUUM INTO $1")
            .bind(name)
            .execute(&mut connection)
            .await?;
        connection.close().await?;
        Ok(())
    }

    /// Checks the file of a stopped or running server: structure, then references between rows.
    /// Empty means sound.
    pub async fn problems(settings: &Settings) -> anyhow::Result<Vec<String>> {
        let path = settings.data.join("tidepool.sqlite");
        let mut connection = reading(&path)
            .connect()
            .await
            .with_context(|| format!("cannot open {}", path.display()))?;
        let mut found: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check")
            .fetch_all(&mut connection)
            .await?;
        found.retain(|line| line != "ok");
        let orphans: Vec<(String, Option<i64>, String, i64)> =
            sqlx::query_as("PRAGMA foreign_key_check")
                .fetch_all(&mut connection)
                .await?;
        found.extend(orphans.into_iter().map(|(table, row, parent, _)| {
            format!(
                "{table} row {} points to a row of {parent} that is not there",
                row.unwrap_or_default()
            )
        }));
        connection.close().await?;
        Ok(found)
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .statement_cache_capacity(STATEMENT_CACHE)
        .row_buffer_size(ROW_BUFFER)
        // The checkpointer moves the log in the background; a commit never has to.
        .pragma("wal_autocheckpoint", "0")
        .pragma("temp_store", "MEMORY")
        .disable_statement_logging()
}

/// For connections that only read: they leave the file's journal mode as it is, whoever wrote it.
fn reading(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(Duration::from_secs(5))
        .statement_cache_capacity(STATEMENT_CACHE)
        .row_buffer_size(ROW_BUFFER)
        .pragma("temp_store", "MEMORY")
        .disable_statement_logging()
}

/// The write-ahead log after a checkpoint.
struct WalState {
    /// Whether a reader or writer kept the checkpoint from completing.
    busy: bool,
    /// Pages in the log.
    pages: i64,
}

async fn checkpoint(
    connection: &mut SqliteConnection,
    pragma: &'static str,
) -> sqlx::Result<WalState> {
    let (busy, pages, _moved): (i64, i64, i64) =
        sqlx::query_as(pragma).fetch_one(connection).await?;
    Ok(WalState {
        busy: busy != 0,
        pages,
    })
}
