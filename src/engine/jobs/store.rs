//! The jobs' SQL, one function a question. Times are given, so that what happens when the clock
//! steps can be tried.

use std::time::Duration;

use sqlx::FromRow;

use super::JobId;
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Error, Result};

/// How long a job that began is believed to run without a sign of life.
pub(super) const LEASE: Duration = Duration::from_secs(30);
/// Jobs that failed for good and are kept for the owner to see; the oldest go first.
const KEPT: i64 = 10_000;

/// A job as it is added.
pub(super) struct NewRow {
    pub(super) kind: &'static str,
    pub(super) payload: String,
    pub(super) key: Option<String>,
    pub(super) priority: i64,
    pub(super) after: Option<Duration>,
}

/// A job that was taken to be run.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Taken {
    pub(super) id: JobId,
    pub(super) payload: String,
    /// Which attempt this is.
    pub(super) attempts: i64,
}

/// Adds a job unless one of its kind and key is there. Its id, and whether it waits to begin now.
pub(super) async fn add(tx: &mut Tx, job: &NewRow, now: Micros) -> Result<(JobId, bool)> {
    const ADD: &str = "INSERT INTO jobs (id, kind, key, payload, priority, state, run_at, \
        attempts, leased_until, cancelled, created_at, changed_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, FALSE, $8, $8) ON CONFLICT DO NOTHING";
    let id = JobId::new();
    let (state, run_at) = match job.after {
        Some(wait) => ("later", now.plus(wait)),
        None => ("waiting", now),
    };
    let added = tx
        .execute(
            ADD,
            (
                id,
                job.kind,
                &job.key,
                &job.payload,
                job.priority,
                state,
                run_at,
                now,
            ),
        )
        .await?;
    if added > 0 {
        return Ok((id, true));
    }
    const FIND: &str = "SELECT id FROM jobs WHERE kind = $1 AND key = $2 AND state <> 'failed'";
    Ok((tx.scalar(FIND, (job.kind, &job.key)).await?, false))
}

/// Lets later jobs whose time has come wait. Whether there were any.
pub(super) async fn promote_due(tx: &mut Tx, now: Micros) -> Result<bool> {
    const DUE: &str = "UPDATE jobs SET state = 'waiting', changed_at = $1 WHERE id IN \
        (SELECT id FROM jobs WHERE state = 'later' AND run_at <= $1 ORDER BY run_at LIMIT 1000)";
    Ok(tx.execute(DUE, (now,)).await? > 0)
}

/// When the next later job is due.
pub(super) async fn next_due(tx: &mut Tx) -> Result<Option<Micros>> {
    const NEXT: &str = "SELECT run_at FROM jobs WHERE state = 'later' ORDER BY run_at LIMIT 1";
    tx.optional_scalar(NEXT, ()).await
}

/// Moves what was put off by the clock's step back with it, so that it waits as long as it was to.
pub(super) async fn step_back(tx: &mut Tx, by: Duration) -> Result<()> {
    let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    tx.execute(
        "UPDATE jobs SET run_at = run_at - $1 WHERE state = 'later'",
        (by,),
    )
    .await?;
    tx.execute(
        "UPDATE jobs SET leased_until = leased_until - $1 WHERE state = 'running'",
        (by,),
    )
    .await?;
    Ok(())
}

/// Takes up to `most` waiting jobs of a kind, in order of priority and age.
pub(super) async fn take(tx: &mut Tx, kind: &str, most: usize, now: Micros) -> Result<Vec<Taken>> {
    const TAKE: &str = "UPDATE jobs SET state = 'running', attempts = attempts + 1, \
        leased_until = $3, changed_at = $4 WHERE id IN \
        (SELECT id FROM jobs WHERE kind = $1 AND state = 'waiting' \
        ORDER BY priority DESC, id LIMIT $2) \
        RETURNING id, payload, attempts";
    tx.all(TAKE, (kind, most as i64, now.plus(LEASE), now))
        .await
}

/// Says of running jobs that they still do.
pub(super) async fn renew(tx: &mut Tx, ids: &[JobId], now: Micros) -> Result<()> {
    for id in ids {
        const RENEW: &str = "UPDATE jobs SET leased_until = $2 WHERE id = $1 AND state = 'running'";
        tx.execute(RENEW, (id, now.plus(LEASE))).await?;
    }
    Ok(())
}

/// Jobs that are said to run, with their kinds and attempts; those whose lease has ended before
/// `until`.
pub(super) async fn expired_leases(
    tx: &mut Tx,
    until: Micros,
) -> Result<Vec<(JobId, String, i64)>> {
    const SILENT: &str =
        "SELECT id, kind, attempts FROM jobs WHERE state = 'running' AND leased_until <= $1";
    tx.all(SILENT, (until,)).await
}

/// At the start: no retry is further ahead than any may be, whatever the clock said when it was put
/// off.
pub(super) async fn clamp_retries(tx: &mut Tx, at_most: Duration, now: Micros) -> Result<()> {
    const NEAR: &str =
        "UPDATE jobs SET run_at = $1 WHERE state = 'later' AND attempts > 0 AND run_at > $2";
    tx.execute(NEAR, (now, now.plus(at_most))).await?;
    Ok(())
}

/// An attempt has ended well.
///
/// # Errors
/// `NotFound` when it is not this attempt's to end.
pub(super) async fn end(tx: &mut Tx, id: JobId, attempt: i64) -> Result<()> {
    const END: &str =
        "DELETE FROM jobs WHERE id = $1 AND attempts = $2 AND state = 'running' AND NOT cancelled";
    let ended = tx.execute(END, (id, attempt)).await?;
    if ended == 0 {
        Err(Error::NotFound)
    } else {
        Ok(())
    }
}

/// An attempt has failed: the next begins after `wait`, or, without one, none does.
pub(super) async fn fail(
    tx: &mut Tx,
    id: JobId,
    attempt: i64,
    error: &str,
    wait: Option<Duration>,
    now: Micros,
) -> Result<()> {
    const FAIL: &str = "UPDATE jobs SET state = $3, run_at = $4, error = $5, changed_at = $6 \
        WHERE id = $1 AND attempts = $2 AND state = 'running'";
    let (state, run_at) = wait.map_or(("failed", now), |wait| ("later", now.plus(wait)));
    tx.execute(FAIL, (id, attempt, state, run_at, error, now))
        .await?;
    // Who was cancelled while it ran is forgotten, however it ended.
    tx.execute(
        "DELETE FROM jobs WHERE id = $1 AND cancelled AND state <> 'running'",
        (id,),
    )
    .await?;
    if state == "failed" {
        const TRIM: &str = "DELETE FROM jobs WHERE state = 'failed' AND id <= \
            (SELECT id FROM jobs WHERE state = 'failed' ORDER BY id DESC LIMIT 1 OFFSET $1)";
        tx.execute(TRIM, (KEPT,)).await?;
    }
    Ok(())
}

/// Attempts that were ended before their time do not count.
pub(super) async fn give_back(tx: &mut Tx, ids: &[JobId]) -> Result<()> {
    for id in ids {
        const GIVE: &str = "UPDATE jobs SET state = 'waiting', attempts = attempts - 1 \
            WHERE id = $1 AND state = 'running'";
        tx.execute(GIVE, (id,)).await?;
    }
    Ok(())
}

/// A job that failed for good waits again. False when another of its kind and key has taken its
/// place, and it is forgotten.
///
/// # Errors
/// `NotFound`.
pub(super) async fn again(tx: &mut Tx, id: JobId, now: Micros) -> Result<bool> {
    const REPLACED: &str = "DELETE FROM jobs WHERE id = $1 AND state = 'failed' \
        AND key IS NOT NULL AND EXISTS \
        (SELECT 1 FROM jobs AS other \
        WHERE other.kind = jobs.kind AND other.key = jobs.key AND other.state <> 'failed')";
    if tx.execute(REPLACED, (id,)).await? > 0 {
        return Ok(false);
    }
    const AGAIN: &str = "UPDATE jobs SET state = 'waiting', attempts = 0, changed_at = $2 \
        WHERE id = $1 AND state = 'failed'";
    let done = tx.execute(AGAIN, (id, now)).await?;
    if done == 0 {
        Err(Error::NotFound)
    } else {
        Ok(true)
    }
}

/// A job that does not run is forgotten; one that does is marked, for whoever runs it to end it.
///
/// # Errors
/// `NotFound`.
pub(super) async fn cancel(tx: &mut Tx, id: JobId) -> Result<()> {
    let gone = tx
        .execute(
            "DELETE FROM jobs WHERE id = $1 AND state <> 'running'",
            (id,),
        )
        .await?;
    if gone > 0 {
        return Ok(());
    }
    let marked = tx
        .execute("UPDATE jobs SET cancelled = TRUE WHERE id = $1", (id,))
        .await?;
    if marked == 0 {
        Err(Error::NotFound)
    } else {
        Ok(())
    }
}

/// Keeps whether a kind is paused.
pub(super) async fn pause(tx: &mut Tx, kind: &str, pause: bool) -> Result<()> {
    let statement = match pause {
        true => "INSERT INTO job_pauses (kind) VALUES ($1) ON CONFLICT DO NOTHING",
        false => "DELETE FROM job_pauses WHERE kind = $1",
    };
    tx.execute(statement, (kind,)).await?;
    Ok(())
}

/// The kinds that are paused.
pub(super) async fn paused(tx: &mut Tx) -> Result<Vec<String>> {
    tx.scalars("SELECT kind FROM job_pauses", ()).await
}

/// States that are counted.
#[derive(Clone, Copy)]
pub(super) enum Counted {
    Waiting,
    Later,
    Failed,
}

/// How many jobs of a kind are in a state, up to `most`.
pub(super) async fn count(db: &Db, kind: &str, state: Counted, most: i64) -> Result<i64> {
    // Written out, because an index for one state is of no use to a question about any.
    let count = match state {
        Counted::Waiting => {
            "SELECT COUNT(*) FROM (SELECT 1 FROM jobs \
                WHERE kind = $1 AND state = 'waiting' LIMIT $2)"
        }
        Counted::Later => {
            "SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE kind = $1 AND state = 'later' LIMIT $2)"
        }
        Counted::Failed => {
            "SELECT COUNT(*) FROM (SELECT 1 FROM jobs \
                WHERE kind = $1 AND state = 'failed' LIMIT $2)"
        }
    };
    db.scalar(count, (kind, most)).await
}

/// Since when the next waiting job of a kind waits.
pub(super) async fn oldest(db: &Db, kind: &str) -> Result<Option<Micros>> {
    const OLDEST: &str = "SELECT MIN(changed_at) FROM (SELECT changed_at FROM jobs \
        WHERE kind = $1 AND state = 'waiting' ORDER BY priority DESC, id LIMIT 1000)";
    db.scalar(OLDEST, (kind,)).await
}

/// A job that failed, for good or before its next attempt.
#[derive(Clone, Debug, FromRow)]
pub struct Failed {
    /// The job.
    pub id: JobId,
    /// Its kind.
    pub kind: String,
    /// What its handler got.
    pub payload: String,
    /// Attempts made.
    pub attempts: i64,
    /// What the last one failed with.
    pub error: Option<String>,
    /// When that was.
    pub changed_at: Micros,
    /// When the next begins; nothing when none does.
    pub next_at: Option<Micros>,
}

/// The newest hundred that failed for good, then up to fifty that are to be tried again.
pub(super) async fn failed(db: &Db) -> Result<Vec<Failed>> {
    const FAILED: &str = "SELECT id, kind, payload, attempts, error, changed_at, \
        NULL AS next_at FROM jobs WHERE state = 'failed' ORDER BY id DESC LIMIT 100";
    const AGAIN: &str = "SELECT id, kind, payload, attempts, error, changed_at, \
        run_at AS next_at FROM jobs WHERE state = 'later' AND attempts > 0 \
        ORDER BY run_at LIMIT 50";
    let mut failed: Vec<Failed> = db.all(FAILED, ()).await?;
    failed.extend(db.all::<Failed>(AGAIN, ()).await?);
    Ok(failed)
}
