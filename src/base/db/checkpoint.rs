//! Checkpoints of SQLite's write-ahead log, on a connection of their own.

use std::time::Duration;

use sqlx::{Connection, SqliteConnection};
use tokio::sync::watch;

/// Writes between two checkpoints while busy; a post is about six pages.
const CHECKPOINT_WRITES: u64 = 500;
/// From the first write after a checkpoint to the next one.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(10);
/// Of 4 KiB. Past them the log is truncated.
const MAX_WAL_PAGES: i64 = 4_096;

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

/// Moves the whole log into the file and truncates it.
pub(super) async fn truncate(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    checkpoint(connection, "PRAGMA wal_checkpoint(TRUNCATE)")
        .await
        .map(drop)
}

/// Checkpoints the write-ahead log on a connection of its own, so that no commit does that work,
/// and truncates it past [`MAX_WAL_PAGES`]. Truncating blocks writers: it waits shortly for readers
/// that are in its way and is tried again later. `written` counts writes; it ends with the writer.
pub(super) async fn checkpoint_repeatedly(
    mut connection: SqliteConnection,
    mut written: watch::Receiver<u64>,
) {
    let (mut done, mut is_too_long) = (0, false);
    loop {
        // A log that is still too long is tried again without a further write.
        if !is_too_long && written.changed().await.is_err() {
            break;
        }
        let enough = written.wait_for(|count| count - done >= CHECKPOINT_WRITES);
        if let Ok(Err(_)) = tokio::time::timeout(CHECKPOINT_INTERVAL, enough).await {
            break;
        }
        done = *written.borrow_and_update();
        is_too_long = match checkpoint(&mut connection, "PRAGMA wal_checkpoint(PASSIVE)").await {
            // The passive checkpoint has moved most pages without blocking; few are left to this
            // one.
            Ok(log) if log.pages > MAX_WAL_PAGES => {
                let truncated =
                    checkpoint(&mut connection, "PRAGMA wal_checkpoint(TRUNCATE)").await;
                truncated.is_ok_and(|log| log.busy)
            }
            Ok(_) => false,
            Err(error) => {
                tracing::warn!(%error, "the write-ahead log could not be checkpointed; retrying");
                false
            }
        };
    }
    drop(connection.close().await);
}
