//! Group commit: each of several writes in a savepoint, one commit for all, then what each has to
//! call after it, then its answer.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use futures_util::future::LocalBoxFuture;
use metrics::{counter, histogram};

use super::connection::Connection;
use super::outage::is_lost;
use super::positions::Positions;
use super::query::{Params, Row};
use super::reserve::{Reserve, SpacePolicy};
use crate::base::error::{Error, Result};

type AfterCommit = Box<dyn FnOnce() + Send>;
/// Called with how the commit ended.
pub(super) type Answer = Box<dyn FnOnce(Commit) + Send>;
/// Its future stays on the writer's thread and need not be `Send`: so a write can be an async
/// closure.
pub(super) type Run = Box<dyn for<'t> FnOnce(Step<'t>) -> LocalBoxFuture<'t, Done> + Send>;

pub(super) struct Job {
    /// Writes of a key run in the order in which they came.
    pub(super) key: i64,
    pub(super) space: SpacePolicy,
    pub(super) run: Run,
}

/// What becomes of a job.
pub(super) enum Step<'t> {
    Run(&'t mut Tx),
    /// It does not run; its caller gets the error.
    Refuse(Error),
}

/// How a commit ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Commit {
    Done,
    Failed,
    DiskFull,
}

impl Commit {
    fn from_error(error: &sqlx::Error) -> Self {
        match is_disk_full(error) {
            true => Self::DiskFull,
            false => Self::Failed,
        }
    }

    /// The error of the writes that were undone.
    pub(super) fn error(self) -> Error {
        match self {
            Self::DiskFull => Error::Full("error-disk-full"),
            Self::Done | Self::Failed => Error::Unavailable,
        }
    }
}

pub(super) struct Done {
    pub(super) keep: bool,
    pub(super) answer: Answer,
}

/// A transaction in progress.
pub struct Tx {
    pub(super) connection: Connection,
    after: Vec<AfterCommit>,
    pub(super) positions: Positions,
    pub(super) reserve: Reserve,
    /// Whether a statement of the current job failed on PostgreSQL, which then undoes all of the
    /// job's: it must not be answered as done, whatever it made of the error.
    pub(super) has_failed: bool,
}

impl Tx {
    pub(super) fn new(connection: Connection, reserve: Reserve) -> Self {
        Self {
            connection,
            after: Vec::new(),
            positions: Positions::default(),
            reserve,
            has_failed: false,
        }
    }

    /// Calls `then` right after the commit, before the write returns; never if the write is undone.
    /// It runs on the writer's thread, so it must not block.
    pub fn after_commit(&mut self, then: impl FnOnce() + Send + 'static) {
        self.after.push(Box::new(then));
    }

    /// Whether several writers change the database at once.
    pub fn has_other_writers(&self) -> bool {
        matches!(self.connection, Connection::Postgres(_))
    }

    /// Runs a statement that locks rows until the transaction ends, such as one with `FOR UPDATE`,
    /// where there are other writers; returns its first row. With a single writer nothing else
    /// changes a row meanwhile: nothing runs, and the result is `None`.
    ///
    /// # Errors
    /// The database's; `Unavailable` when another transaction holds the lock for too long.
    pub async fn lock<'q, T: Row>(
        &mut self,
        sql: &'static str,
        params: impl Params<'q>,
    ) -> Result<Option<T>> {
        match self.has_other_writers() {
            true => self.optional(sql, params).await,
            false => Ok(None),
        }
    }

    /// Runs a statement `LOCK TABLE … IN … MODE` where there are other writers: for rules over all
    /// rows of a small table that seldom changes.
    ///
    /// # Errors
    /// As [`lock`](Self::lock).
    pub async fn lock_table(&mut self, sql: &'static str) -> Result<()> {
        if self.has_other_writers() {
            self.execute(sql, ()).await?;
        }
        Ok(())
    }

    /// Runs the statements of a migration. They must not begin or end a transaction: they are part
    /// of this one.
    ///
    /// # Errors
    /// The database's, of the first statement that fails.
    pub(crate) async fn execute_script(&mut self, sql: &'static str) -> Result<()> {
        self.connection.run_script(sql).await?;
        Ok(())
    }

    async fn run(&mut self, statement: &'static str) -> sqlx::Result<()> {
        self.connection.run(statement).await
    }
}

/// On a full disk: refuses ordinary jobs, and releases the reserve for those that may use it.
pub(super) async fn refuse_when_full(reserve: &mut Reserve, jobs: Vec<Job>) -> Vec<Job> {
    if !reserve.is_full() {
        return jobs;
    }
    let is_refused = |job: &Job| job.space == SpacePolicy::RefuseWhenFull;
    let (refused, rest): (Vec<_>, Vec<_>) = jobs.into_iter().partition(is_refused);
    if rest.iter().any(|job| job.space == SpacePolicy::UseReserve) {
        reserve.release();
    }
    for job in refused {
        refuse(job, Commit::DiskFull).await;
    }
    rest
}

/// Answers a job that does not run.
async fn refuse(job: Job, commit: Commit) {
    let done = (job.run)(Step::Refuse(commit.error())).await;
    (done.answer)(commit);
}

fn is_disk_full(error: &sqlx::Error) -> bool {
    const SQLITE_FULL: &str = "13";
    const POSTGRES_FULL: &str = "53100";
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| [SQLITE_FULL, POSTGRES_FULL].contains(&&*code))
}

pub(super) async fn commit_together(tx: &mut Tx, jobs: Vec<Job>) {
    if jobs.is_empty() {
        return;
    }
    let started = Instant::now();
    let group = jobs.len();
    // A single job needs no savepoint: the transaction is its own.
    let is_alone = group == 1;
    let mut answers = Vec::with_capacity(group);
    if let Err(error) = tx.connection.begin().await {
        // An outage is logged once, where it begins.
        if !is_lost(&error) {
            tracing::error!(%error, "a transaction could not begin");
        }
        for job in jobs {
            refuse(job, Commit::from_error(&error)).await;
        }
        return;
    }
    let mut is_sound = is_alone || tx.run("SAVEPOINT one").await.is_ok();
    let mut failure = Commit::Failed; // what those get whose transaction has ended
    let mut is_dirty = false; // whether the savepoint holds an earlier job's changes
    for job in jobs {
        // A full disk may have ended the transaction already; the next statement would begin
        // another.
        if !is_sound {
            refuse(job, failure).await;
            continue;
        }
        if is_dirty && !is_alone {
            // Both in one message to the connection's thread.
            let next = tx.run("RELEASE one; SAVEPOINT one").await;
            is_sound &= next
                .inspect_err(|error| failure = Commit::from_error(error))
                .is_ok();
        }
        let callbacks = tx.after.len();
        tx.positions.release();
        tx.has_failed = false;
        let done = (job.run)(Step::Run(tx)).await;
        let keep = done.keep && !tx.has_failed;
        is_dirty = keep;
        if !keep {
            tx.after.truncate(callbacks);
            tx.positions.rollback();
            // Fails when a full disk has ended the transaction.
            is_sound &= is_alone || tx.run("ROLLBACK TO one").await.is_ok();
            if !is_sound && tx.reserve.is_full() {
                failure = Commit::DiskFull;
            }
        }
        answers.push((keep, done.answer));
    }
    let mut keep = is_sound && answers.iter().any(|(keep, _)| *keep);
    if keep && let Err(error) = tx.store_positions().await {
        tracing::error!(%error, "positions could not be stored; the writes are undone");
        keep = false;
        if tx.reserve.is_full() {
            failure = Commit::DiskFull;
        }
    }
    tx.positions.clear();
    let commit = match keep {
        true => match tx.run("COMMIT").await {
            Ok(()) => Commit::Done,
            Err(error) => {
                tracing::error!(%error, "a commit failed; its writes are undone");
                Commit::from_error(&error)
            }
        },
        false => failure,
    };
    if commit != Commit::Done {
        // After a failed COMMIT SQLite may or may not have rolled back already.
        drop(tx.run("ROLLBACK").await);
        tx.after.clear();
    }
    for then in tx.after.drain(..) {
        if std::panic::catch_unwind(AssertUnwindSafe(then)).is_err() {
            tracing::error!("what was to happen after a commit panicked");
        }
    }
    for (keep, answer) in answers {
        // One that was undone has its own error, unless it took its failed statement for done.
        answer(if keep { commit } else { failure });
    }
    counter!("tidepool_writes_total").increment(group as u64);
    histogram!("tidepool_commit_seconds").record(started.elapsed().as_secs_f64());
    histogram!("tidepool_commit_writes").record(group as f64);
}
