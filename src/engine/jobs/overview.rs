//! The state of all jobs, as the host's page shows it.

use std::sync::atomic::Ordering;
use std::time::Instant;

pub use super::store::Failed;
use super::store::{self, Counted};
use super::{JobId, JobSpec, Jobs};
use crate::base::clock::Micros;
use crate::base::error::Result;

/// Jobs of one kind and state are counted up to this number, which bounds the cost of the page.
const MAX_COUNTED: i64 = 10_000;
const MAX_RUNNING_SHOWN: usize = 50;
const WINDOW_SECONDS: usize = 60;

/// Successful jobs in each second of the last minute: a ring buffer.
pub(super) struct Throughput {
    started: Instant,
    seconds: [u32; WINDOW_SECONDS],
    /// The newest second in the buffer, counted from `started`.
    newest: u64,
}

impl Default for Throughput {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            seconds: [0; WINDOW_SECONDS],
            newest: 0,
        }
    }
}

impl Throughput {
    pub(super) fn count(&mut self) {
        self.advance();
        self.seconds[self.newest as usize % WINDOW_SECONDS] += 1;
    }

    /// The number of successful jobs in the last minute.
    fn per_minute(&mut self) -> u32 {
        self.advance();
        self.seconds.iter().sum()
    }

    /// Moves the window to the present, clearing the seconds that passed without a count.
    fn advance(&mut self) {
        let now = self.started.elapsed().as_secs();
        for second in (self.newest + 1..=now).take(WINDOW_SECONDS) {
            self.seconds[second as usize % WINDOW_SECONDS] = 0;
        }
        self.newest = now;
    }
}

/// The state of one kind of job. Counts from the database stop at one more than
/// [`counted`](Self::counted) shows.
#[derive(Clone, Debug)]
pub struct KindView {
    /// `module.verb`, as in [`JobSpec::name`](super::JobSpec::name).
    pub name: &'static str,
    /// One sentence: what the job does.
    pub about: &'static str,
    /// Jobs that are due and wait for a free runner.
    pub waiting: i64,
    /// Jobs that are scheduled for later: delayed ones and retries.
    pub later: i64,
    /// Jobs that run in this process.
    pub running: usize,
    /// Jobs that failed permanently.
    pub failed: i64,
    /// Jobs that succeeded in the last minute.
    pub done: u32,
    /// Since when the oldest waiting job waits; nothing when none does.
    pub oldest: Option<Micros>,
    /// Whether the host has paused the kind: no more jobs of it begin.
    pub paused: bool,
}

impl KindView {
    /// A count for display: `10000+` where counting stopped.
    pub fn counted(number: &i64) -> String {
        if *number > MAX_COUNTED {
            format!("{MAX_COUNTED}+")
        } else {
            number.to_string()
        }
    }
}

/// A job that runs in this process.
#[derive(Clone, Debug)]
pub struct Running {
    /// The same in every attempt.
    pub id: JobId,
    /// The name of its kind.
    pub kind: &'static str,
    /// The number of the attempt, counted from 1.
    pub attempt: i64,
    /// When the attempt began.
    pub since: Micros,
    /// Steps done, and steps in total; zero of zero when the handler reports no progress.
    pub progress: (u64, u64),
}

/// The state of all jobs.
#[derive(Clone, Debug)]
pub struct Overview {
    /// Every declared kind, sorted by name.
    pub kinds: Vec<KindView>,
    /// The fifty jobs that have run longest, the oldest first.
    pub running: Vec<Running>,
    /// The newest hundred jobs that failed permanently, then up to fifty that are to be retried.
    pub failed: Vec<Failed>,
}

impl Jobs {
    /// Reads the state of all jobs.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn overview(&self) -> Result<Overview> {
        let mut kinds = Vec::new();
        for kind in self.kinds().values() {
            kinds.push(self.kind_view(kind).await?);
        }
        Ok(Overview {
            kinds,
            running: self.running(),
            failed: store::failed(&self.0.db).await?,
        })
    }

    async fn kind_view(&self, kind: &JobSpec) -> Result<KindView> {
        let (db, max) = (&self.0.db, MAX_COUNTED + 1);
        let waiting = store::count(db, kind.name, Counted::Waiting, max).await?;
        let later = store::count(db, kind.name, Counted::Later, max).await?;
        let failed = store::count(db, kind.name, Counted::Failed, max).await?;
        let oldest = if waiting > 0 {
            store::oldest_waiting(db, kind.name).await?
        } else {
            None
        };
        let mut state = self.state();
        let running = state.running.values();
        Ok(KindView {
            name: kind.name,
            about: kind.about,
            waiting,
            later,
            running: running.filter(|job| job.kind == kind.name).count(),
            failed,
            done: state
                .throughput
                .get_mut(kind.name)
                .map_or(0, Throughput::per_minute),
            oldest,
            paused: state.paused.contains(kind.name),
        })
    }

    fn running(&self) -> Vec<Running> {
        let mut running: Vec<_> = self
            .state()
            .running
            .iter()
            .map(|(id, job)| Running {
                id: *id,
                kind: job.kind,
                attempt: job.attempt,
                since: job.since,
                progress: (
                    job.progress.done.load(Ordering::Relaxed),
                    job.progress.total.load(Ordering::Relaxed),
                ),
            })
            .collect();
        running.sort_by_key(|job| (job.since, job.id));
        running.truncate(MAX_RUNNING_SHOWN);
        running
    }
}
