//! What an owner sees of the jobs.

use std::sync::atomic::Ordering;
use std::time::Instant;

pub use super::store::Failed;
use super::store::{self, Counted};
use super::{JobId, Jobs};
use crate::base::clock::Micros;
use crate::base::error::Result;

/// Waiting or failed jobs of a kind that are counted; beyond that there are "more".
const MAX_COUNTED: i64 = 10_000;
const MINUTE: usize = 60;

/// Jobs that were done, by the second.
pub(super) struct Throughput {
    started: Instant,
    seconds: [u32; MINUTE],
    /// The second that was counted in last.
    last: u64,
}

impl Default for Throughput {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            seconds: [0; MINUTE],
            last: 0,
        }
    }
}

impl Throughput {
    pub(super) fn count(&mut self) {
        self.pass();
        self.seconds[self.last as usize % MINUTE] += 1;
    }

    /// Done in the last minute.
    fn in_a_minute(&mut self) -> u32 {
        self.pass();
        self.seconds.iter().sum()
    }

    fn pass(&mut self) {
        let now = self.started.elapsed().as_secs();
        for second in (self.last + 1..=now).take(MINUTE) {
            self.seconds[second as usize % MINUTE] = 0;
        }
        self.last = now;
    }
}

/// A kind of job and how it stands.
#[derive(Clone, Debug)]
pub struct KindView {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Jobs that wait to begin.
    pub waiting: i64,
    /// Jobs whose time has not come.
    pub later: i64,
    /// Jobs that run.
    pub running: usize,
    /// Jobs that failed for good.
    pub failed: i64,
    /// Jobs that were done in the last minute.
    pub done: u32,
    /// Since when the oldest waits.
    pub oldest: Option<Micros>,
    /// Whether no more begin.
    pub paused: bool,
}

impl KindView {
    /// A number as it is shown: `10000+` where more were not counted.
    pub fn counted(number: &i64) -> String {
        if *number > MAX_COUNTED {
            format!("{MAX_COUNTED}+")
        } else {
            number.to_string()
        }
    }
}

/// A job that runs.
#[derive(Clone, Debug)]
pub struct Running {
    /// The job.
    pub id: JobId,
    /// Its kind.
    pub kind: &'static str,
    /// Which attempt it is.
    pub attempt: i64,
    /// When the attempt began.
    pub since: Micros,
    /// How far it has come, in steps done and in all; zero of zero when it does not say.
    pub progress: (u64, u64),
}

/// Everything, at one moment.
#[derive(Clone, Debug)]
pub struct Overview {
    /// Every kind, by name.
    pub kinds: Vec<KindView>,
    /// The fifty jobs that have run longest.
    pub running: Vec<Running>,
    /// The newest that failed: for good first, then those that are to be tried again.
    pub failed: Vec<Failed>,
}

impl Jobs {
    /// How all jobs stand.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn overview(&self) -> Result<Overview> {
        let db = &self.0.db;
        let mut kinds = Vec::new();
        for kind in self.kinds().values() {
            let waiting = store::count(db, kind.name, Counted::Waiting, MAX_COUNTED + 1).await?;
            let later = store::count(db, kind.name, Counted::Later, MAX_COUNTED + 1).await?;
            let failed = store::count(db, kind.name, Counted::Failed, MAX_COUNTED + 1).await?;
            let oldest = if waiting > 0 {
                store::oldest(db, kind.name).await?
            } else {
                None
            };
            let mut state = self.state();
            let running = state
                .running
                .values()
                .filter(|job| job.kind == kind.name)
                .count();
            let done = state
                .done
                .get_mut(kind.name)
                .map_or(0, super::overview::Throughput::in_a_minute);
            let paused = state.paused.contains(kind.name);
            kinds.push(KindView {
                name: kind.name,
                about: kind.about,
                waiting,
                later,
                running,
                failed,
                done,
                oldest,
                paused,
            });
        }
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
                    job.progress.of.load(Ordering::Relaxed),
                ),
            })
            .collect();
        running.sort_by_key(|job| (job.since, job.id));
        running.truncate(50);
        Ok(Overview {
            kinds,
            running,
            failed: store::failed(db).await?,
        })
    }
}
