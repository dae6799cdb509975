//! The runner: one task that takes waiting jobs, within the limits of their kinds, and runs each in
//! a task of its own.
//!
//! It sleeps until it is woken (a job was added, one has ended) or a job is due. It takes several
//! jobs in one write, which joins the group commit of other writers: a job costs two writes, one to
//! take it and one to end it, and neither needs a commit of its own.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::task::{JoinError, JoinSet};

use super::backoff;
use super::kind::Handler;
use super::outcome::{self, Outcome};
use super::rate::{ClockWatch, TokenBucket};
use super::run::{Progress, Run};
use super::store::{self, LEASE_TTL, Taken};
use super::{JobId, Jobs, RunningJob, Schedule};
use crate::base::clock::Micros;
use crate::base::error::Result;

/// Between renewals of the leases of running jobs. A lease survives two failed renewals.
const RENEW_INTERVAL: Duration = Duration::from_secs(10);
const _: () = assert!(RENEW_INTERVAL.as_secs() * 3 <= LEASE_TTL.as_secs());
/// The longest backoff: an hour and 25 % of jitter.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(4500);
/// Before the runner repeats a step that failed because the database did.
const ERROR_RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Between two looks at what other servers have done to jobs. Their jobs wake nobody here.
const SHARED_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The error of an attempt that ended with its process.
const DIED: &str = "the server ended while it ran";

type Ended = (JobId, Outcome);

pub(super) async fn run(
    jobs: Jobs,
    handlers: HashMap<&'static str, Handler>,
    schedules: Vec<Schedule>,
) {
    Runner {
        jobs,
        handlers,
        schedules,
        tasks: JoinSet::new(),
        job_of_task: HashMap::new(),
        buckets: HashMap::new(),
        clock: ClockWatch::new(),
        due: Micros(0),
        renewed_at: Instant::now(),
        polled_at: Instant::now(),
    }
    .run()
    .await;
}

struct Runner {
    jobs: Jobs,
    handlers: HashMap<&'static str, Handler>,
    schedules: Vec<Schedule>,
    tasks: JoinSet<Ended>,
    /// A task that was aborted or panicked ends without its [`Ended`] value.
    job_of_task: HashMap<tokio::task::Id, JobId>,
    buckets: HashMap<&'static str, TokenBucket>,
    clock: ClockWatch,
    /// When the next scheduled job or [`Schedule`] is due.
    due: Micros,
    renewed_at: Instant,
    /// When [`poll_shared`](Runner::poll_shared) ran last.
    polled_at: Instant,
}

impl Runner {
    async fn run(mut self) {
        let mut stopping = self.jobs.0.stopping.subscribe();
        while let Err(error) = self.recover().await {
            tracing::warn!(%error, "jobs cannot be read; it will be tried again");
            tokio::time::sleep(ERROR_RETRY_INTERVAL).await;
        }
        while !*stopping.borrow_and_update() {
            let sleep = self.step().await;
            let jobs = self.jobs.clone();
            tokio::select! {
                () = jobs.0.wake.notified() => {}
                _ = stopping.changed() => {}
                Some(ended) = self.tasks.join_next_with_id() => self.handle_ended(ended),
                () = tokio::time::sleep(sleep) => {}
            }
            // All jobs that ended meanwhile are replaced in one write.
            while let Some(ended) = self.tasks.try_join_next_with_id() {
                self.handle_ended(ended);
            }
        }
        while let Some(ended) = self.tasks.join_next_with_id().await {
            self.handle_ended(ended);
        }
        self.jobs.0.stopped.send_replace(true);
    }

    /// Maintains leases and schedules, and begins jobs. Returns how long to sleep at most.
    async fn step(&mut self) -> Duration {
        if let Err(error) = self.poll_shared().await {
            tracing::warn!(%error, "jobs of other servers cannot be read; it will be tried again");
        }
        if let Err(error) = self.maintain().await {
            tracing::warn!(%error, "jobs cannot be looked after; it will be tried again");
            self.due = Micros::now().plus(ERROR_RETRY_INTERVAL);
        }
        let rate_delay = self.begin_jobs().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "jobs cannot be taken; it will be tried again");
            Some(ERROR_RETRY_INTERVAL)
        });
        let poll_interval = match self.jobs.0.db.is_shared() {
            true => SHARED_POLL_INTERVAL,
            false => RENEW_INTERVAL,
        };
        self.due
            .since(Micros::now())
            .min(poll_interval)
            .min(rate_delay.unwrap_or(RENEW_INTERVAL))
    }

    /// Where other servers share the database: reads which kinds they have paused and which jobs
    /// that run here they have cancelled, and has every kind looked for again.
    async fn poll_shared(&mut self) -> Result<()> {
        if !self.jobs.0.db.is_shared() || self.polled_at.elapsed() < SHARED_POLL_INTERVAL {
            return Ok(());
        }
        self.polled_at = Instant::now();
        let jobs = self.jobs.clone();
        let read = self.jobs.0.db.write_queued(async move |tx| {
            let paused = store::paused_kinds(tx).await?;
            let cancelled = store::cancelled(tx).await?;
            tx.after_commit(move || jobs.set_paused(paused));
            Ok(cancelled)
        });
        let cancelled = read.await?;
        let mut state = self.jobs.state();
        for id in cancelled {
            if let Some(running) = state.running.get(&id) {
                running.stop.abort();
            }
        }
        state.ready.extend(self.jobs.kinds().keys());
        self.due = Micros(0);
        Ok(())
    }

    /// Restores the state of a previous process: jobs marked as running ended with it. Where other
    /// servers share the database, only those whose lease has ended.
    async fn recover(&mut self) -> Result<()> {
        let jobs = self.jobs.clone();
        let read = self.jobs.0.db.write_queued(async move |tx| {
            store::clamp_retries(tx, MAX_RETRY_DELAY, Micros::now()).await?;
            let paused = store::paused_kinds(tx).await?;
            tx.after_commit(move || jobs.set_paused(paused));
            Ok(())
        });
        read.await?;
        self.reclaim_after_crash().await?;
        self.jobs.wake_all();
        Ok(())
    }

    /// Fails the attempts that ran when an earlier process died. A job may be what killed it: each
    /// death delays the job further, and [`backoff::MAX_CRASHES`] of them end it.
    async fn reclaim_after_crash(&self) -> Result<()> {
        let jobs = self.jobs.clone();
        let until = match self.jobs.0.db.is_shared() {
            true => Micros::now(),
            false => Micros(i64::MAX),
        };
        let running: Vec<JobId> = self.jobs.state().running.keys().copied().collect();
        let write = self.jobs.0.db.write_queued(async move |tx| {
            for (id, kind, attempts) in store::expired_leases(tx, until).await? {
                if running.contains(&id) {
                    continue;
                }
                let crashes = store::count_crash(tx, id).await?;
                let kind = jobs.kinds().get(kind.as_str());
                let may_retry = kind.is_some_and(|kind| attempts < kind.max_attempts);
                let delay = backoff::delay_after_crash(crashes).filter(|_| may_retry);
                if delay.is_none() {
                    tracing::error!(%id, crashes, "a job is given up: the server died while it ran");
                }
                store::fail(tx, id, attempts, DIED, delay, Micros::now()).await?;
            }
            Ok(())
        });
        write.await
    }

    /// Fails attempts whose lease ended at or before `until` and that do not run here: their end
    /// could not be stored. The jobs are retried at once, within their attempts.
    async fn reclaim(&self, until: Micros) -> Result<()> {
        let jobs = self.jobs.clone();
        let running: Vec<JobId> = self.jobs.state().running.keys().copied().collect();
        let write = self.jobs.0.db.write_queued(async move |tx| {
            for (id, kind, attempts) in store::expired_leases(tx, until).await? {
                if running.contains(&id) {
                    continue;
                }
                let kind = jobs.kinds().get(kind.as_str());
                let delay = kind
                    .filter(|kind| attempts < kind.max_attempts)
                    .map(|_| Duration::ZERO);
                store::fail(tx, id, attempts, DIED, delay, Micros::now()).await?;
            }
            Ok(())
        });
        write.await
    }

    /// Renews leases, and adds or promotes jobs that are due. Writes nothing when neither is due.
    async fn maintain(&mut self) -> Result<()> {
        let now = Micros::now();
        // Where other servers share the database, their clocks may have gone on.
        let is_alone = !self.jobs.0.db.is_shared();
        let step_back = self.clock.detect_step_back(now).filter(|_| is_alone);
        let running: Vec<JobId> = self.jobs.state().running.keys().copied().collect();
        let must_renew = !running.is_empty() && self.renewed_at.elapsed() >= RENEW_INTERVAL;
        if self.jobs.0.timer_is_stale.swap(false, Ordering::AcqRel) || step_back.is_some() {
            self.due = Micros(0);
        }
        if now < self.due && !must_renew {
            return Ok(());
        }
        let (jobs, schedules) = (self.jobs.clone(), self.schedules.clone());
        let maintain = self.jobs.0.db.write_queued(async move |tx| {
            if let Some(by) = step_back {
                store::shift_times_back(tx, by).await?;
            }
            store::renew_leases(tx, &running, now).await?;
            let promoted = store::promote_due(tx, now).await?;
            let mut next = store::next_due(tx).await?.unwrap_or(Micros(i64::MAX));
            for schedule in &schedules {
                next = next.min(schedule.tick(tx, &jobs, now).await?);
            }
            Ok((promoted, next))
        });
        let (promoted, next) = maintain.await?;
        (self.due, self.renewed_at) = (next, Instant::now());
        if promoted {
            self.jobs.wake_all();
        }
        // What does not run here has died with another server.
        match self.jobs.0.db.is_shared() {
            true => self.reclaim_after_crash().await,
            false => self.reclaim(now).await,
        }
    }

    /// Takes and starts as many waiting jobs as may run. Returns how long until a kind that its
    /// rate held back may go on.
    async fn begin_jobs(&mut self) -> Result<Option<Duration>> {
        let (capacities, rate_delay) = self.capacities();
        if capacities.is_empty() {
            return Ok(rate_delay);
        }
        // Cleared before the jobs are read: one that is added meanwhile sets it again.
        for (kind, _) in &capacities {
            self.jobs.state().ready.remove(kind);
        }
        let limits = capacities.clone();
        let take = self.jobs.0.db.write_queued(async move |tx| {
            let mut taken: Vec<(&'static str, usize, Vec<Taken>)> = Vec::new();
            for (kind, max) in limits {
                let jobs = store::take(tx, kind, max, Micros::now()).await?;
                taken.push((kind, max, jobs));
            }
            Ok(taken)
        });
        let taken = match take.await {
            Ok(taken) => taken,
            Err(error) => {
                let kinds = capacities.iter().map(|(kind, _)| *kind);
                self.jobs.state().ready.extend(kinds);
                return Err(error);
            }
        };
        for (kind, max, jobs) in taken {
            if jobs.len() == max {
                self.jobs.state().ready.insert(kind); // there may be more
            }
            if let Some(bucket) = self.buckets.get_mut(kind) {
                bucket.take(jobs.len());
            }
            for job in jobs {
                self.spawn(kind, job);
            }
        }
        Ok(rate_delay)
    }

    /// How many more jobs of each ready kind may begin now, for kinds where any may; and how long
    /// until a kind that its rate holds back may go on.
    fn capacities(&mut self) -> (Vec<(&'static str, usize)>, Option<Duration>) {
        let (mut capacities, mut rate_delay) = (Vec::new(), None::<Duration>);
        let state = self.jobs.state();
        for name in &state.ready {
            let Some(kind) = self
                .jobs
                .kinds()
                .get(name)
                .filter(|_| !state.paused.contains(*name))
            else {
                continue;
            };
            let running = state.running.values();
            let running = running.filter(|job| job.kind == *name).count();
            let free = kind.concurrency.saturating_sub(running);
            let tokens = match kind.max_per_second {
                Some(rate) => self
                    .buckets
                    .entry(name)
                    .or_insert_with(|| TokenBucket::full(rate))
                    .refill(),
                None => usize::MAX,
            };
            if tokens == 0 && free > 0 {
                let delay = self.buckets[name].time_until_token();
                rate_delay = Some(rate_delay.map_or(delay, |least| least.min(delay)));
            }
            if free.min(tokens) > 0 {
                capacities.push((*name, free.min(tokens)));
            }
        }
        (capacities, rate_delay)
    }

    /// Runs a job in a task that also records how it ended.
    fn spawn(&mut self, kind: &'static str, job: Taken) {
        let spec = &self.jobs.kinds()[kind];
        let (timeout, progress) = (spec.timeout, Arc::new(Progress::default()));
        let (id, attempt) = (job.id, job.attempts);
        let run = Run {
            jobs: self.jobs.clone(),
            id,
            attempt,
            payload: job.payload,
            progress: progress.clone(),
        };
        let jobs = self.jobs.clone();
        let handler = self.handlers[kind].clone();
        let task = async move {
            // Calling the handler may panic as well as polling its future.
            let handled = AssertUnwindSafe(async move { handler(run).await }).catch_unwind();
            let outcome = match tokio::time::timeout(timeout, handled).await {
                Ok(Ok(result)) => Ok(result),
                Ok(Err(_)) => Err("it panicked"),
                Err(_) => Err("it took too long"),
            };
            let outcome = outcome::record(&jobs, kind, id, attempt, outcome).await;
            (id, outcome)
        };
        let handle = self.tasks.spawn(task);
        self.job_of_task.insert(handle.id(), id);
        let running = RunningJob {
            kind,
            attempt,
            since: Micros::now(),
            progress,
            stop: handle,
        };
        self.jobs.state().running.insert(id, running);
        self.jobs.notify_changed();
    }

    fn handle_ended(&mut self, ended: Result<(tokio::task::Id, Ended), JoinError>) {
        let (task, is_cancelled) = match ended {
            Ok((task, _)) => (task, false),
            Err(error) => (error.id(), error.is_cancelled()),
        };
        let Some(id) = self.job_of_task.remove(&task) else {
            return;
        };
        // `Jobs::stop` has removed, aborted and requeued it.
        let Some(job) = self.jobs.state().running.remove(&id) else {
            return;
        };
        self.jobs.state().ready.insert(job.kind);
        if is_cancelled {
            let (jobs, attempt) = (self.jobs.clone(), job.attempt);
            tokio::spawn(async move {
                let delete = jobs.0.db.write_queued(async move |tx| {
                    store::fail(tx, id, attempt, "cancelled", None, Micros::now()).await
                });
                if let Err(error) = delete.await {
                    tracing::warn!(%id, %error, "a cancelled job stays until its lease ends");
                }
                jobs.notify_changed();
            });
        }
        self.jobs.notify_changed();
    }
}
