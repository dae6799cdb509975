//! Makes the index of what was there before it, by a job, the newest first: when a server first has
//! search, and when its host asks for it. It goes on where it was interrupted.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::follow::{MAX_BATCH, write};
use super::source::Source;
use super::{Search, index};
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::engine::jobs::{Failure, JobKind, Jobs, NewJob, Run, Settled};
use crate::engine::module::Module;

const JOB: &str = "search.build";
/// A million messages take minutes; after an interruption it goes on.
const TIMEOUT: Duration = Duration::from_secs(24 * 3600);

#[derive(Serialize, Deserialize)]
struct Payload {
    source: String,
}

/// How far the index of a source is.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Its name.
    pub source: &'static str,
    /// Things that the index took from before it was begun.
    pub added: u64,
    /// Whether there are no more of them.
    pub is_done: bool,
}

pub(in crate::engine) fn module() -> Module<Search> {
    let kind = JobKind::new(JOB, "Makes the search index of what is there", build);
    Module::new("search").job(kind.concurrency(1).timeout(TIMEOUT))
}

async fn build(search: Search, run: Run, payload: Payload) -> Result<Settled, Failure> {
    let Some(source) = search.source(&payload.source).cloned() else {
        return Err(Failure::GiveUp("no module has this source".to_owned()));
    };
    loop {
        let began = Instant::now();
        let progress = search.build_batch(&source).await?;
        if progress.is_done {
            return run.done();
        }
        run.progress(progress.added, 0);
        // Half of the time is for people.
        tokio::time::sleep(began.elapsed()).await;
    }
}

async fn add_job(tx: &mut Tx, jobs: &Jobs, source: &'static str) -> Result<()> {
    let payload = Payload {
        source: source.to_owned(),
    };
    let job = NewJob::new(JOB, &payload).key(source);
    jobs.add(tx, job).await.map(drop)
}

impl Search {
    /// Begins the index of sources that have none yet, and goes on with those that are unfinished.
    pub(super) async fn begin_unfinished(&self) -> Result<()> {
        const BEGIN: &str = "INSERT INTO search_progress (source, next_before, added) \
            VALUES ($1, $2, 0) ON CONFLICT (source) DO NOTHING";
        for progress in self.progress().await? {
            let jobs = self.jobs.clone();
            let write = self.db.write_queued(async move |tx: &mut Tx| {
                tx.execute(BEGIN, (progress.source, i64::MAX)).await?;
                match progress.is_done {
                    true => Ok(()),
                    false => add_job(tx, &jobs, progress.source).await,
                }
            });
            write.await?;
        }
        Ok(())
    }

    /// Makes the whole index anew. Until it is made, only what it has already is found.
    ///
    /// # Errors
    /// The database's.
    pub async fn rebuild(&self) -> Result<()> {
        const RESET: &str = "UPDATE search_progress SET next_before = $1, added = 0";
        let (jobs, sources) = (self.jobs.clone(), self.sources());
        let names: Vec<_> = sources.iter().map(|source| source.name).collect();
        let write = self.db.write_queued(async move |tx: &mut Tx| {
            index::delete_all(tx).await?;
            tx.execute(RESET, (i64::MAX,)).await?;
            for name in names {
                add_job(tx, &jobs, name).await?;
            }
            Ok(())
        });
        write.await
    }

    /// Adds the next batch of what was there.
    async fn build_batch(&self, source: &Source) -> Result<Progress> {
        const READ: &str = "SELECT next_before FROM search_progress WHERE source = $1";
        const SET: &str = "UPDATE search_progress SET next_before = $2, added = added + $3 \
            WHERE source = $1 RETURNING added";
        let _turn = self.turn.lock().await;
        let _lock = self.db.lock_names(&["search".to_owned()]).await?;
        let before: i64 = self.db.scalar(READ, (source.name,)).await?;
        let mut ids = (source.before)(before, MAX_BATCH).await?;
        let next = ids.last().copied().unwrap_or(0);
        ids.sort_unstable();
        let entries = self.entries(source, ids).await?;
        let (name, count) = (source.name, entries.len() as i64);
        let write = self.db.write_queued(async move |tx: &mut Tx| {
            write(tx, &entries).await?;
            tx.scalar(SET, (name, next, count)).await
        });
        let added: i64 = write.await?;
        Ok(Progress {
            source: source.name,
            added: added.unsigned_abs(),
            is_done: next == 0,
        })
    }

    /// How far the index is.
    ///
    /// # Errors
    /// The database's.
    pub async fn progress(&self) -> Result<Vec<Progress>> {
        const READ: &str = "SELECT source, next_before, added FROM search_progress";
        let rows: Vec<(String, i64, i64)> = self.db.all(READ, ()).await?;
        let progress = self.sources().iter().map(|source| {
            let row = rows.iter().find(|(name, ..)| name == source.name);
            Progress {
                source: source.name,
                added: row.map_or(0, |(.., added)| added.unsigned_abs()),
                is_done: row.is_some_and(|(_, next_before, _)| *next_before == 0),
            }
        });
        Ok(progress.collect())
    }
}
