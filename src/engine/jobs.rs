//! Jobs: work that outlives its cause. A job is a row, written in the transaction of what caused
//! it, so it is never lost and never done for what did not happen. `docs/jobs.md` says how a module
//! uses them.
//!
//! Every job runs **at least once**: after a crash it runs again. What must happen only once is
//! done with [`Run::settle`], in one transaction with the job's end.

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
use crate::id;
pub(super) use changes::publish_changes;
pub use changes::{FEED, JobsChanged};
pub(super) use kind::Handler;
pub use kind::{Failure, JobKind, JobSpec, Settled};
pub use new_job::NewJob;
pub use overview::{Failed, KindView, Overview, Running};
use run::Progress;
pub use run::Run;
pub use schedule::Schedule;
use store::NewRow;

/// The largest payload, in bytes: a job names what it is about, it does not carry it.
pub const MAX_PAYLOAD_BYTES: usize = 64 << 10;

id!(
    /// A job.
    JobId
);

/// The jobs of one server. Cheap to clone.
#[derive(Clone)]
pub struct Jobs(Arc<Inner>);

struct Inner {
    db: Db,
    kinds: BTreeMap<&'static str, JobSpec>,
    state: Mutex<State>,
    /// Rung when there may be something to begin.
    rung: Notify,
    /// Whether something is put off for later, so that when the next is due has to be asked again.
    soon: AtomicBool,
    /// Whether no more may begin.
    stopping: watch::Sender<bool>,
    /// Whether everything that was begun has ended.
    stopped: watch::Sender<bool>,
    /// Grows with every change that a page shows.
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    /// Kinds of which some may wait.
    ready: HashSet<&'static str>,
    paused: HashSet<String>,
    running: HashMap<JobId, RunningJob>,
    /// Jobs of each kind that were done since the start, with how many of them in each of the last
    /// seconds.
    done: HashMap<&'static str, overview::Throughput>,
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
    /// When two kinds share a name: a mistake of the program.
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
            rung: Notify::new(),
            soon: AtomicBool::new(false),
            stopping: watch::Sender::new(false),
            stopped: watch::Sender::new(true),
            changed: watch::Sender::new(0),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to run what waits, with the handler of each kind.
    ///
    /// # Panics
    /// When a schedule names no kind or no time: a mistake of the program.
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

    /// Adds a job in the transaction of its cause. Nothing when one of its kind and key waits or
    /// runs already: its id.
    ///
    /// # Errors
    /// `Internal` for a kind that no module declares or a payload beyond [`MAX_PAYLOAD_BYTES`]:
    /// mistakes of the program.
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
            after: job.after,
        };
        let (id, fresh) = store::add(tx, &row, Micros::now()).await?;
        if fresh {
            let (jobs, kind, later) = (self.clone(), job.kind, job.after.is_some());
            tx.after_commit(move || {
                if later {
                    jobs.look_soon()
                } else {
                    jobs.ring(kind)
                }
            });
        }
        Ok(id)
    }

    /// The same in a transaction of its own.
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

    /// Called in the order of commits, so that what was read last counts.
    fn are_paused(&self, kinds: Vec<String>) {
        self.state().paused = kinds.into_iter().collect();
    }

    fn ring(&self, kind: &'static str) {
        self.state().ready.insert(kind);
        self.0.rung.notify_one();
        self.note();
    }

    fn look_soon(&self) {
        self.0.soon.store(true, Ordering::Release);
        self.0.rung.notify_one();
        self.note();
    }

    fn ring_all(&self) {
        self.state().ready.extend(self.kinds().keys());
        self.0.rung.notify_one();
        self.note();
    }

    fn note(&self) {
        self.0.changed.send_modify(|count| *count += 1);
    }

    /// Has a job that failed for good tried again, as if for the first time.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when another of its kind and key waits or runs.
    pub async fn retry(&self, id: JobId) -> Result<()> {
        let again = self
            .0
            .db
            .write(async move |tx| store::again(tx, id, Micros::now()).await)
            .await?;
        self.ring_all();
        if again {
            Ok(())
        } else {
            Err(Error::Conflict("error-job-replaced"))
        }
    }

    /// Ends a job: one that waits or failed is forgotten, one that runs is stopped where it next
    /// waits for something.
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
        self.note();
        Ok(())
    }

    /// Lets no job of this kind begin, or lets them begin again. What runs goes on.
    ///
    /// # Errors
    /// `NotFound` for a kind that is not declared.
    pub async fn pause(&self, kind: &str, pause: bool) -> Result<()> {
        let kind = self.kinds().get(kind).ok_or(Error::NotFound)?.name;
        let jobs = self.clone();
        let write = self.0.db.write(async move |tx| {
            store::pause(tx, kind, pause).await?;
            let paused = store::paused(tx).await?;
            tx.after_commit(move || jobs.are_paused(paused));
            Ok(())
        });
        write.await?;
        self.ring(kind);
        Ok(())
    }

    /// Lets no more begin and waits for those that run. Who has not ended `within` begins again at
    /// the next start.
    pub async fn stop(&self, within: Duration) {
        self.0.stopping.send_replace(true);
        let mut stopped = self.0.stopped.subscribe();
        if tokio::time::timeout(within, stopped.wait_for(|stopped| *stopped))
            .await
            .is_ok()
        {
            return;
        }
        let left: Vec<_> = self
            .state()
            .running
            .drain()
            .map(|(id, job)| (id, job.stop))
            .collect();
        tracing::warn!(
            jobs = left.len(),
            "jobs did not end in time; they begin again at the next start"
        );
        left.iter().for_each(|(_, stop)| stop.abort());
        let ids: Vec<_> = left.into_iter().map(|(id, _)| id).collect();
        let given_back = self
            .0
            .db
            .write_queued(async move |tx| store::give_back(tx, &ids).await)
            .await;
        if let Err(error) = given_back {
            tracing::warn!(%error, "jobs that were ended are only noticed at the next start");
        }
    }
}
