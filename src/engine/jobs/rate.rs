//! When jobs may begin: the rate of a kind, and a clock that somebody turns back.

use std::time::{Duration, Instant};

use crate::base::clock::Micros;

// A difference between the clocks that is not just imprecision.
const STEP: Duration = Duration::from_secs(5);

/// How many may begin, where a kind has a rate: filled at that rate, up to what one second brings.
pub(super) struct Bucket {
    rate: f64,
    holds: f64,
    at: Instant,
}

impl Bucket {
    pub(super) fn full(rate: f64) -> Self {
        Self {
            rate,
            holds: rate.max(1.0),
            at: Instant::now(),
        }
    }

    pub(super) fn holds(&mut self) -> usize {
        let now = Instant::now();
        self.holds =
            (self.holds + self.rate * (now - self.at).as_secs_f64()).min(self.rate.max(1.0));
        self.at = now;
        self.holds as usize
    }

    pub(super) fn take(&mut self, some: usize) {
        self.holds -= some as f64;
    }

    pub(super) fn until_one(&self) -> Duration {
        Duration::from_secs_f64(((1.0 - self.holds).max(0.0) / self.rate).clamp(0.001, 3600.0))
    }
}

/// Notices when the system's clock steps back, by the clock that never does.
pub(super) struct Steps {
    wall: Micros,
    at: Instant,
}

impl Steps {
    pub(super) fn new() -> Self {
        Self {
            wall: Micros::now(),
            at: Instant::now(),
        }
    }

    pub(super) fn stepped_back(&mut self, now: Micros) -> Option<Duration> {
        let expected = self.wall.plus(self.at.elapsed());
        *self = Self {
            wall: now,
            at: Instant::now(),
        };
        Some(expected.since(now)).filter(|by| *by > STEP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_back_is_noticed_and_an_imprecise_clock_is_not() {
        let mut steps = Steps::new();
        let now = Micros::now();
        assert_eq!(steps.stepped_back(now.plus(Duration::from_secs(3))), None);
        assert_eq!(steps.stepped_back(Micros(now.0 - 1_000_000)), None);
        let by = steps.stepped_back(Micros(now.0 - 3_601_000_000)).unwrap();
        assert!(
            by.abs_diff(Duration::from_secs(3600)) < Duration::from_millis(500),
            "{by:?}"
        );
        assert_eq!(steps.stepped_back(Micros(now.0 - 3_601_000_000)), None);
    }

    #[test]
    fn a_rate_lets_so_many_begin_and_then_one_after_the_other() {
        let mut bucket = Bucket::full(10.0);
        assert_eq!(bucket.holds(), 10);
        bucket.take(10);
        assert_eq!(bucket.holds(), 0);
        assert!(bucket.until_one() <= Duration::from_millis(100));
        bucket.at -= Duration::from_millis(250);
        assert_eq!(bucket.holds(), 2);
    }
}
