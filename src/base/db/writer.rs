//! The writer: one task, one connection, group commit.
//!
//! A write waits in a bounded queue. The writer takes what is waiting (up to the batch), runs each
//! in a savepoint, commits once, then runs what was to happen after commit, in commit order, and
//! only then answers. So events leave in the order of the data they tell of, and nobody hears of a
//! write that could still be lost.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use metrics::{counter, gauge, histogram};
use sqlx::{Connection, SqliteConnection};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};

use super::checkpoint;
use crate::base::error::{Error, Result};
use crate::base::telemetry::refused;

const RESERVED_SLOTS: usize = 256; // places beyond the mark, for what the server itself has to keep
// How long a caller waits for a place in the queue.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(5);
/// Writes between two checkpoints while busy: a post is about six pages.
const CHECKPOINT_WRITES: u64 = 500;
/// The longest wait after the first write.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(10);
/// Pages (16 MiB) past which the log is truncated.
const MAX_WAL_PAGES: i64 = 4_096;

type AfterCommit = Box<dyn FnOnce() + Send>;
/// Called with whether the commit held.
type Answer = Box<dyn FnOnce(bool) + Send>;
/// Its future stays on the writer's thread, so it need not be `Send`; that is what lets a write be
/// an async closure.
type Job = Box<dyn for<'t> FnOnce(&'t mut Tx) -> LocalBoxFuture<'t, Done> + Send>;

struct Done {
    keep: bool,
    answer: Answer,
}

enum Order {
    Write(Job),
    Stop(oneshot::Sender<()>),
}

/// A transaction in progress.
pub struct Tx {
    pub(super) connection: SqliteConnection,
    after: Vec<AfterCommit>,
}

impl Tx {
    /// Does `then` right after the commit, before anyone is answered; never if the write is undone.
    /// Must be quick.
    pub fn after_commit(&mut self, then: impl FnOnce() + Send + 'static) {
        self.after.push(Box::new(then));
    }

    async fn run(&mut self, statement: &'static str) -> sqlx::Result<()> {
        sqlx::query(statement)
            .execute(&mut self.connection)
            .await
            .map(drop)
    }
}

/// The queue in front of the writer.
#[derive(Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Order>,
    mark: usize,
}

/// Whose write it is, which matters while many wait.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum QueuePolicy {
    /// A person's, who is better told at once that it cannot be done now.
    RefuseWhenFull,
    /// The server's own, which waits for a place.
    Wait,
}

impl Writer {
    /// `mark` is how many writes may wait before people's are refused. The writer has a thread of
    /// its own: writes run one after the other, and their futures need not be `Send`.
    ///
    /// # Errors
    /// When the thread cannot be had.
    pub(super) fn start(
        connection: SqliteConnection,
        checkpointer: SqliteConnection,
        mark: usize,
        batch: usize,
        wait: Duration,
    ) -> std::io::Result<Self> {
        let (queue, orders) = mpsc::channel(mark + RESERVED_SLOTS);
        let (written, count) = watch::channel(0);
        tokio::spawn(checkpoint_repeatedly(checkpointer, count));
        let tx = Tx {
            connection,
            after: Vec::new(),
        };
        let runtime = Handle::current();
        let run = move || runtime.block_on(work(tx, orders, (batch, wait), written));
        std::thread::Builder::new()
            .name("db-writer".into())
            .spawn(run)?;
        Ok(Self { queue, mark })
    }

    pub(super) async fn write<T, F>(&self, policy: QueuePolicy, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static,
    {
        let waiting = self.queue.max_capacity() - self.queue.capacity();
        gauge!("tidepool_writer_queue").set(waiting as f64);
        if policy == QueuePolicy::RefuseWhenFull && waiting >= self.mark {
            refused("writes");
            return Err(Error::Unavailable);
        }
        let (reply, answered) = oneshot::channel();
        let job: Job = Box::new(move |tx| {
            Box::pin(async move {
                let result = match AssertUnwindSafe(work(tx)).catch_unwind().await {
                    Ok(result) => result,
                    Err(_) => Err(Error::Internal(anyhow!("a write panicked"))),
                };
                let keep = result.is_ok();
                let answer: Answer = Box::new(move |committed| {
                    let result = if keep && !committed {
                        Err(Error::Unavailable)
                    } else {
                        result
                    };
                    // Nobody waiting any more is fine: the write stands.
                    drop(reply.send(result));
                });
                Done { keep, answer }
            })
        });
        self.queue
            .send_timeout(Order::Write(job), QUEUE_TIMEOUT)
            .await
            .map_err(|_| Error::Unavailable)?;
        answered.await.map_err(|_| Error::Unavailable)?
    }

    pub(super) async fn stop(&self) {
        let (stopped, wait) = oneshot::channel();
        if self.queue.send(Order::Stop(stopped)).await.is_ok() {
            drop(wait.await);
        }
    }
}

async fn work(
    mut tx: Tx,
    mut orders: mpsc::Receiver<Order>,
    (batch, wait): (usize, Duration),
    written: watch::Sender<u64>,
) {
    let mut waiting = Vec::with_capacity(batch);
    while orders.recv_many(&mut waiting, batch).await > 0 {
        if !wait.is_zero() && waiting.len() < batch {
            tokio::time::sleep(wait).await;
            while waiting.len() < batch
                && let Ok(order) = orders.try_recv()
            {
                waiting.push(order);
            }
        }
        let mut jobs = Vec::with_capacity(waiting.len());
        let mut stop = None;
        for order in waiting.drain(..) {
            match order {
                Order::Write(job) => jobs.push(job),
                Order::Stop(stopped) => stop = Some(stopped),
            }
        }
        if !jobs.is_empty() {
            let writes = jobs.len() as u64;
            commit_together(&mut tx, jobs).await;
            written.send_modify(|count| *count += writes);
        }
        if let Some(stopped) = stop {
            orders.close();
            if let Err(error) =
                checkpoint(&mut tx.connection, "PRAGMA wal_checkpoint(TRUNCATE)").await
            {
                tracing::warn!(%error, "the log could not be moved into the database file; the next start will do it");
            }
            drop(tx.connection.close().await);
            let _ = stopped.send(());
            return;
        }
    }
}

async fn commit_together(tx: &mut Tx, jobs: Vec<Job>) {
    let started = Instant::now();
    let group = jobs.len();
    // A job that comes alone needs no savepoint: the transaction is its own.
    let alone = group == 1;
    let mut answers = Vec::with_capacity(group);
    if let Err(error) = tx.run("BEGIN IMMEDIATE").await {
        tracing::error!(%error, "a transaction could not begin");
        return; // every reply is dropped here, and its caller told Unavailable
    }
    let mut sound = true;
    for job in jobs {
        // A full disk may have ended the transaction already; going on would begin another that
        // nobody answers for. Jobs that are dropped here are answered Unavailable.
        if !sound {
            break;
        }
        let mark = tx.after.len();
        sound &= alone || tx.run("SAVEPOINT one").await.is_ok();
        let done = job(tx).await;
        if !done.keep {
            tx.after.truncate(mark);
            sound &= alone || (tx.run("ROLLBACK TO one").await.is_ok());
        }
        sound &= alone || tx.run("RELEASE one").await.is_ok();
        answers.push((done.keep, done.answer));
    }
    let keep = sound && answers.iter().any(|(keep, _)| *keep);
    let committed = keep
        && match tx.run("COMMIT").await {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "a commit failed; its writes are undone");
                false
            }
        };
    if !committed {
        // After a failed COMMIT SQLite may or may not have rolled back already.
        drop(tx.run("ROLLBACK").await);
        tx.after.clear();
    }
    for then in tx.after.drain(..) {
        if std::panic::catch_unwind(AssertUnwindSafe(then)).is_err() {
            tracing::error!("what was to happen after a commit panicked");
        }
    }
    for (_, answer) in answers {
        answer(committed);
    }
    counter!("tidepool_writes_total").increment(group as u64);
    histogram!("tidepool_commit_seconds").record(started.elapsed().as_secs_f64());
    histogram!("tidepool_commit_writes").record(group as f64);
}

/// Moves the write-ahead log into the file and starts it anew when it has grown too long, on a
/// connection of its own: no commit does that work. What stands in the way of starting anew is
/// waited for shortly and tried again, because writers wait meanwhile.
async fn checkpoint_repeatedly(
    mut connection: SqliteConnection,
    mut written: watch::Receiver<u64>,
) {
    let (mut done, mut is_too_long) = (0, false);
    loop {
        // After a log that stayed too long nobody needs to write before the next try.
        if !is_too_long && written.changed().await.is_err() {
            break;
        }
        let enough = written.wait_for(|count| count - done >= CHECKPOINT_WRITES);
        if let Ok(Err(_)) = tokio::time::timeout(CHECKPOINT_INTERVAL, enough).await {
            break;
        }
        done = *written.borrow_and_update();
        is_too_long = match checkpoint(&mut connection, "PRAGMA wal_checkpoint(PASSIVE)").await {
            // Most is moved by now; only what was written since is left to the pragma that blocks.
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
