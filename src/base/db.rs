//! The database: one writer that commits waiting writes together, and a small pool of readers.
//!
//! `Db` is an enum, so that a second database is a second arm; `query` hides the arms. A write is
//! an async closure that gets the transaction:
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
mod commit;
mod positions;
mod query;
mod reserve;
#[cfg(test)]
pub(crate) mod tests;
mod writer;

use std::fs::{OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};

use crate::base::error::Result;
use crate::base::settings::Settings;
pub use check::Rule;
pub use commit::Tx;
pub use query::{Params, Row, Scalar};
use reserve::{Reserve, SpacePolicy};
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

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// For a checkpoint that blocks writers to wait for readers.
const CHECKPOINT_TIMEOUT: Duration = Duration::from_millis(100);
/// For a statement to wait for a lock of another process, such as a backup.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// For a read to wait for a connection of the pool.
const READER_TIMEOUT: Duration = Duration::from_secs(5);
/// Prepared statements that a connection keeps: more than the program has.
const MAX_PREPARED_STATEMENTS: usize = 256;
/// Rows that a connection's thread may read ahead: a page of 50 crosses threads once.
const MAX_BUFFERED_ROWS: usize = 256;

impl Db {
    /// Opens the database in the data folder, creating it if needed, and runs the migrations that
    /// are new to it.
    pub async fn open(settings: &Settings) -> anyhow::Result<Self> {
        let path = settings.data.join("tidepool.sqlite");
        make_private(&path).with_context(|| format!("cannot open {}", path.display()))?;
        let mut connection = options(&path)
            .create_if_missing(true)
            .connect()
            .await
            .with_context(|| format!("cannot open {}", path.display()))?;
        MIGRATIONS
            .run(&mut connection)
            .await
            .context("a migration failed; nothing was started")?;
        let readers = SqlitePoolOptions::new()
            .max_connections(settings.readers)
            .min_connections(1)
            .acquire_timeout(READER_TIMEOUT)
            .test_before_acquire(false)
            .connect_with(read_options(&path))
            .await?;
        let checkpointer = options(&path)
            .busy_timeout(CHECKPOINT_TIMEOUT)
            .connect()
            .await?;
        let wait = Duration::from_micros(settings.write_wait_micros);
        let writer = Writer::start(
            (connection, checkpointer),
            Reserve::open(&settings.data),
            settings.max_waiting_writes,
            settings.write_batch,
            wait,
        )?;
        Ok(Self::Sqlite(Sqlite { readers, writer }))
    }

    /// Opens the database of a stopped or running server for reading. Runs no migration; writes
    /// go nowhere.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub async fn open_read_only(settings: &Settings) -> anyhow::Result<Self> {
        let Self::Sqlite(sqlite) = Self::in_memory().await?;
        let path = settings.data.join("tidepool.sqlite");
        let readers = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(read_options(&path))
            .await
            .with_context(|| format!("cannot open {}", path.display()))?;
        Ok(Self::Sqlite(Sqlite { readers, ..sqlite }))
    }

    /// An empty database that is dropped with its handle: for reading declarations without a data
    /// folder.
    pub async fn in_memory() -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new().in_memory(true);
        let writer = Writer::start(
            (options.connect().await?, options.connect().await?),
            Reserve::none(),
            1,
            1,
            Duration::ZERO,
        )?;
        Ok(Self::Sqlite(Sqlite {
            readers: SqlitePoolOptions::new().connect_lazy_with(options),
            writer,
        }))
    }

    /// Runs `work` in a transaction and returns after its commit. Waiting writes share one commit,
    /// each in a savepoint of its own: an error or a panic in one undoes that one only.
    ///
    /// # Errors
    /// Those of `work`. `Unavailable` at once while `max_waiting_writes` wait (a setting): a client
    /// had better try again than wait. Also when the server is stopping, or the commit failed.
    /// `Full` when the disk is.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static,
    {
        match self {
            Self::Sqlite(Sqlite { writer, .. }) => {
                let (queue, space) = (QueuePolicy::RefuseWhenFull, SpacePolicy::RefuseWhenFull);
                writer.write(queue, space, work).await
            }
        }
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
        match self {
            Self::Sqlite(Sqlite { writer, .. }) => {
                writer
                    .write(QueuePolicy::Wait, SpacePolicy::UseReserve, work)
                    .await
            }
        }
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
        match self {
            Self::Sqlite(Sqlite { writer, .. }) => {
                let (queue, space) = (QueuePolicy::Wait, SpacePolicy::RefuseWhenFull);
                writer.write(queue, space, work).await
            }
        }
    }

    /// Runs a read and an empty write, for `/health/ready`.
    ///
    /// # Errors
    /// When one of them fails.
    pub async fn check(&self) -> Result<()> {
        self.execute("SELECT 1", ()).await?;
        match self {
            Self::Sqlite(Sqlite { writer, .. }) => {
                let (queue, space) = (QueuePolicy::Wait, SpacePolicy::NeedsNone);
                writer.write(queue, space, async |_| Ok(())).await
            }
        }
    }

    /// Finishes waiting writes, moves the write-ahead log into the file and closes.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(sqlite) => {
                sqlite.writer.stop().await;
                sqlite.readers.close().await;
            }
        }
    }

    /// Copies a snapshot of the database into a new file that only its owner can read.
    ///
    /// # Errors
    /// When the file exists already, or there is no database to copy.
    pub async fn backup(settings: &Settings, to: &Path) -> anyhow::Result<()> {
        anyhow::ensure!(!to.exists(), "{} exists already", to.display());
        let path = settings.data.join("tidepool.sqlite");
        let mut connection = read_options(&path)
            .connect()
            .await
            .with_context(|| format!("cannot open {}", path.display()))?;
        let name = to.to_str().context("the file's name is not UTF-8")?;
        OpenOptions::new()
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
}

/// Lets nobody but the server's user read the database, whatever the umask and an earlier version
/// made of it. SQLite gives its log and its index the file's own mode.
fn make_private(path: &Path) -> std::io::Result<()> {
    const MODE: u32 = 0o600;
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(MODE)
        .open(path)?;
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        match std::fs::set_permissions(&file, Permissions::from_mode(MODE)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Options of connections that write.
fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(MAX_PREPARED_STATEMENTS)
        .row_buffer_size(MAX_BUFFERED_ROWS)
        // The checkpointer does that in the background; a commit never has to.
        .pragma("wal_autocheckpoint", "0")
        .pragma("temp_store", "MEMORY")
        .disable_statement_logging()
}

/// Options of connections that only read. They leave the journal mode of the file as it is.
fn read_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(MAX_PREPARED_STATEMENTS)
        .row_buffer_size(MAX_BUFFERED_ROWS)
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
