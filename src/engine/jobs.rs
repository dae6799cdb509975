//! Background jobs. A job is a row written in the transaction of its cause (a transactional
//! outbox): it exists exactly if that transaction commits, and survives a restart. `docs/jobs.md`
//! is the guide for modules.
//!
//! Delivery is **at least once**: after a crash a job runs again. An effect that must happen
//! exactly once is written with [`Run::settle`], in the transaction that ends the job.

mod backoff;
mod changes;
mod kind;
mod new_job;
mod outcome;
mod overview;
mod rate;
mod run;
mod runner;
mod schedule;
mod store;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::id;
pub use changes::{FEED, JobsChanged};
pub(super) use changes::{presenter, publish_changes};
pub(super) use kind::Handler;
pub use kind::{Failure, JobKind, JobSpec, Settled};
pub use new_job::NewJob;
pub use overview::{Failed, KindView, Overview, Running};
use run::Progress;
pub use run::Run;
pub use schedule::Schedule;
use store::NewRow;

/// The largest payload, in bytes: a payload refers to data by its id instead of carrying it.
pub const MAX_PAYLOAD_BYTES: usize = 64 << 10;

id!(
    /// A job; the same in all its attempts.
    JobId
);

/// The jobs of one server. Cheap to clone.
#[derive(Clone)]
pub struct Jobs(Arc<Inner>);

struct Inner {
    db: Db,
    kinds: BTreeMap<&'static str, JobSpec>,
    state: Mutex<State>,
    /// Wakes the runner: a job may be ready, or the timer has to be set again.
    wake: Notify,
    /// Whether a job was scheduled for later since the runner last read when the next one is due.
    timer_is_stale: AtomicBool,
    /// Whether the server shuts down: no further job begins.
    stopping: watch::Sender<bool>,
    /// Whether the runner has ended, and all its jobs with it.
    stopped: watch::Sender<bool>,
    /// The number of changes to what the host's page shows.
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    /// Kinds that may have waiting jobs: the runner looks for jobs of these only.
    ready: HashSet<&'static str>,
    paused: HashSet<String>,
    running: HashMap<JobId, RunningJob>,
    throughput: HashMap<&'static str, overview::Throughput>,
}

struct RunningJob {
    kind: &'static str,
    attempt: i64,
    since: Micros,
    progress: Arc<Progress>,
    stop: tokio::task::AbortHandle,
}

impl Jobs {
    /// Jobs of these kinds in this database; none begins before [`start`](Self::start).
    ///
    /// # Panics
    /// When two kinds share a name: a programming error.
    pub fn new(db: Db, kinds: impl IntoIterator<Item = JobSpec>) -> Self {
        let mut by_name = BTreeMap::new();
        for kind in kinds {
            let name = kind.name;
            let is_new = by_name.insert(name, kind).is_none();
            assert!(is_new, "the job {name} is declared twice");
        }
        Self(Arc::new(Inner {
            db,
            kinds: by_name,
            state: Mutex::default(),
            wake: Notify::new(),
            timer_is_stale: AtomicBool::new(false),
            stopping: watch::Sender::new(false),
            stopped: watch::Sender::new(true),
            changed: watch::Sender::new(0),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the runner.
    ///
    /// # Panics
    /// When a schedule is for a kind that is not declared: a programming error.
    pub(super) fn start(
        &self,
        handlers: impl IntoIterator<Item = (&'static str, Handler)>,
        schedules: Vec<Schedule>,
    ) {
        for schedule in &schedules {
            assert!(
                self.0.kinds.contains_key(schedule.kind),
                "a schedule for {}, which no module declares",
                schedule.kind
            );
        }
        self.0.stopped.send_replace(false);
        let handlers = handlers.into_iter().collect();
        tokio::spawn(runner::run(self.clone(), handlers, schedules));
    }

    fn kinds(&self) -> &BTreeMap<&'static str, JobSpec> {
        &self.0.kinds
    }

    /// Adds a job in the transaction of its cause. Where one of the same kind and key waits or runs
    /// already, adds nothing and returns the id of that one.
    ///
    /// # Errors
    /// `Internal` for an undeclared kind or a payload of more than [`MAX_PAYLOAD_BYTES`]:
    /// programming errors.
    pub async fn add(&self, tx: &mut Tx, job: NewJob) -> Result<JobId> {
        let payload = job.payload.map_err(anyhow::Error::new)?;
        if !self.kinds().contains_key(job.kind) || payload.len() > MAX_PAYLOAD_BYTES {
            return Err(Error::Internal(anyhow::anyhow!(
                "the job {} is not declared, or its payload of {} bytes too large",
                job.kind,
                payload.len()
            )));
        }
        let row = NewRow {
            kind: job.kind,
            payload,
            key: job.key,
            priority: job.priority,
            delay: job.delay,
            account: job.account,
        };
        let (id, is_new) = store::add(tx, &row, Micros::now()).await?;
        if is_new {
            let (jobs, kind, is_delayed) = (self.clone(), job.kind, job.delay.is_some());
            tx.after_commit(move || {
                if is_delayed {
                    jobs.wake_timer()
                } else {
                    jobs.wake_kind(kind)
                }
            });
        }
        Ok(id)
    }

    /// Like [`add`](Self::add), in a transaction of its own: for jobs without a cause in the
    /// database.
    ///
    /// # Errors
    /// As [`add`](Self::add); `Unavailable`.
    pub async fn add_alone(&self, job: NewJob) -> Result<JobId> {
        let jobs = self.clone();
        self.0
            .db
            .write(async move |tx| jobs.add(tx, job).await)
            .await
    }

    /// Replaces the set of paused kinds. Called from `after_commit`, which runs in the order of
    /// commits, so the last write wins here as in the database.
    fn set_paused(&self, kinds: Vec<String>) {
        self.state().paused = kinds.into_iter().collect();
    }

    /// Has the runner take jobs of this kind.
    fn wake_kind(&self, kind: &'static str) {
        self.state().ready.insert(kind);
        self.0.wake.notify_one();
        self.notify_changed();
    }

    /// Has the runner read again when the next scheduled job is due.
    fn wake_timer(&self) {
        self.0.timer_is_stale.store(true, Ordering::Release);
        self.0.wake.notify_one();
        self.notify_changed();
    }

    /// Has the runner take jobs of every kind.
    fn wake_all(&self) {
        self.state().ready.extend(self.kinds().keys());
        self.0.wake.notify_one();
        self.notify_changed();
    }

    fn notify_changed(&self) {
        self.0.changed.send_modify(|count| *count += 1);
    }

    /// Retries a job that failed permanently, with all its attempts available again.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when another job of its kind and key waits or runs: the failed one is
    /// deleted then.
    pub async fn retry(&self, id: JobId) -> Result<()> {
        let is_waiting = self
            .0
            .db
            .write(async move |tx| store::retry(tx, id, Micros::now()).await)
            .await?;
        self.wake_all();
        if is_waiting {
            Ok(())
        } else {
            Err(Error::Conflict("error-job-replaced"))
        }
    }

    /// Cancels a job: one that waits or failed is deleted, one that runs is aborted at its next
    /// `await`.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn cancel(&self, id: JobId) -> Result<()> {
        self.0
            .db
            .write(async move |tx| store::cancel(tx, id).await)
            .await?;
        if let Some(running) = self.state().running.get(&id) {
            running.stop.abort();
        }
        self.notify_changed();
        Ok(())
    }

    /// Deletes a job that waits, in the transaction that makes it needless. One that runs already
    /// goes on.
    ///
    /// # Errors
    /// The database's.
    pub async fn withdraw(&self, tx: &mut Tx, id: JobId) -> Result<()> {
        store::withdraw(tx, id).await?;
        let jobs = self.clone();
        tx.after_commit(move || jobs.notify_changed());
        Ok(())
    }

    /// How many jobs of a kind wait or run for an account, and for all, each counted up to `max`:
    /// for callers that bound what they add.
    ///
    /// # Errors
    /// The database's.
    pub async fn count_pending(
        &self,
        tx: &mut Tx,
        kind: &'static str,
        account: AccountId,
        max: i64,
    ) -> Result<(i64, i64)> {
        store::count_pending(tx, kind, account, max).await
    }

    /// Pauses or resumes a kind. While it is paused none of its jobs begin; those that run go on.
    ///
    /// # Errors
    /// `NotFound` for a kind that is not declared.
    pub async fn pause(&self, kind: &str, pause: bool) -> Result<()> {
        let kind = self.kinds().get(kind).ok_or(Error::NotFound)?.name;
        let jobs = self.clone();
        let write = self.0.db.write(async move |tx| {
            store::set_paused(tx, kind, pause).await?;
            let paused = store::paused_kinds(tx).await?;
            tx.after_commit(move || jobs.set_paused(paused));
            Ok(())
        });
        write.await?;
        self.wake_kind(kind);
        Ok(())
    }

    /// Begins no further job and waits for running ones. Those that have not ended after `timeout`
    /// are aborted and run again at the next start, without losing an attempt.
    pub async fn stop(&self, timeout: Duration) {
        self.0.stopping.send_replace(true);
        let mut stopped = self.0.stopped.subscribe();
        if tokio::time::timeout(timeout, stopped.wait_for(|stopped| *stopped))
            .await
            .is_ok()
        {
            return;
        }
        let unfinished: Vec<_> = self
            .state()
            .running
            .drain()
            .map(|(id, job)| (id, job.stop))
            .collect();
        tracing::warn!(
            jobs = unfinished.len(),
            "jobs did not end in time; they begin again at the next start"
        );
        unfinished.iter().for_each(|(_, stop)| stop.abort());
        let ids: Vec<_> = unfinished.into_iter().map(|(id, _)| id).collect();
        let requeued = self
            .0
            .db
            .write_queued(async move |tx| store::requeue(tx, &ids).await)
            .await;
        if let Err(error) = requeued {
            tracing::warn!(%error, "jobs that were ended are only noticed at the next start");
        }
    }
}
