//! The SQL of jobs, one function per query. Functions take the time as a parameter, so that tests
//! can set the clock.

use std::time::Duration;

use sqlx::FromRow;

use super::JobId;
use crate::base::clock::Micros;
use crate::base::db::{Db, Sql, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;

/// The time after which a job that is marked as running, and whose runner did not renew its lease,
/// counts as crashed.
pub(super) const LEASE_TTL: Duration = Duration::from_secs(30);
/// Between a job that is in the way and its end, as often in a row as nobody will see.
const MAX_ADD_ATTEMPTS: usize = 5;
/// Rows of permanently failed jobs beyond this number are deleted, the oldest first.
const MAX_FAILED_ROWS: i64 = 10_000;

/// The columns of a new row that its creator sets.
pub(super) struct NewRow {
    pub(super) kind: &'static str,
    pub(super) payload: String,
    pub(super) key: Option<String>,
    pub(super) priority: i64,
    pub(super) delay: Option<Duration>,
    pub(super) account: Option<AccountId>,
}

/// A job that this process has taken to run.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Taken {
    pub(super) id: JobId,
    pub(super) payload: String,
    /// The attempts begun, this one included: the number of this attempt.
    pub(super) attempts: i64,
}

/// Adds a job unless one of its kind and key waits or runs. Returns the id of the new or the
/// existing job, and whether it is new.
pub(super) async fn add(tx: &mut Tx, job: &NewRow, now: Micros) -> Result<(JobId, bool)> {
    const ADD: &str = "INSERT INTO jobs (id, kind, key, payload, priority, state, run_at, \
        attempts, leased_until, cancelled, created_at, changed_at, account_id, turn) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, FALSE, $8, $8, $9, $10) ON CONFLICT DO NOTHING";
    let id = JobId::new();
    let turn = match job.account {
        Some(account) => next_turn(tx, job.kind, account).await?,
        None => 0,
    };
    let (state, run_at) = match job.delay {
        Some(delay) => ("later", now.plus(delay)),
        None => ("waiting", now),
    };
    const FIND: &str = "SELECT id FROM jobs WHERE kind = $1 AND key = $2 AND state <> 'failed'";
    // The job that is in the way may end before it is found, where there are other writers.
    for _ in 0..MAX_ADD_ATTEMPTS {
        let row = (
            id,
            job.kind,
            &job.key,
            &job.payload,
            job.priority,
            state,
            run_at,
            now,
            job.account,
            turn,
        );
        if tx.execute(ADD, row).await? > 0 {
            return Ok((id, true));
        }
        if let Some(existing) = tx.optional_scalar(FIND, (job.kind, &job.key)).await? {
            return Ok((existing, false));
        }
    }
    Err(Error::Unavailable)
}

/// The turn of an account's next job of a kind: after its own, and not before the earliest that
/// waits (start-time fair queueing). However many jobs one account adds, another's first job comes
/// next.
async fn next_turn(tx: &mut Tx, kind: &str, account: AccountId) -> Result<i64> {
    const OWN: &str = "SELECT COALESCE(MAX(turn) + 1, 0) FROM jobs \
        WHERE kind = $1 AND account_id = $2 AND account_id IS NOT NULL AND state <> 'failed'";
    const EARLIEST: &str = "SELECT turn FROM jobs WHERE kind = $1 AND state = 'waiting' \
        ORDER BY priority DESC, turn, id LIMIT 1";
    let own: i64 = tx.scalar(OWN, (kind, account)).await?;
    let earliest: Option<i64> = tx.optional_scalar(EARLIEST, (kind,)).await?;
    Ok(own.max(earliest.unwrap_or(0)))
}

/// The jobs of a kind that have not ended, of an account and of all, each counted up to `max`.
pub(super) async fn count_pending(
    tx: &mut Tx,
    kind: &str,
    account: AccountId,
    max: i64,
) -> Result<(i64, i64)> {
    const COUNT: &str = "SELECT \
        (SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE kind = $1 AND account_id = $2 \
        AND account_id IS NOT NULL AND state <> 'failed' LIMIT $3) AS own), \
        (SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE kind = $1 AND state <> 'failed' \
        LIMIT $3) AS everybody)";
    tx.one(COUNT, (kind, account, max)).await
}

/// Marks scheduled jobs that are due as waiting, at most 1,000 at a time. Whether there were any.
pub(super) async fn promote_due(tx: &mut Tx, now: Micros) -> Result<bool> {
    const DUE: Sql = Sql {
        sqlite: "UPDATE jobs SET state = 'waiting', changed_at = $1 WHERE id IN \
            (SELECT id FROM jobs WHERE state = 'later' AND run_at <= $1 \
            ORDER BY run_at LIMIT 1000)",
        postgres: "UPDATE jobs SET state = 'waiting', changed_at = $1 WHERE id = ANY(ARRAY( \
            SELECT id FROM jobs WHERE state = 'later' AND run_at <= $1 \
            ORDER BY run_at LIMIT 1000 FOR UPDATE SKIP LOCKED))",
    };
    Ok(tx.execute(DUE, (now,)).await? > 0)
}

/// When the next scheduled job is due.
pub(super) async fn next_due(tx: &mut Tx) -> Result<Option<Micros>> {
    const NEXT: &str = "SELECT run_at FROM jobs WHERE state = 'later' ORDER BY run_at LIMIT 1";
    tx.optional_scalar(NEXT, ()).await
}

/// Moves all stored times back along with the clock, so that delays and leases keep their length.
pub(super) async fn shift_times_back(tx: &mut Tx, by: Duration) -> Result<()> {
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

/// Marks up to `max` waiting jobs of a kind as running, by priority, turn and age. Jobs that
/// another server takes at the same time are left to it, and none is taken of a kind that another
/// server has paused.
pub(super) async fn take(tx: &mut Tx, kind: &str, max: usize, now: Micros) -> Result<Vec<Taken>> {
    const TAKE: Sql = Sql {
        sqlite: "UPDATE jobs SET state = 'running', attempts = attempts + 1, \
            leased_until = $3, changed_at = $4 WHERE id IN \
            (SELECT id FROM jobs WHERE kind = $1 AND state = 'waiting' \
            ORDER BY priority DESC, turn, id LIMIT $2) \
            RETURNING id, payload, attempts",
        postgres: "WITH taken AS (UPDATE jobs SET state = 'running', attempts = attempts + 1, \
            leased_until = $3, changed_at = $4 WHERE id = ANY(ARRAY( \
            SELECT id FROM jobs WHERE kind = $1 AND state = 'waiting' \
            AND NOT EXISTS (SELECT 1 FROM job_pauses p WHERE p.kind = $1) \
            ORDER BY priority DESC, turn, id LIMIT $2 FOR UPDATE SKIP LOCKED)) \
            RETURNING id, payload, attempts, priority, turn) \
            SELECT id, payload, attempts FROM taken ORDER BY priority DESC, turn, id",
    };
    tx.all(TAKE, (kind, max as i64, now.plus(LEASE_TTL), now))
        .await
}

/// Extends the leases of running jobs by [`LEASE_TTL`] from now.
pub(super) async fn renew_leases(tx: &mut Tx, ids: &[JobId], now: Micros) -> Result<()> {
    for id in ids {
        const RENEW: &str = "UPDATE jobs SET leased_until = $2 WHERE id = $1 AND state = 'running'";
        tx.execute(RENEW, (id, now.plus(LEASE_TTL))).await?;
    }
    Ok(())
}

/// Counts the death of the process while this job ran. Returns how many there were.
pub(super) async fn count_crash(tx: &mut Tx, id: JobId) -> Result<i64> {
    const COUNT: &str = "UPDATE jobs SET crashes = crashes + 1 WHERE id = $1 RETURNING crashes";
    tx.scalar(COUNT, (id,)).await
}

/// Jobs marked as running whose lease ended at or before `until`, with their kinds and attempts.
pub(super) async fn expired_leases(
    tx: &mut Tx,
    until: Micros,
) -> Result<Vec<(JobId, String, i64)>> {
    const EXPIRED: Sql = Sql {
        sqlite: "SELECT id, kind, attempts FROM jobs \
            WHERE state = 'running' AND leased_until <= $1",
        postgres: "SELECT id, kind, attempts FROM jobs \
            WHERE state = 'running' AND leased_until <= $1 FOR UPDATE SKIP LOCKED",
    };
    tx.all(EXPIRED, (until,)).await
}

/// Makes retries that are due later than any backoff allows due now: the clock was set back while
/// the server did not run.
pub(super) async fn clamp_retries(tx: &mut Tx, max_delay: Duration, now: Micros) -> Result<()> {
    const CLAMP: &str =
        "UPDATE jobs SET run_at = $1 WHERE state = 'later' AND attempts > 0 AND run_at > $2";
    tx.execute(CLAMP, (now, now.plus(max_delay))).await?;
    Ok(())
}

/// Deletes a job whose attempt succeeded.
///
/// # Errors
/// `NotFound` when the job was cancelled or a newer attempt has begun.
pub(super) async fn complete(tx: &mut Tx, id: JobId, attempt: i64) -> Result<()> {
    const COMPLETE: &str =
        "DELETE FROM jobs WHERE id = $1 AND attempts = $2 AND state = 'running' AND NOT cancelled";
    let deleted = tx.execute(COMPLETE, (id, attempt)).await?;
    if deleted == 0 {
        Err(Error::NotFound)
    } else {
        Ok(())
    }
}

/// Records a failed attempt: the job is retried after `delay`, or, without one, failed permanently.
pub(super) async fn fail(
    tx: &mut Tx,
    id: JobId,
    attempt: i64,
    error: &str,
    delay: Option<Duration>,
    now: Micros,
) -> Result<()> {
    const FAIL: &str = "UPDATE jobs SET state = $3, run_at = $4, error = $5, changed_at = $6 \
        WHERE id = $1 AND attempts = $2 AND state = 'running'";
    let (state, run_at) = delay.map_or(("failed", now), |delay| ("later", now.plus(delay)));
    tx.execute(FAIL, (id, attempt, state, run_at, error, now))
        .await?;
    // A job that was cancelled while it ran is deleted, whether or not attempts are left.
    tx.execute(
        "DELETE FROM jobs WHERE id = $1 AND cancelled AND state <> 'running'",
        (id,),
    )
    .await?;
    if state == "failed" {
        const TRIM: &str = "DELETE FROM jobs WHERE state = 'failed' AND id <= \
            (SELECT id FROM jobs WHERE state = 'failed' ORDER BY id DESC LIMIT 1 OFFSET $1)";
        tx.execute(TRIM, (MAX_FAILED_ROWS,)).await?;
    }
    Ok(())
}

/// Makes jobs that the shutdown aborted wait again; the aborted attempt does not count.
pub(super) async fn requeue(tx: &mut Tx, ids: &[JobId]) -> Result<()> {
    for id in ids {
        const REQUEUE: &str = "UPDATE jobs SET state = 'waiting', attempts = attempts - 1 \
            WHERE id = $1 AND state = 'running'";
        tx.execute(REQUEUE, (id,)).await?;
    }
    Ok(())
}

/// Makes a permanently failed job wait again. Where another of its kind and key waits or runs
/// already, deletes the failed one and returns false.
///
/// # Errors
/// `NotFound`.
pub(super) async fn retry(tx: &mut Tx, id: JobId, now: Micros) -> Result<bool> {
    const REPLACED: &str = "DELETE FROM jobs WHERE id = $1 AND state = 'failed' \
        AND key IS NOT NULL AND EXISTS \
        (SELECT 1 FROM jobs AS other \
        WHERE other.kind = jobs.kind AND other.key = jobs.key AND other.state <> 'failed')";
    if tx.execute(REPLACED, (id,)).await? > 0 {
        return Ok(false);
    }
    const RETRY: &str = "UPDATE jobs SET state = 'waiting', attempts = 0, crashes = 0, \
        changed_at = $2 \
        WHERE id = $1 AND state = 'failed'";
    let updated = tx.execute(RETRY, (id, now)).await?;
    if updated == 0 {
        Err(Error::NotFound)
    } else {
        Ok(true)
    }
}

/// Deletes a job that does not run.
pub(super) async fn withdraw(tx: &mut Tx, id: JobId) -> Result<()> {
    const WITHDRAW: &str = "DELETE FROM jobs WHERE id = $1 AND state <> 'running'";
    tx.execute(WITHDRAW, (id,)).await?;
    Ok(())
}

/// Deletes a job that does not run. Marks one that runs as cancelled: it is deleted when its
/// attempt ends.
///
/// # Errors
/// `NotFound`.
pub(super) async fn cancel(tx: &mut Tx, id: JobId) -> Result<()> {
    let deleted = tx
        .execute(
            "DELETE FROM jobs WHERE id = $1 AND state <> 'running'",
            (id,),
        )
        .await?;
    if deleted > 0 {
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

/// Stores whether a kind is paused, so that a restart does not resume it.
pub(super) async fn set_paused(tx: &mut Tx, kind: &str, paused: bool) -> Result<()> {
    let statement = match paused {
        true => "INSERT INTO job_pauses (kind) VALUES ($1) ON CONFLICT DO NOTHING",
        false => "DELETE FROM job_pauses WHERE kind = $1",
    };
    tx.execute(statement, (kind,)).await?;
    Ok(())
}

pub(super) async fn paused_kinds(tx: &mut Tx) -> Result<Vec<String>> {
    tx.scalars("SELECT kind FROM job_pauses", ()).await
}

/// The running jobs that were cancelled.
pub(super) async fn cancelled(tx: &mut Tx) -> Result<Vec<JobId>> {
    tx.scalars(
        "SELECT id FROM jobs WHERE state = 'running' AND cancelled",
        (),
    )
    .await
}

/// The states that the host's page counts.
#[derive(Clone, Copy)]
pub(super) enum Counted {
    Waiting,
    Later,
    Failed,
}

/// The number of jobs of a kind in a state; counting stops at `max`.
pub(super) async fn count(db: &Db, kind: &str, state: Counted, max: i64) -> Result<i64> {
    // The state is a literal, not a parameter: partial indexes on the state match only literals.
    let count = match state {
        Counted::Waiting => {
            "SELECT COUNT(*) FROM (SELECT 1 FROM jobs \
                WHERE kind = $1 AND state = 'waiting' LIMIT $2) AS found"
        }
        Counted::Later => {
            "SELECT COUNT(*) FROM (SELECT 1 FROM jobs \
                WHERE kind = $1 AND state = 'later' LIMIT $2) AS found"
        }
        Counted::Failed => {
            "SELECT COUNT(*) FROM (SELECT 1 FROM jobs \
                WHERE kind = $1 AND state = 'failed' LIMIT $2) AS found"
        }
    };
    db.scalar(count, (kind, max)).await
}

/// Since when the oldest of the next 1,000 jobs of a kind waits.
pub(super) async fn oldest_waiting(db: &Db, kind: &str) -> Result<Option<Micros>> {
    const OLDEST: &str = "SELECT MIN(changed_at) FROM (SELECT changed_at FROM jobs \
        WHERE kind = $1 AND state = 'waiting' ORDER BY priority DESC, turn, id LIMIT 1000) AS next";
    db.scalar(OLDEST, (kind,)).await
}

/// A job whose last attempt failed: permanently, or with a retry scheduled.
#[derive(Clone, Debug, FromRow)]
pub struct Failed {
    /// The same in every attempt.
    pub id: JobId,
    /// The name of its kind. It may be of an earlier version: declared by no module any more.
    pub kind: String,
    /// The payload as JSON.
    pub payload: String,
    /// The number of attempts made.
    pub attempts: i64,
    /// The error of the last attempt.
    pub error: Option<String>,
    /// When the last attempt failed.
    pub changed_at: Micros,
    /// When the retry begins; nothing when the job failed permanently.
    pub next_at: Option<Micros>,
}

/// The newest hundred that failed permanently, then the next fifty to be retried.
pub(super) async fn failed(db: &Db) -> Result<Vec<Failed>> {
    const FAILED: &str = "SELECT id, kind, payload, attempts, error, changed_at, \
        CAST(NULL AS BIGINT) AS next_at FROM jobs WHERE state = 'failed' ORDER BY id DESC LIMIT 100";
    const RETRYING: &str = "SELECT id, kind, payload, attempts, error, changed_at, \
        run_at AS next_at FROM jobs WHERE state = 'later' AND attempts > 0 \
        ORDER BY run_at LIMIT 50";
    let mut failed: Vec<Failed> = db.all(FAILED, ()).await?;
    failed.extend(db.all::<Failed>(RETRYING, ()).await?);
    Ok(failed)
}
