//! Timing of the runner: a token bucket for kinds with a rate limit, and detection of a system
//! clock that was set back.

use std::time::{Duration, Instant};

use crate::base::clock::Micros;

/// The smallest backward step of the system clock that counts: less is drift between the clocks.
const MIN_CLOCK_STEP: Duration = Duration::from_secs(5);

/// A token bucket; each job that begins takes a token. Holds one second's worth, at least one.
pub(super) struct TokenBucket {
    /// Tokens added per second.
    rate: f64,
    tokens: f64,
    refilled_at: Instant,
}

impl TokenBucket {
    pub(super) fn full(rate: f64) -> Self {
        Self {
            rate,
            tokens: rate.max(1.0),
            refilled_at: Instant::now(),
        }
    }

    /// Refills the bucket; returns the number of whole tokens in it.
    pub(super) fn refill(&mut self) -> usize {
        let now = Instant::now();
        let added = self.rate * (now - self.refilled_at).as_secs_f64();
        self.tokens = (self.tokens + added).min(self.rate.max(1.0));
        self.refilled_at = now;
        self.tokens as usize
    }

    pub(super) fn take(&mut self, tokens: usize) {
        self.tokens -= tokens as f64;
    }

    /// The time until there is a whole token, between a millisecond and an hour.
    pub(super) fn time_until_token(&self) -> Duration {
        Duration::from_secs_f64(((1.0 - self.tokens).max(0.0) / self.rate).clamp(0.001, 3600.0))
    }
}

/// Detects backward steps of the system clock by comparing it with the monotonic clock.
pub(super) struct ClockWatch {
    wall: Micros,
    monotonic: Instant,
}

impl ClockWatch {
    pub(super) fn new() -> Self {
        Self {
            wall: Micros::now(),
            monotonic: Instant::now(),
        }
    }

    /// By how much the system clock, which says `now`, was set back since the last call.
    pub(super) fn detect_step_back(&mut self, now: Micros) -> Option<Duration> {
        let expected = self.wall.plus(self.monotonic.elapsed());
        *self = Self {
            wall: now,
            monotonic: Instant::now(),
        };
        Some(expected.since(now)).filter(|step| *step > MIN_CLOCK_STEP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_step_back_is_detected_and_drift_ignored() {
        let mut clock = ClockWatch::new();
        let now = Micros::now();
        let ahead = now.plus(Duration::from_secs(3));
        assert_eq!(clock.detect_step_back(ahead), None);
        assert_eq!(clock.detect_step_back(Micros(now.0 - 1_000_000)), None);
        let hour_back = Micros(now.0 - 3_601_000_000);
        let step = clock.detect_step_back(hour_back).unwrap();
        assert!(
            step.abs_diff(Duration::from_secs(3600)) < Duration::from_millis(500),
            "{step:?}"
        );
        assert_eq!(clock.detect_step_back(hour_back), None);
    }

    #[test]
    fn token_bucket_allows_a_burst_then_refills() {
        let mut bucket = TokenBucket::full(10.0);
        assert_eq!(bucket.refill(), 10);
        bucket.take(10);
        assert_eq!(bucket.refill(), 0);
        assert!(bucket.time_until_token() <= Duration::from_millis(100));
        bucket.refilled_at -= Duration::from_millis(250);
        assert_eq!(bucket.refill(), 2);
    }
}
