//! The runner: one task that takes waiting jobs, as many as may run, and ends them.
//!
//! It sleeps until it is rung (a job was added, one has ended) or something is due. Jobs are taken
//! several at a time, in the group commit of whatever else is written, so a job costs two writes
//! and none of them alone.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::task::{JoinError, JoinSet};

use super::kind::Handler;
use super::outcome::{self, Outcome};
use super::rate::{Bucket, Steps};
use super::run::{Progress, Run};
use super::store::{self, LEASE, Taken};
use super::{JobId, Jobs, RunningJob, Schedule};
use crate::base::clock::Micros;
use crate::base::error::Result;

const LOOK: Duration = Duration::from_secs(10); // between signs of life, a third of a lease
const _: () = assert!(LOOK.as_secs() * 3 <= LEASE.as_secs());
// That a retry waits: an hour and a quarter by chance.
const LATEST: Duration = Duration::from_secs(4500);
const AGAIN: Duration = Duration::from_secs(1); // after a write that failed

type Ended = (JobId, Outcome);

pub(super) async fn run(
    jobs: Jobs,
    handlers: HashMap<&'static str, Handler>,
    schedules: Vec<Schedule>,
) {
    let (tasks, begun, buckets, clock) =
        (JoinSet::new(), HashMap::new(), HashMap::new(), Steps::new());
    Runner {
        jobs,
        handlers,
        schedules,
        tasks,
        begun,
        buckets,
        clock,
        due: Micros(0),
        looked: Instant::now(),
    }
    .run()
    .await;
}

struct Runner {
    jobs: Jobs,
    handlers: HashMap<&'static str, Handler>,
    schedules: Vec<Schedule>,
    tasks: JoinSet<Ended>,
    /// The job of each task, for those that end without a word.
    begun: HashMap<tokio::task::Id, JobId>,
    buckets: HashMap<&'static str, Bucket>,
    clock: Steps,
    /// When something is due by the clock.
    due: Micros,
    /// When signs of life were given last.
    looked: Instant,
}

impl Runner {
    async fn run(mut self) {
        let mut stopping = self.jobs.0.stopping.subscribe();
        while let Err(error) = self.recover().await {
            tracing::warn!(%error, "jobs cannot be read; it will be tried again");
            tokio::time::sleep(AGAIN).await;
        }
        while !*stopping.borrow_and_update() {
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "jobs cannot be looked after; it will be tried again");
                self.due = Micros::now().plus(AGAIN);
            }
            let wait = self.begin().await.unwrap_or_else(|error| {
                tracing::warn!(%error, "jobs cannot be taken; it will be tried again");
                Some(AGAIN)
            });
            let sleep = self
                .due
                .since(Micros::now())
                .min(LOOK)
                .min(wait.unwrap_or(LOOK));
            let jobs = self.jobs.clone();
            tokio::select! {
                () = jobs.0.rung.notified() => {}
                _ = stopping.changed() => {}
                Some(ended) = self.tasks.join_next_with_id() => self.ended(ended),
                () = tokio::time::sleep(sleep) => {}
            }
            // All places that became free meanwhile are given away in one write.
            while let Some(ended) = self.tasks.try_join_next_with_id() {
                self.ended(ended);
            }
        }
        while let Some(ended) = self.tasks.join_next_with_id().await {
            self.ended(ended);
        }
        self.jobs.0.stopped.send_replace(true);
    }

    /// At the start nothing runs: what is said to run was ended with the process.
    async fn recover(&mut self) -> Result<()> {
        let jobs = self.jobs.clone();
        let read = self.jobs.0.db.write_queued(async move |tx| {
            store::clamp_retries(tx, LATEST, Micros::now()).await?;
            let paused = store::paused(tx).await?;
            tx.after_commit(move || jobs.are_paused(paused));
            Ok(())
        });
        read.await?;
        self.reclaim(Micros(i64::MAX)).await?;
        self.jobs.ring_all();
        Ok(())
    }

    /// Jobs that began and whose end nobody has noted: tried again, as long as they may be.
    async fn reclaim(&self, until: Micros) -> Result<()> {
        let jobs = self.jobs.clone();
        let running: Vec<JobId> = self.jobs.state().running.keys().copied().collect();
        self.jobs
            .0
            .db
            .write_queued(async move |tx| {
                for (id, kind, attempts) in store::expired_leases(tx, until).await? {
                    if running.contains(&id) {
                        continue;
                    }
                    let kind = jobs.kinds().get(kind.as_str());
                    let wait = kind
                        .filter(|kind| attempts < kind.attempts)
                        .map(|_| Duration::ZERO);
                    store::fail(
                        tx,
                        id,
                        attempts,
                        "the server ended while it ran",
                        wait,
                        Micros::now(),
                    )
                    .await?;
                }
                Ok(())
            })
            .await
    }

    /// Does what has to be done from time to time: signs of life, and what is due by the clock.
    /// Nothing is written when there is nothing.
    async fn look(&mut self) -> Result<()> {
        let now = Micros::now();
        let stepped = self.clock.stepped_back(now);
        let running: Vec<JobId> = self.jobs.state().running.keys().copied().collect();
        let alive = !running.is_empty() && self.looked.elapsed() >= LOOK;
        if self.jobs.0.soon.swap(false, Ordering::AcqRel) || stepped.is_some() {
            self.due = Micros(0);
        }
        if now < self.due && !alive {
            return Ok(());
        }
        let (jobs, schedules) = (self.jobs.clone(), self.schedules.clone());
        let look = self.jobs.0.db.write_queued(async move |tx| {
            if let Some(by) = stepped {
                store::step_back(tx, by).await?;
            }
            store::renew(tx, &running, now).await?;
            let due = store::promote_due(tx, now).await?;
            let mut next = store::next_due(tx).await?.unwrap_or(Micros(i64::MAX));
            for schedule in &schedules {
                next = next.min(schedule.tick(tx, &jobs, now).await?);
            }
            Ok((due, next))
        });
        let (due, next) = look.await?;
        (self.due, self.looked) = (next, Instant::now());
        if due {
            self.jobs.ring_all();
        }
        self.reclaim(now).await
    }

    /// Takes what may begin and begins it. How long until a kind that was held back by its rate may
    /// go on.
    async fn begin(&mut self) -> Result<Option<Duration>> {
        let (mut wanted, mut wait) = (Vec::new(), None::<Duration>);
        {
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
                let running = state
                    .running
                    .values()
                    .filter(|job| job.kind == *name)
                    .count();
                let free = kind.at_once.saturating_sub(running);
                let may = match kind.per_second {
                    Some(rate) => self
                        .buckets
                        .entry(name)
                        .or_insert_with(|| Bucket::full(rate))
                        .holds(),
                    None => usize::MAX,
                };
                if may == 0 && free > 0 {
                    let until = self.buckets[name].until_one();
                    wait = Some(wait.map_or(until, |wait| wait.min(until)));
                }
                if free.min(may) > 0 {
                    wanted.push((*name, free.min(may)));
                }
            }
        }
        if wanted.is_empty() {
            return Ok(wait);
        }
        // Whoever is added from here on rings again.
        for (name, _) in &wanted {
            self.jobs.state().ready.remove(name);
        }
        let asked = wanted.clone();
        let taken = self.jobs.0.db.write_queued(async move |tx| {
            let mut taken: Vec<(&'static str, usize, Vec<Taken>)> = Vec::new();
            for (name, most) in asked {
                taken.push((
                    name,
                    most,
                    store::take(tx, name, most, Micros::now()).await?,
                ));
            }
            Ok(taken)
        });
        let taken = match taken.await {
            Ok(taken) => taken,
            Err(error) => {
                self.jobs
                    .state()
                    .ready
                    .extend(wanted.iter().map(|(name, _)| *name));
                return Err(error);
            }
        };
        for (name, most, some) in taken {
            if some.len() == most {
                self.jobs.state().ready.insert(name); // there may be more
            }
            if let Some(bucket) = self.buckets.get_mut(name) {
                bucket.take(some.len());
            }
            for job in some {
                self.spawn(name, job);
            }
        }
        Ok(wait)
    }

    fn spawn(&mut self, kind: &'static str, job: Taken) {
        let declared = &self.jobs.kinds()[kind];
        let (limit, progress) = (declared.limit, Arc::new(Progress::default()));
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
            // The handler itself may panic before it is a future.
            let attempt_at_it = AssertUnwindSafe(async move { handler(run).await }).catch_unwind();
            let ended = match tokio::time::timeout(limit, attempt_at_it).await {
                Ok(Ok(ended)) => Ok(ended),
                Ok(Err(_)) => Err("it panicked"),
                Err(_) => Err("it took too long"),
            };
            let ended = outcome::record(&jobs, kind, id, attempt, ended).await;
            (id, ended)
        };
        let handle = self.tasks.spawn(task);
        self.begun.insert(handle.id(), id);
        self.jobs.state().running.insert(
            id,
            RunningJob {
                kind,
                attempt,
                since: Micros::now(),
                progress,
                stop: handle,
            },
        );
        self.jobs.note();
    }

    fn ended(&mut self, ended: Result<(tokio::task::Id, Ended), JoinError>) {
        let (task, cancelled) = match ended {
            Ok((task, _)) => (task, false),
            Err(error) => (error.id(), error.is_cancelled()),
        };
        let Some(id) = self.begun.remove(&task) else {
            return;
        };
        let Some(job) = self.jobs.state().running.remove(&id) else {
            return;
        }; // given back by the one who stops the server
        self.jobs.state().ready.insert(job.kind);
        if cancelled {
            let (jobs, attempt) = (self.jobs.clone(), job.attempt);
            tokio::spawn(async move {
                let forget = jobs.0.db.write_queued(async move |tx| {
                    store::fail(tx, id, attempt, "cancelled", None, Micros::now()).await
                });
                if let Err(error) = forget.await {
                    tracing::warn!(%id, %error, "a cancelled job stays until its lease ends");
                }
                jobs.note();
            });
        }
        self.jobs.note();
    }
}
