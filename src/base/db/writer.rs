//! The writer: one task, one connection, group commit.
//!
//! A write waits in a bounded queue. The writer takes the waiting ones, up to a batch, runs each in
//! a savepoint, commits once, runs the `after_commit` callbacks in the order of the writes, and
//! only then returns their results. So events are published in the order of their data, and nobody
//! is told of a write that could still be lost.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use anyhow::anyhow;
use futures_util::FutureExt;
use metrics::gauge;
use sqlx::{Connection, SqliteConnection};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};

use super::block_on::block_on;
use super::checkpoint;
use super::commit::{Answer, Commit, Done, Job, Run, Step, Tx, commit_together, refuse_when_full};
use super::reserve::{Reserve, SpacePolicy};
use crate::base::error::{Error, Result};
use crate::base::telemetry::refused;

/// Slots of the queue beyond `max_waiting_writes`, for writes of the server itself.
const RESERVED_SLOTS: usize = 256;
/// For a caller to wait for a slot in the queue.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(5);
/// Writes between two checkpoints while busy; a post is about six pages.
const CHECKPOINT_WRITES: u64 = 500;
/// From the first write after a checkpoint to the next one.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(10);
/// Of 4 KiB. Past them the log is truncated.
const MAX_WAL_PAGES: i64 = 4_096;

enum Command {
    Write(Job),
    Stop(oneshot::Sender<()>),
}

/// The queue in front of the writer.
#[derive(Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Command>,
    max_waiting: usize,
}

/// What happens to a write while the queue is full.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum QueuePolicy {
    /// It fails at once with `Unavailable`: its client can try again.
    RefuseWhenFull,
    /// It waits for a slot: nobody else would try again.
    Wait,
}

impl Writer {
    /// A writer with a thread of its own, for `max_waiting` writes besides the server's own. It
    /// commits up to `batch` of them together, and waits `wait` for more.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(super) fn start(
        (connection, checkpointer): (SqliteConnection, SqliteConnection),
        reserve: Reserve,
        max_waiting: usize,
        batch: usize,
        wait: Duration,
    ) -> std::io::Result<Self> {
        let (queue, commands) = mpsc::channel(max_waiting + RESERVED_SLOTS);
        let (written, count) = watch::channel(0);
        tokio::spawn(checkpoint_repeatedly(checkpointer, count));
        let tx = Tx::new(connection, reserve);
        let runtime = Handle::current();
        let run = move || {
            let _context = runtime.enter();
            block_on(work(tx, commands, (batch, wait), written));
        };
        std::thread::Builder::new()
            .name("db-writer".into())
            .spawn(run)?;
        Ok(Self { queue, max_waiting })
    }

    pub(super) async fn write<T, F>(
        &self,
        policy: QueuePolicy,
        space: SpacePolicy,
        work: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static,
    {
        let waiting = self.queue.max_capacity() - self.queue.capacity();
        gauge!("tidepool_writer_queue").set(waiting as f64);
        if policy == QueuePolicy::RefuseWhenFull && waiting >= self.max_waiting {
            refused("writes");
            return Err(Error::Unavailable);
        }
        let (reply, answered) = oneshot::channel();
        let run: Run = Box::new(move |step| {
            Box::pin(async move {
                let result = match step {
                    Step::Run(tx) => AssertUnwindSafe(work(tx))
                        .catch_unwind()
                        .await
                        .unwrap_or_else(|_| Err(Error::Internal(anyhow!("a write panicked")))),
                    Step::Refuse(error) => Err(error),
                };
                let keep = result.is_ok();
                let answer: Answer = Box::new(move |commit| {
                    let result = if keep && commit != Commit::Done {
                        Err(commit.error())
                    } else {
                        result
                    };
                    // The caller may be gone; the write is done all the same.
                    drop(reply.send(result));
                });
                Done { keep, answer }
            })
        });
        self.queue
            .send_timeout(Command::Write(Job { space, run }), QUEUE_TIMEOUT)
            .await
            .map_err(|_| Error::Unavailable)?;
        answered.await.map_err(|_| Error::Unavailable)?
    }

    pub(super) async fn stop(&self) {
        let (stopped, wait) = oneshot::channel();
        if self.queue.send(Command::Stop(stopped)).await.is_ok() {
            drop(wait.await);
        }
    }
}

async fn work(
    mut tx: Tx,
    mut commands: mpsc::Receiver<Command>,
    (batch, wait): (usize, Duration),
    written: watch::Sender<u64>,
) {
    let mut waiting = Vec::with_capacity(batch);
    while commands.recv_many(&mut waiting, batch).await > 0 {
        if !wait.is_zero() && waiting.len() < batch {
            tokio::time::sleep(wait).await;
            while waiting.len() < batch
                && let Ok(command) = commands.try_recv()
            {
                waiting.push(command);
            }
        }
        let mut jobs = Vec::with_capacity(waiting.len());
        let mut stop = None;
        for command in waiting.drain(..) {
            match command {
                Command::Write(job) => jobs.push(job),
                Command::Stop(stopped) => stop = Some(stopped),
            }
        }
        if !jobs.is_empty() {
            let writes = jobs.len() as u64;
            let jobs = refuse_when_full(&mut tx.reserve, jobs).await;
            commit_together(&mut tx, jobs).await;
            written.send_modify(|count| *count += writes);
        }
        if let Some(stopped) = stop {
            commands.close();
            if let Err(error) =
                checkpoint(&mut tx.connection, "PRAGMA wal_checkpoint(TRUNCATE)").await
            {
                tracing::warn!(%error, "the log was not moved into the file; the next start will");
            }
            drop(tx.connection.close().await);
            let _ = stopped.send(());
            return;
        }
    }
}

/// Checkpoints the write-ahead log on a connection of its own, so that no commit does that work,
/// and truncates it past [`MAX_WAL_PAGES`]. Truncating blocks writers: it waits shortly for readers
/// that are in its way and is tried again later.
async fn checkpoint_repeatedly(
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
