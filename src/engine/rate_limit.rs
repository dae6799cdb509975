//! Rate limits in memory (GCRA, the generic cell rate algorithm).

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{DefaultDirectRateLimiter, NotUntil, Quota, RateLimiter};

use crate::base::error::{Allowance, Error, Result};

// New keys after which idle ones are evicted without waiting for the next minute: a few MiB.
const MAX_NEW_KEYS: u32 = 1 << 16;

/// A rate limit for each key: a burst, refilled evenly over a window.
pub struct Rate<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, DashMapStateStore<K>, DefaultClock, StateInformationMiddleware>,
    /// Keys that were new since the last eviction.
    new_keys: AtomicU32,
}

impl<K: Hash + Eq + Clone> Rate<K> {
    /// Allows `burst` uses at once, and `burst` per `window` on average.
    ///
    /// # Panics
    /// When `burst` or `window` is zero: a programming error.
    pub fn new(burst: u32, window: Duration) -> Self {
        Self {
            limiter: RateLimiter::dashmap(quota(burst, window)).with_middleware(),
            new_keys: AtomicU32::new(0),
        }
    }

    /// Counts one use, and returns what is left.
    ///
    /// # Errors
    /// `TooMany` with the time until the next is allowed.
    pub fn check(&self, key: &K) -> Result<Allowance> {
        let state = self.limiter.check_key(key).map_err(too_many)?;
        let (quota, remaining) = (state.quota(), state.remaining_burst_capacity());
        let limit = quota.burst_size().get();
        // A client with many addresses makes many keys, which must not pile up until the next
        // scheduled eviction.
        if remaining + 1 == limit && self.new_keys.fetch_add(1, Ordering::Relaxed) >= MAX_NEW_KEYS {
            self.evict();
        }
        Ok(Allowance {
            limit,
            remaining,
            wait: Duration::ZERO,
            reset: quota.replenish_interval() * (limit - remaining),
        })
    }

    /// Drops keys whose allowance is full again. To be called every minute or so: nothing else
    /// frees their memory.
    pub fn evict(&self) {
        self.new_keys.store(0, Ordering::Relaxed);
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }
}

/// A rate limit without keys, in eight bytes.
pub struct Throttle(DefaultDirectRateLimiter);

impl Throttle {
    /// Allows `burst` uses at once, and `burst` per `window` on average.
    ///
    /// # Panics
    /// When `burst` or `window` is zero: a programming error.
    pub fn new(burst: u32, window: Duration) -> Self {
        Self(RateLimiter::direct(quota(burst, window)))
    }

    /// Counts one use.
    ///
    /// # Errors
    /// `TooMany` with the time until the next is allowed.
    pub fn check(&self) -> Result<()> {
        self.0.check().map_err(too_many)
    }
}

fn too_many(until: NotUntil<<DefaultClock as Clock>::Instant>) -> Error {
    let (quota, wait) = (
        until.quota(),
        until.wait_time_from(DefaultClock::default().now()),
    );
    let limit = quota.burst_size().get();
    Error::TooMany(Allowance {
        reset: wait + quota.replenish_interval() * (limit - 1),
        ..Allowance::used_up(limit, wait)
    })
}

fn quota(burst: u32, window: Duration) -> Quota {
    let burst = NonZeroU32::new(burst).expect("a rate allows something");
    Quota::with_period(window / burst.get())
        .expect("a rate has a window")
        .allow_burst(burst)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn use_past_the_burst_names_the_wait() {
        let rate = Rate::new(10, Duration::from_secs(180));
        for used in 1..=10 {
            let left = rate.check(&"ann").unwrap();
            assert_eq!(
                (left.limit, left.remaining, left.wait),
                (10, 10 - used, Duration::ZERO)
            );
            assert_eq!(left.reset, Duration::from_secs(18) * used);
        }
        let Err(Error::TooMany(left)) = rate.check(&"ann") else {
            panic!("allowed")
        };
        assert!(left.wait <= Duration::from_secs(18) && left.wait > Duration::from_secs(16));
        assert!(left.reset <= Duration::from_secs(180) && left.reset > Duration::from_secs(178));
        assert_eq!((left.limit, left.remaining), (10, 0));
        rate.check(&"bob").unwrap();
    }

    #[test]
    fn keys_used_once_are_evicted() {
        let rate = Rate::new(1_000, Duration::from_millis(1));
        for key in 0..MAX_NEW_KEYS * 2 {
            rate.check(&key).unwrap();
        }
        assert!(
            rate.limiter.len() <= MAX_NEW_KEYS as usize + 1,
            "{}",
            rate.limiter.len()
        );
    }
}
