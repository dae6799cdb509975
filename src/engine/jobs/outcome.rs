//! Recording how an attempt ended: the job's row is deleted, scheduled for a retry, or marked as
//! failed.

use super::kind::{Failure, Settled};
use super::{JobId, Jobs, store};
use crate::base::clock::Micros;

/// How an attempt ended: what its handler returned, or why it did not return (panic, timeout).
pub(super) type Outcome = Result<Result<Settled, Failure>, &'static str>;

/// Stores how an attempt ended. The runner counts the job as running until this returns, so no
/// further job of the kind begins before the end is stored.
pub(super) async fn record(
    jobs: &Jobs,
    kind: &'static str,
    id: JobId,
    attempt: i64,
    outcome: Outcome,
) -> Outcome {
    let (error, may_retry) = match &outcome {
        Ok(Ok(settled)) => {
            record_success(jobs, kind, id, attempt, settled).await;
            return outcome;
        }
        Ok(Err(Failure::Retry(error))) => (error.clone(), true),
        Ok(Err(Failure::GiveUp(error))) => (error.clone(), false),
        Err(reason) => ((*reason).to_owned(), true),
    };
    record_failure(jobs, kind, id, attempt, error, may_retry).await;
    outcome
}

async fn record_success(
    jobs: &Jobs,
    kind: &'static str,
    id: JobId,
    attempt: i64,
    settled: &Settled,
) {
    if !settled.is_deleted {
        let delete = jobs
            .0
            .db
            .write_queued(async move |tx| store::complete(tx, id, attempt).await);
        if let Err(error) = delete.await {
            tracing::warn!(kind, %id, %error, "a job's end was not stored: it will run again");
        }
    }
    jobs.state().throughput.entry(kind).or_default().count();
    metrics::counter!("tidepool_jobs_total", "kind" => kind, "end" => "done").increment(1);
}

async fn record_failure(
    jobs: &Jobs,
    kind: &'static str,
    id: JobId,
    attempt: i64,
    error: String,
    may_retry: bool,
) {
    let spec = &jobs.kinds()[kind];
    let delay = (may_retry && attempt < spec.max_attempts).then(|| spec.delay_after(attempt));
    let end = if delay.is_some() { "retried" } else { "failed" };
    metrics::counter!("tidepool_jobs_total", "kind" => kind, "end" => end).increment(1);
    tracing::warn!(kind, %id, attempt, %error, again_in = ?delay, "a job failed");
    let write = jobs.0.db.write_queued(async move |tx| {
        store::fail(tx, id, attempt, &error, delay, Micros::now()).await
    });
    match write.await {
        Ok(()) => jobs.wake_timer(),
        Err(error) => {
            tracing::warn!(kind, %id, %error, "a failure is not noticed before the lease ends")
        }
    }
}
