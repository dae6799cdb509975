//! How often a sharer sends what costs much more than it has bytes: new sizes, whole screens, and
//! notes, which pages are told of.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// New sizes, whole screens and notes that a sharer sends in a second. Who sends more waits.
const MAX_SCREENS_PER_SECOND: u32 = 20;

/// Counts them.
pub(super) struct ScreenRate {
    since: Instant,
    count: u32,
}

impl ScreenRate {
    pub(super) fn new() -> Self {
        Self {
            since: Instant::now(),
            count: 0,
        }
    }

    /// Waits until another may be taken.
    pub(super) async fn wait(&mut self) {
        const SECOND: Duration = Duration::from_secs(1);
        self.count += 1;
        if self.count > MAX_SCREENS_PER_SECOND {
            sleep_until(self.since + SECOND).await;
        }
        if self.since.elapsed() >= SECOND {
            *self = Self {
                count: 1,
                ..Self::new()
            };
        }
    }
}
