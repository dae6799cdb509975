//! The writer: one task, one connection, group commit.
//!
//! A write waits in a bounded queue. The writer takes the waiting ones, up to a batch, runs each in
//! a savepoint, commits once, runs the `after_commit` callbacks in the order of the writes, and
//! only then returns their results. So events are published in the order of their data, and nobody
//! is told of a write that could still be lost.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
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

/// Slots of the queue beyond `max_waiting_writes`, for writes of the server itself.
const RESERVED_SLOTS: usize = 256;
/// For a caller to wait for a slot in the queue.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(5);
/// Writes between two checkpoints while busy; a post is about six pages.
const CHECKPOINT_WRITES: u64 = 500;
/// From the first write after a checkpoint to the next one.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(10);
/// For the writer's thread to look for the answer of the connection's thread before it sleeps: a
/// statement takes a fraction of it, a commit to a disk longer.
const SPIN_TIME: Duration = Duration::from_micros(50);
/// Of 4 KiB. Past them the log is truncated.
const MAX_WAL_PAGES: i64 = 4_096;

type AfterCommit = Box<dyn FnOnce() + Send>;
/// Called with whether the commit succeeded.
type Answer = Box<dyn FnOnce(bool) + Send>;
/// Its future stays on the writer's thread and need not be `Send`: so a write can be an async
/// closure.
type Job = Box<dyn for<'t> FnOnce(&'t mut Tx) -> LocalBoxFuture<'t, Done> + Send>;

struct Done {
    keep: bool,
    answer: Answer,
}

enum Command {
    Write(Job),
    Stop(oneshot::Sender<()>),
}

/// A transaction in progress.
pub struct Tx {
    pub(super) connection: SqliteConnection,
    after: Vec<AfterCommit>,
}

impl Tx {
    /// Calls `then` right after the commit, before the write returns; never if the write is undone.
    /// It runs on the writer's thread, so it must not block.
    pub fn after_commit(&mut self, then: impl FnOnce() + Send + 'static) {
        self.after.push(Box::new(then));
    }

    /// Runs the statements of a migration. They must not begin or end a transaction: they are part
    /// of this one.
    ///
    /// # Errors
    /// The database's, of the first statement that fails.
    pub(crate) async fn execute_script(&mut self, sql: &'static str) -> Result<()> {
        sqlx::raw_sql(sql).execute(&mut self.connection).await?;
        Ok(())
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
        connection: SqliteConnection,
        checkpointer: SqliteConnection,
        max_waiting: usize,
        batch: usize,
        wait: Duration,
    ) -> std::io::Result<Self> {
        let (queue, commands) = mpsc::channel(max_waiting + RESERVED_SLOTS);
        let (written, count) = watch::channel(0);
        tokio::spawn(checkpoint_repeatedly(checkpointer, count));
        let tx = Tx {
            connection,
            after: Vec::new(),
        };
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

    pub(super) async fn write<T, F>(&self, policy: QueuePolicy, work: F) -> Result<T>
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
                    // The caller may be gone; the write is done all the same.
                    drop(reply.send(result));
                });
                Done { keep, answer }
            })
        });
        self.queue
            .send_timeout(Command::Write(job), QUEUE_TIMEOUT)
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

/// Drives the writer. It waits for the connection's thread several times in each write, for some
/// microseconds each: a thread that sleeps and is woken each time takes three times as long, so
/// this one looks for [`SPIN_TIME`] before it sleeps. It does not yield meanwhile: beside busy
/// processes that would cost a time slice, milliseconds, for each statement. With a single core
/// it sleeps at once, since nobody could answer.
fn block_on<F: Future>(future: F) -> F::Output {
    let signal = Arc::new(Signal {
        is_set: AtomicBool::new(false),
        thread: std::thread::current(),
    });
    let waker = Waker::from(signal.clone());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let spin_time = if cores > 1 { SPIN_TIME } else { Duration::ZERO };
    let mut future = std::pin::pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        let started = Instant::now();
        while !signal.is_set.swap(false, Ordering::AcqRel) {
            if started.elapsed() < spin_time {
                std::hint::spin_loop();
            } else {
                std::thread::park();
            }
        }
    }
}

/// Wakes the writer's thread.
struct Signal {
    is_set: AtomicBool,
    thread: Thread,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_set.store(true, Ordering::Release);
        self.thread.unpark();
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

async fn commit_together(tx: &mut Tx, jobs: Vec<Job>) {
    let started = Instant::now();
    let group = jobs.len();
    // A single job needs no savepoint: the transaction is its own.
    let is_alone = group == 1;
    let mut answers = Vec::with_capacity(group);
    if let Err(error) = tx.run("BEGIN IMMEDIATE").await {
        tracing::error!(%error, "a transaction could not begin");
        return; // drops every reply: the callers get `Unavailable`
    }
    let mut is_sound = is_alone || tx.run("SAVEPOINT one").await.is_ok();
    let mut is_dirty = false; // whether the savepoint holds an earlier job's changes
    for job in jobs {
        // A full disk may have ended the transaction already; the next statement would begin
        // another. The callers of the jobs that are dropped here get `Unavailable`.
        if !is_sound {
            break;
        }
        if is_dirty && !is_alone {
            // Both in one message to the connection's thread.
            is_sound &= tx.run("RELEASE one; SAVEPOINT one").await.is_ok();
        }
        let callbacks = tx.after.len();
        let done = job(tx).await;
        is_dirty = done.keep;
        if !done.keep {
            tx.after.truncate(callbacks);
            is_sound &= is_alone || tx.run("ROLLBACK TO one").await.is_ok();
        }
        answers.push((done.keep, done.answer));
    }
    let keep = is_sound && answers.iter().any(|(keep, _)| *keep);
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
