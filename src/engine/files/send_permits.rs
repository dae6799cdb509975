//! The permits of requests that send a body, shared fairly among accounts.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::base::error::{Allowance, Error, Result};
use crate::base::ids::AccountId;
use crate::base::telemetry::refused;

/// After which a refused request may find a permit.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);

/// One permit per request that sends a body: bounds memory and open files.
pub(super) struct SendPermits {
    /// In the order in which they were taken.
    holders: Arc<Mutex<Vec<Arc<Holder>>>>,
    max: usize,
    /// A quarter of all.
    max_per_account: usize,
}

struct Holder {
    account: AccountId,
    since: Instant,
    received: AtomicU64,
    is_interrupted: AtomicBool,
    interruption: Notify,
}

impl Holder {
    /// Bytes in a second.
    fn rate(&self) -> u64 {
        self.received.load(Ordering::Relaxed) / self.since.elapsed().as_secs().max(1)
    }
}

/// Held by a request that sends a body, until all clones are dropped or it is taken back.
#[derive(Clone)]
pub(super) struct SendPermit(Arc<Held>);

struct Held {
    holder: Arc<Holder>,
    holders: Arc<Mutex<Vec<Arc<Holder>>>>,
}

impl Drop for Held {
    fn drop(&mut self) {
        lock(&self.holders).retain(|holder| !Arc::ptr_eq(holder, &self.holder));
    }
}

impl SendPermits {
    pub(super) fn new(max: usize) -> Self {
        Self {
            holders: Arc::default(),
            max,
            max_per_account: max.div_ceil(4),
        }
    }

    /// Takes a permit. When there is none left, the account with the most loses one to an account
    /// that still has fewer with it: few accounts cannot keep all, however slowly they send.
    ///
    /// # Errors
    /// `TooMany` when the account holds a quarter of the permits, `Unavailable` when all are held
    /// and shared fairly.
    pub(super) fn take(&self, account: AccountId) -> Result<SendPermit> {
        let mut holders = lock(&self.holders);
        let held = holders.iter().filter(|holder| holder.account == account);
        let held = held.count();
        if held >= self.max_per_account {
            refused("uploads_of_account");
            let limit = u32::try_from(self.max_per_account).unwrap_or(u32::MAX);
            return Err(Error::TooMany(Allowance::used_up(limit, RETRY_INTERVAL)));
        }
        if holders.len() >= self.max {
            let Some(index) = slowest_of_largest(&holders, held + 2) else {
                refused("uploads");
                return Err(Error::Unavailable);
            };
            refused("uploads_interrupted");
            let slowest = holders.remove(index);
            slowest.is_interrupted.store(true, Ordering::Release);
            slowest.interruption.notify_one();
        }
        let holder = Arc::new(Holder {
            account,
            since: Instant::now(),
            received: AtomicU64::new(0),
            is_interrupted: AtomicBool::new(false),
            interruption: Notify::new(),
        });
        holders.push(holder.clone());
        Ok(SendPermit(Arc::new(Held {
            holder,
            holders: self.holders.clone(),
        })))
    }
}

impl SendPermit {
    /// Counts bytes that have arrived.
    pub(super) fn count(&self, bytes: usize) {
        let received = &self.0.holder.received;
        received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Waits until the permit is taken back.
    pub(super) async fn interrupted(&self) {
        while !self.0.holder.is_interrupted.load(Ordering::Acquire) {
            self.0.holder.interruption.notified().await;
        }
    }

    /// # Errors
    /// `Unavailable` when the permit was taken back: the client may go on later.
    pub(super) fn check(&self) -> Result<()> {
        match self.0.holder.is_interrupted.load(Ordering::Acquire) {
            true => Err(Error::Unavailable),
            false => Ok(()),
        }
    }
}

/// The slowest request of the account with the most permits, if those are at least `min`. The first
/// of several that are equally slow.
fn slowest_of_largest(holders: &[Arc<Holder>], min: usize) -> Option<usize> {
    let mut held: HashMap<AccountId, usize> = HashMap::new();
    for holder in holders {
        *held.entry(holder.account).or_default() += 1;
    }
    let (largest, most) = held.into_iter().max_by_key(|(_, held)| *held)?;
    let requests = holders.iter().enumerate();
    let slowest = requests
        .filter(|(_, holder)| holder.account == largest)
        .min_by_key(|(_, holder)| holder.rate());
    slowest.map(|(index, _)| index).filter(|_| most >= min)
}

fn lock(holders: &Mutex<Vec<Arc<Holder>>>) -> MutexGuard<'_, Vec<Arc<Holder>>> {
    holders.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newcomer_takes_slowest_permit_of_largest_holder() {
        let permits = SendPermits::new(8);
        let take = |account| permits.take(AccountId(account));
        let mut held: Vec<_> = [1, 1, 2, 2, 3, 3, 4]
            .map(|account| take(account).unwrap())
            .into();
        assert!(matches!(take(1), Err(Error::TooMany(_))));
        held.push(take(5).unwrap());
        for (bytes, permit) in [900, 800, 10, 700, 900, 900, 0, 0].iter().zip(&held) {
            permit.count(*bytes << 20);
        }
        let taken_back = || held.iter().map(|permit| permit.check().is_err());
        let newcomers: Vec<_> = (6..9).map(|account| take(account).unwrap()).collect();
        // One of each account that had two.
        assert_eq!(taken_back().filter(|taken| *taken).count(), 3);
        assert!(taken_back().nth(2).unwrap() && taken_back().nth(1).unwrap());
        // Eight accounts have one each: that is fair.
        assert!(matches!(take(9), Err(Error::Unavailable)));
        assert!(matches!(take(1), Err(Error::Unavailable)));
        drop(newcomers);
        take(1).unwrap();
    }
}
