//! What becomes of a job after an attempt: its row goes, waits for the next attempt, or stays as
//! failed.

use super::kind::{Failure, Settled};
use super::{JobId, Jobs, store};
use crate::base::clock::Micros;

/// How an attempt ended: as its handler said, or why it did not come to an end.
pub(super) type Outcome = Result<Result<Settled, Failure>, &'static str>;

/// Stores how an attempt ended, before another job of its kind may begin in its place.
pub(super) async fn record(
    jobs: &Jobs,
    kind: &'static str,
    id: JobId,
    attempt: i64,
    ended: Outcome,
) -> Outcome {
    let declared = &jobs.kinds()[kind];
    let (error, again) = match &ended {
        Ok(Ok(settled)) => {
            let kept = match settled.stored {
                true => Ok(()),
                false => {
                    jobs.0
                        .db
                        .write_queued(async move |tx| store::end(tx, id, attempt).await)
                        .await
                }
            };
            if let Err(error) = kept {
                tracing::warn!(kind, %id, %error, "a job's end was not stored: it will run again");
            }
            jobs.state().done.entry(kind).or_default().count();
            metrics::counter!("tidepool_jobs_total", "kind" => kind, "end" => "done").increment(1);
            return ended;
        }
        Ok(Err(Failure::Retry(error))) => (error.clone(), true),
        Ok(Err(Failure::GiveUp(error))) => (error.clone(), false),
        Err(what) => ((*what).to_owned(), true),
    };
    let wait = (again && attempt < declared.attempts).then(|| declared.wait_after(attempt));
    let end = if wait.is_some() { "retried" } else { "failed" };
    metrics::counter!("tidepool_jobs_total", "kind" => kind, "end" => end).increment(1);
    tracing::warn!(kind, %id, attempt, %error, again_in = ?wait, "a job failed");
    let write = jobs.0.db.write_queued(async move |tx| {
        store::fail(tx, id, attempt, &error, wait, Micros::now()).await
    });
    match write.await {
        Ok(()) => jobs.look_soon(),
        Err(error) => {
            tracing::warn!(kind, %id, %error, "a failure is not noticed before the lease ends")
        }
    }
    ended
}
