//! Spreads refetches: after a restart every page reads its regions again, and thousands of them at
//! the same moment leave the processor to nothing else.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

// Clients told to refetch in a second. A region costs 100 to 300 µs, so half of a core at most:
// 5,000 pages take 3.3 s, and posts go on beside them.
const REFETCHES_PER_SEC: u64 = 1_500;
// Clients that need not wait: the server answers so many at once without anyone noticing.
const MAX_IMMEDIATE: u64 = 32;
const INTERVAL: Duration = Duration::from_micros(1_000_000 / REFETCHES_PER_SEC);

/// A virtual queue of clients that refetch, one per [`INTERVAL`]: only its length is stored.
pub(super) struct RefetchPacer {
    started: Instant,
    /// When the last client of the queue refetches, in microseconds since `started`.
    end: AtomicU64,
}

impl RefetchPacer {
    pub(super) fn new() -> Self {
        Self {
            started: Instant::now(),
            end: AtomicU64::new(0),
        }
    }

    /// Appends a client to the queue. Returns the window, in milliseconds, in which it should
    /// refetch at a random moment; 0 while the queue is short.
    pub(super) fn reserve(&self) -> u32 {
        self.reserve_at(self.started.elapsed())
    }

    fn reserve_at(&self, now: Duration) -> u32 {
        let now = now.as_micros() as u64;
        let interval = INTERVAL.as_micros() as u64;
        let add = |end: u64| Some(end.max(now) + interval);
        let (Ok(end) | Err(end)) = self
            .end
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        let ahead = end.saturating_sub(now);
        let within = ahead.saturating_sub(MAX_IMMEDIATE * interval) / 1_000;
        u32::try_from(within).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_clients_refetch_at_once() {
        let pacer = RefetchPacer::new();
        for _ in 0..MAX_IMMEDIATE {
            assert_eq!(pacer.reserve_at(Duration::from_secs(1)), 0);
        }
        // A second later the queue is empty again.
        assert_eq!(pacer.reserve_at(Duration::from_secs(2)), 0);
    }

    #[test]
    fn window_grows_with_the_clients_told() {
        let pacer = RefetchPacer::new();
        let windows: Vec<u32> = (0..5_000).map(|_| pacer.reserve_at(INTERVAL)).collect();
        assert!(windows.is_sorted());
        assert!(
            (3_000..3_500).contains(&windows[4_999]),
            "{}",
            windows[4_999]
        );
        let later = pacer.reserve_at(INTERVAL + Duration::from_secs(1));
        assert!((2_000..2_500).contains(&later), "{later}");
    }
}
