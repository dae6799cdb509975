//! A writer: one thread, one connection, group commit.
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
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};

use super::block_on::block_on;
use super::commit::{Answer, Commit, Done, Job, Run, Step, Tx, commit_together, refuse_when_full};
use super::reserve::SpacePolicy;
use crate::base::error::{Error, Result};
use crate::base::settings::Settings;
use crate::base::telemetry::refused;

/// Slots of the queue beyond `max_waiting_writes`, for writes of the server itself.
const RESERVED_SLOTS: usize = 256;
/// For a caller to wait for a slot in the queue.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(5);
enum Command {
    Write(Job),
    Stop(oneshot::Sender<()>),
}

/// The queue in front of the writer.
#[derive(Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Command>,
    max_waiting: usize,
    written: watch::Receiver<u64>,
}

/// How many writes wait and are committed together.
#[derive(Clone, Copy)]
pub(super) struct Batching {
    /// Writes that may wait, besides the server's own.
    max_waiting: usize,
    /// Writes that share one commit.
    max_batch: usize,
    /// For a commit to wait for further writes.
    wait: Duration,
}

impl Batching {
    /// One write at a time.
    pub(super) const ONE: Self = Self {
        max_waiting: 1,
        max_batch: 1,
        wait: Duration::ZERO,
    };

    pub(super) fn of(settings: &Settings) -> Self {
        Self {
            max_waiting: settings.max_waiting_writes,
            max_batch: settings.write_batch,
            wait: Duration::from_micros(settings.write_wait_micros),
        }
    }
}

/// What happens to a write while the queue is full.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum QueuePolicy {
    /// It fails at once with `Unavailable`: its client can try again.
    RefuseWhenFull,
    /// It waits for a slot: nobody else would try again.
    Wait,
}

/// What happens to a write while the queue or the disk is full.
#[derive(Clone, Copy)]
pub(super) struct Policy(pub(super) QueuePolicy, pub(super) SpacePolicy);

impl Writer {
    /// A writer with a thread of its own.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(super) fn start(tx: Tx, batching: Batching) -> std::io::Result<Self> {
        let max_waiting = batching.max_waiting;
        let (queue, commands) = mpsc::channel(max_waiting + RESERVED_SLOTS);
        let (count, written) = watch::channel(0);
        let runtime = Handle::current();
        // A connection over the network takes longer to answer than is worth spinning for.
        let may_spin = !tx.has_other_writers();
        let run = move || {
            let _context = runtime.enter();
            block_on(may_spin, work(tx, commands, batching, count));
        };
        std::thread::Builder::new()
            .name("db-writer".into())
            .spawn(run)?;
        Ok(Self {
            queue,
            max_waiting,
            written,
        })
    }

    /// The number of writes so far. Its sender is dropped when the writer stops.
    pub(super) fn written(&self) -> watch::Receiver<u64> {
        self.written.clone()
    }

    pub(super) async fn write<T, F>(
        &self,
        key: i64,
        Policy(queue_policy, space): Policy,
        work: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static,
    {
        let waiting = self.queue.max_capacity() - self.queue.capacity();
        gauge!("tidepool_writer_queue").set(waiting as f64);
        if queue_policy == QueuePolicy::RefuseWhenFull && waiting >= self.max_waiting {
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
            .send_timeout(Command::Write(Job { key, space, run }), QUEUE_TIMEOUT)
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
    batching: Batching,
    written: watch::Sender<u64>,
) {
    let Batching {
        max_batch: batch,
        wait,
        ..
    } = batching;
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
            let mut jobs = refuse_when_full(&mut tx.reserve, jobs).await;
            if tx.has_other_writers() {
                // Every transaction locks rooms and spaces in the order of their ids, so that no
                // two wait for one another. The sort is stable: a key's writes keep their order.
                jobs.sort_by_key(|job| job.key);
            }
            commit_together(&mut tx, jobs).await;
            written.send_modify(|count| *count += writes);
        }
        if let Some(stopped) = stop {
            commands.close();
            tx.connection.close().await;
            let _ = stopped.send(());
            return;
        }
    }
}
