//! The SQLite arm: a file in the data folder, one connection that writes and a pool that reads.

use std::fs::{OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};

use super::checkpoint::checkpoint_repeatedly;
use super::copy::unfinished;
use super::positions::POSITION_GAP;
use super::reserve::Reserve;
use super::writer::{Batching, Writer};
use super::{MAX_PREPARED_STATEMENTS, Tx, connection};
use crate::base::settings::Settings;

/// A pool of read-only connections beside the one that writes.
#[derive(Clone)]
pub struct Sqlite {
    pub(super) readers: SqlitePool,
    pub(super) writer: Writer,
}

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// For a checkpoint that blocks writers to wait for readers.
const CHECKPOINT_TIMEOUT: Duration = Duration::from_millis(100);
/// For a statement to wait for a lock of another process, such as a backup.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// For a read to wait for a connection of the pool.
const READER_TIMEOUT: Duration = Duration::from_secs(5);
/// Rows that a connection's thread may read ahead: a page of 50 crosses threads once.
const MAX_BUFFERED_ROWS: usize = 256;

impl Sqlite {
    /// Opens the file in the data folder, creating it if needed, and runs the migrations that are
    /// new to it.
    pub(super) async fn open(settings: &Settings) -> anyhow::Result<Self> {
        let path = settings.data.join("tidepool.sqlite");
        make_private(&path).with_context(|| format!("cannot open {}", path.display()))?;
        let mut writing = options(&path)
            .create_if_missing(true)
            .connect()
            .await
            .with_context(|| format!("cannot open {}", path.display()))?;
        ensure!(
            !has_table(&mut writing, unfinished::TABLE).await?,
            unfinished::REFUSAL
        );
        MIGRATIONS
            .run(&mut writing)
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
        let tx = Tx::new(
            connection::Connection::Sqlite(writing),
            Reserve::open(&settings.data),
        );
        let writer = Writer::start(tx, Batching::of(settings))?;
        tokio::spawn(checkpoint_repeatedly(checkpointer, writer.written()));
        Ok(Self { readers, writer })
    }

    /// Opens the file for reading. Runs no migration; writes go nowhere.
    pub(super) async fn open_read_only(settings: &Settings) -> anyhow::Result<Self> {
        let path = settings.data.join("tidepool.sqlite");
        let readers = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(read_options(&path))
            .await
            .with_context(|| format!("cannot open {}", path.display()))?;
        let in_memory = Self::in_memory().await?;
        Ok(Self {
            readers,
            ..in_memory
        })
    }

    /// An empty database that is dropped with its handle.
    pub(super) async fn in_memory() -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new().in_memory(true);
        let writing = connection::Connection::Sqlite(options.connect().await?);
        let writer = Writer::start(Tx::new(writing, Reserve::none()), Batching::ONE)?;
        Ok(Self {
            readers: SqlitePoolOptions::new().connect_lazy_with(options),
            writer,
        })
    }

    /// Copies a snapshot of the file into a new one that only its owner can read.
    pub(super) async fn backup(settings: &Settings, to: &Path) -> anyhow::Result<()> {
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
        raise_positions(to).await
    }
}

/// Raises the positions of all feeds in a finished backup, see [`POSITION_GAP`].
async fn raise_positions(backup: &Path) -> anyhow::Result<()> {
    const RAISE: &str = "UPDATE feed_positions SET position = position + $1";
    let options = SqliteConnectOptions::new().filename(backup);
    let mut connection = options.connect().await?;
    // A database of an earlier version has none.
    if has_table(&mut connection, "feed_positions").await? {
        sqlx::query(RAISE)
            .bind(POSITION_GAP)
            .execute(&mut connection)
            .await?;
    }
    connection.close().await?;
    Ok(())
}

async fn has_table(connection: &mut SqliteConnection, name: &str) -> sqlx::Result<bool> {
    const COUNT: &str = "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = $1";
    let count: i64 = sqlx::query_scalar(COUNT)
        .bind(name)
        .fetch_one(connection)
        .await?;
    Ok(count > 0)
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

/// Opens a file, which is made if needed, for rows that come in any order: references between them
/// are not checked, and the log is kept short without a checkpointer.
pub(super) async fn open_for_copy(path: &Path) -> anyhow::Result<SqliteConnection> {
    make_private(path)?;
    let options = options(path)
        .foreign_keys(false)
        .pragma("wal_autocheckpoint", "1000");
    Ok(options.connect().await?)
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
pub(super) fn read_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(MAX_PREPARED_STATEMENTS)
        .row_buffer_size(MAX_BUFFERED_ROWS)
        .pragma("temp_store", "MEMORY")
        .disable_statement_logging()
}
