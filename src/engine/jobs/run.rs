//! One attempt at a job, as its handler sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::kind::{Failure, Settled};
use super::{JobId, Jobs, store};
use crate::base::db::Tx;
use crate::base::error::Result;

/// What [`Run::progress`] reported last, in the handler's own unit; zero of zero before that.
#[derive(Default)]
pub(super) struct Progress {
    pub(super) done: AtomicU64,
    pub(super) total: AtomicU64,
}

/// One attempt at a job: given to the handler, which ends it with [`done`](Self::done) or
/// [`settle`](Self::settle).
pub struct Run {
    pub(super) jobs: Jobs,
    pub(super) id: JobId,
    pub(super) attempt: i64,
    pub(super) payload: String,
    pub(super) progress: Arc<Progress>,
}

impl Run {
    /// The job's id, the same in every attempt. Pass it to another service as an idempotency key.
    pub fn id(&self) -> JobId {
        self.id
    }

    /// The number of this attempt, counted from 1.
    pub fn attempt(&self) -> u32 {
        u32::try_from(self.attempt).unwrap_or(u32::MAX)
    }

    pub(super) fn payload(&self) -> &str {
        &self.payload
    }

    /// Reports progress to the host's page, as `done` of `total` steps in a unit of the handler's
    /// choice.
    pub fn progress(&self, done: u64, total: u64) {
        self.progress.total.store(total, Ordering::Relaxed);
        self.progress.done.store(done, Ordering::Relaxed);
        self.jobs.notify_changed();
    }

    /// Ends the job as successful. Its row is deleted after the handler returns, so a crash in
    /// between runs the job again: use this only where running twice does no harm.
    pub fn done(self) -> Result<Settled, Failure> {
        Ok(Settled { is_deleted: false })
    }

    /// Writes the job's effect and deletes the job in one transaction, so that the effect happens
    /// exactly once, crashes included.
    ///
    /// # Errors
    /// What `effect` fails with; `NotFound` when the job was cancelled or a newer attempt has
    /// begun. Nothing is written then.
    pub async fn settle<F>(self, effect: F) -> Result<Settled, Failure>
    where
        F: AsyncFnOnce(&mut Tx) -> Result<()> + Send + 'static,
    {
        let (id, attempt) = (self.id, self.attempt);
        let write = self.jobs.0.db.write_queued(async move |tx| {
            store::complete(tx, id, attempt).await?;
            effect(tx).await
        });
        write.await?;
        Ok(Settled { is_deleted: true })
    }
}
