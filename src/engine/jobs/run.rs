//! One attempt at a job, as its handler sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::kind::{Failure, Settled};
use super::{JobId, Jobs, store};
use crate::base::db::Tx;
use crate::base::error::Result;

/// How far it has come.
#[derive(Default)]
pub(super) struct Progress {
    pub(super) done: AtomicU64,
    pub(super) of: AtomicU64,
}

/// An attempt at a job.
pub struct Run {
    pub(super) jobs: Jobs,
    pub(super) id: JobId,
    pub(super) attempt: i64,
    pub(super) payload: String,
    pub(super) progress: Arc<Progress>,
}

impl Run {
    /// The job, the same in every attempt: what another service can be given as the key of a
    /// request, so that it takes it once.
    pub fn id(&self) -> JobId {
        self.id
    }

    /// Which attempt it is, from 1.
    pub fn attempt(&self) -> u32 {
        u32::try_from(self.attempt).unwrap_or(u32::MAX)
    }

    pub(super) fn payload(&self) -> &str {
        &self.payload
    }

    /// Tells the owner's page how far it has come.
    pub fn progress(&self, done: u64, of: u64) {
        self.progress.of.store(of, Ordering::Relaxed);
        self.progress.done.store(done, Ordering::Relaxed);
        self.jobs.note();
    }

    /// It is done, and doing it twice would have done no harm: after a crash at this moment it runs
    /// again.
    pub fn done(self) -> Result<Settled, Failure> {
        Ok(Settled { stored: false })
    }

    /// Writes what the job is for and ends the job, both in one transaction: the effect happens
    /// once, whatever crashes.
    ///
    /// # Errors
    /// What `effect` fails with, and `NotFound` when the job was cancelled or is another attempt's
    /// by now; nothing is written then.
    pub async fn settle<F>(self, effect: F) -> Result<Settled, Failure>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<()> + Send + 'static,
    {
        let (id, attempt) = (self.id, self.attempt);
        let write = self.jobs.0.db.write_queued(async move |tx| {
            store::end(tx, id, attempt).await?;
            effect(tx).await
        });
        write.await?;
        Ok(Settled { stored: true })
    }
}
