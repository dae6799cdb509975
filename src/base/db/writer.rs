//! The writer: one task, one connection, group commit.
//!
//! A write waits in a bounded queue. The writer takes what is waiting (up to the batch), runs each
//! in a savepoint, commits once, then runs what was to happen after commit, in commit order, and
//! only then answers. So events leave in the order of the data they tell of, and nobody hears of a
//! write that could still be lost.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use metrics::{counter, gauge, histogram};
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot, watch};

use super::{On, checkpoint};
use crate::base::error::{Error, Result};
use crate::base::telemetry::refused;

const RESERVED_SLOTS: usize = 256; // places beyond the mark, for what the server itself has to keep
// How long a caller waits for a place in the queue.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(5);
const CHECKPOINT_COMMITS: u64 = 500; // commits between checkpoints while busy
const MAX_WAL_PAGES: i64 = 4_096; // pages (16 MiB) after which the log is started anew
// And the longest wait after the first commit.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);

type AfterCommit = Box<dyn FnOnce() + Send>;
/// Called with whether the commit held.
type Answer = Box<dyn FnOnce(bool) + Send>;
type Job = Box<dyn for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Done> + Send>;

struct Done {
    keep: bool,
    answer: Answer,
}

enum Order {
    Write(Job),
    Stop(oneshot::Sender<()>),
}

/// A transaction in progress. Statements run on [`Tx::on`].
pub struct Tx {
    connection: SqliteConnection,
    after: Vec<AfterCommit>,
}

impl Tx {
    /// Where the transaction's statements run.
    pub fn on(&mut self) -> On<&mut SqliteConnection> {
        On::Sqlite(&mut self.connection)
    }

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
    /// `mark` is how many writes may wait before people's are refused.
    pub(super) fn start(
        connection: SqliteConnection,
        checkpointer: SqliteConnection,
        mark: usize,
        batch: usize,
        wait: Duration,
    ) -> Self {
        let (queue, orders) = mpsc::channel(mark + RESERVED_SLOTS);
        let (commits, committed) = watch::channel(0);
        let too_long = Arc::new(AtomicBool::new(false));
        tokio::spawn(keep_log_short(checkpointer, committed, too_long.clone()));
        tokio::spawn(work(
            Tx {
                connection,
                after: Vec::new(),
            },
            orders,
            (batch, wait),
            commits,
            too_long,
        ));
        Self { queue, mark }
    }

    pub(super) async fn write<T, F>(&self, policy: QueuePolicy, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + 'static,
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
                let result = match AssertUnwindSafe(async { work(tx).await })
                    .catch_unwind()
                    .await
                {
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
    commits: watch::Sender<u64>,
    too_long: Arc<AtomicBool>,
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
        if too_long.swap(false, Ordering::Relaxed) {
            // Under steady writing only the writer itself can start the log anew.
            if let Err(error) =
                checkpoint(&mut tx.connection, "PRAGMA wal_checkpoint(RESTART)").await
            {
                tracing::warn!(%error, "the log could not be started anew; it will be tried again");
            }
        }
        if !jobs.is_empty() {
            commit_together(&mut tx, jobs).await;
            commits.send_modify(|count| *count += 1);
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

/// Moves the write-ahead log into the file now and then, on a connection of its own, so that no
/// commit waits for it.
async fn keep_log_short(
    mut connection: SqliteConnection,
    mut committed: watch::Receiver<u64>,
    too_long: Arc<AtomicBool>,
) {
    let mut done = 0;
    while committed.changed().await.is_ok() {
        let enough = committed.wait_for(|count| count - done >= CHECKPOINT_COMMITS);
        let stopped = matches!(
            tokio::time::timeout(CHECKPOINT_EVERY, enough).await,
            Ok(Err(_))
        );
        if stopped {
            break;
        }
        done = *committed.borrow();
        match checkpoint(&mut connection, "PRAGMA wal_checkpoint(PASSIVE)").await {
            Ok(pages) if pages > MAX_WAL_PAGES => too_long.store(true, Ordering::Relaxed),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "the log could not be moved into the database file; it will be tried again")
            }
        }
    }
    drop(connection.close().await);
}
