//! Many followers on few threads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::sync::watch;

use crate::follower::{Follower, Plan};
use crate::load::threads;

const WAIT_TIMEOUT: Duration = Duration::from_secs(60); // until all follow for the first time

/// Followers of one room. Dropped, they leave.
pub struct FollowerPool {
    followers: Vec<Arc<Follower>>,
    failed: Arc<Mutex<Option<anyhow::Error>>>,
    leave: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

impl FollowerPool {
    /// Opens `count` sockets with these cookies by turns, and waits until all follow.
    pub async fn connect(plan: Plan, cookies: &[String], count: usize) -> Result<Self> {
        let pool = Self::open(plan, cookies, count);
        pool.all_follow(WAIT_TIMEOUT).await?;
        Ok(pool)
    }

    /// The same without waiting.
    pub fn open(plan: Plan, cookies: &[String], count: usize) -> Self {
        let (leave, leaving) = watch::channel(false);
        let followers: Vec<_> = (0..count).map(|_| Arc::new(Follower::default())).collect();
        let mut pool = Self {
            followers,
            failed: Arc::default(),
            leave,
            threads: Vec::new(),
        };
        let plan = Arc::new(plan);
        let threads = threads().min(count);
        for thread in 0..threads {
            let mine: Vec<_> = (thread..count)
                .step_by(threads)
                .map(|n| {
                    (
                        pool.followers[n].clone(),
                        cookies[n % cookies.len()].clone(),
                    )
                })
                .collect();
            let (plan, failed, mut leaving) = (plan.clone(), pool.failed.clone(), leaving.clone());
            pool.threads.push(std::thread::spawn(move || {
                let fail = |failed: &Mutex<Option<anyhow::Error>>, error: anyhow::Error| {
                    failed
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .get_or_insert(error);
                };
                let all = async {
                    for (follower, cookie) in mine {
                        let (plan, failed) = (plan.clone(), failed.clone());
                        tokio::spawn(async move {
                            let Err(error) = follower.run(&plan, &cookie).await;
                            fail(&failed, error);
                        });
                    }
                    // An error means that the pool was dropped, which is the same.
                    let _ = leaving.wait_for(|leave| *leave).await;
                };
                match tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                {
                    Ok(runtime) => runtime.block_on(all),
                    Err(error) => fail(&failed, error.into()),
                }
            }));
        }
        pool
    }

    fn check_failures(&self) -> Result<()> {
        self.failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .map_or(Ok(()), |error| Err(error.context("a follower")))
    }

    /// The moment at which all are something.
    pub async fn all(
        &self,
        patience: Duration,
        what: &str,
        is: impl Fn(&Follower) -> bool,
    ) -> Result<Instant> {
        let until = Instant::now() + patience;
        loop {
            self.check_failures()?;
            let mut not_yet = self.followers.iter().filter(|follower| !is(follower));
            let Some(one) = not_yet.next() else {
                return Ok(Instant::now());
            };
            let trouble = one
                .trouble
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            ensure!(
                Instant::now() < until,
                "{} of {} do not {what}; {trouble}",
                1 + not_yet.count(),
                self.followers.len()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The moment at which all follow.
    pub async fn all_follow(&self, patience: Duration) -> Result<Instant> {
        self.all(patience, "follow", |follower| {
            follower.following.load(Ordering::Acquire)
        })
        .await
    }

    /// The moment at which all know this message or a newer one.
    pub async fn all_know(&self, message: u64, patience: Duration) -> Result<Instant> {
        self.all(patience, "know the last message", |follower| {
            follower.newest.load(Ordering::Acquire) >= message
        })
        .await
    }

    /// Fails unless every follower knows exactly these messages.
    pub fn check(&self, posted: &BTreeSet<u64>) -> Result<()> {
        self.check_failures()?;
        for (place, follower) in self.followers.iter().enumerate() {
            let known = follower
                .known
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let known: BTreeSet<u64> = known.iter().map(|(id, _)| *id).collect();
            let (missing, foreign) = (
                posted.difference(&known).count(),
                known.difference(posted).count(),
            );
            ensure!(
                missing + foreign == 0,
                "follower {place} misses {missing} of {} and knows {foreign} others",
                posted.len()
            );
        }
        Ok(())
    }

    /// Milliseconds from when these messages were sent until each follower was told of each.
    pub fn delays(&self, sent: &BTreeMap<u64, Instant>) -> Vec<f64> {
        let of = |follower: &Arc<Follower>| {
            let known = follower
                .known
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let told = known.iter().filter_map(|(id, at)| {
                Some((at.as_ref()?.duration_since(*sent.get(id)?)).as_secs_f64() * 1e3)
            });
            told.collect::<Vec<_>>()
        };
        self.followers.iter().flat_map(of).collect()
    }

    /// A count of all followers together.
    pub fn sum(&self, of: impl Fn(&Follower) -> &AtomicU64) -> u64 {
        self.followers
            .iter()
            .map(|follower| of(follower).load(Ordering::Relaxed))
            .sum()
    }

    /// Has one leave and come back.
    pub fn reconnect_one(&self, place: usize) {
        let follower = &self.followers[place % self.followers.len()];
        follower.following.store(false, Ordering::Release);
        follower.away.notify_one();
    }
}

impl Drop for FollowerPool {
    fn drop(&mut self) {
        self.leave.send_replace(true);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
