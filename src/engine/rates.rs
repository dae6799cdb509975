//! Rates: how often one may do a thing. Generic cell rate limiting by key, in memory.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::DashMapStateStore;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::base::error::{Error, Result};

/// A limit for each key: `burst` at once, refilled evenly over `window`.
pub struct Rate<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, DashMapStateStore<K>, DefaultClock>,
}

impl<K: Hash + Eq + Clone> Rate<K> {
    /// `burst` (at least one) in any `window`, more only as it refills.
    ///
    /// # Panics
    /// When `burst` or `window` is zero: a mistake of the program, found at start.
    pub fn new(burst: u32, window: Duration) -> Self {
        Self { limiter: RateLimiter::dashmap(quota(burst, window)) }
    }

    /// Counts one.
    ///
    /// # Errors
    /// `TooMany` with the time until the next is allowed.
    pub fn check(&self, key: &K) -> Result<()> {
        self.limiter.check_key(key).map_err(|not_until| Error::TooMany(not_until.wait_time_from(DefaultClock::default().now())))
    }

    /// Forgets keys whose allowance is full again. Called now and then, or the keys of a scan stay for ever.
    pub fn tidy(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }
}

/// A limit for one thing alone, in eight bytes.
pub struct Throttle(DefaultDirectRateLimiter);

impl Throttle {
    /// `burst` in any `window`, more only as it refills.
    ///
    /// # Panics
    /// When `burst` or `window` is zero: a mistake of the program.
    pub fn new(burst: u32, window: Duration) -> Self {
        Self(RateLimiter::direct(quota(burst, window)))
    }

    /// Counts one.
    ///
    /// # Errors
    /// `TooMany` with the time until the next is allowed.
    pub fn check(&self) -> Result<()> {
        self.0.check().map_err(|not_until| Error::TooMany(not_until.wait_time_from(DefaultClock::default().now())))
    }
}

fn quota(burst: u32, window: Duration) -> Quota {
    let burst = NonZeroU32::new(burst).expect("a rate allows something");
    Quota::with_period(window / burst.get()).expect("a rate has a window").allow_burst(burst)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eleventh_of_ten_is_told_how_long_to_wait() {
        let rate = Rate::new(10, Duration::from_secs(180));
        for _ in 0..10 {
            rate.check(&"ann").unwrap();
        }
        let Err(Error::TooMany(wait)) = rate.check(&"ann") else { panic!("allowed") };
        assert!(wait <= Duration::from_secs(18) && wait > Duration::from_secs(16));
        rate.check(&"bob").unwrap();
    }
}
