//! How long the way to a sharer and back takes, by what is typed: from when it is sent until the
//! sharer's program has got it.

use std::time::{Duration, Instant};

/// A delay that is longer says nothing of the way: the program took nothing.
const MAX_DELAY: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(super) struct SharerDelay {
    /// Input up to this position was sent then, and not acknowledged.
    sent: Option<(u64, Instant)>,
    delay: Duration,
}

impl SharerDelay {
    /// Input up to a position is sent.
    pub(super) fn note_sent(&mut self, position: u64) {
        self.sent.get_or_insert_with(|| (position, Instant::now()));
    }

    /// Everything before a position has arrived.
    pub(super) fn note_arrived(&mut self, position: u64) {
        if let Some((_, since)) = self.sent.take_if(|(sent, _)| *sent <= position) {
            let delay = since.elapsed().min(MAX_DELAY);
            // One slow answer among quick ones counts for a quarter.
            self.delay = match self.delay.is_zero() {
                true => delay,
                false => (self.delay * 3 + delay) / 4,
            };
        }
    }

    /// Nothing is on its way any more.
    pub(super) fn forget_sent(&mut self) {
        self.sent = None;
    }

    /// In ms.
    pub(super) fn millis(&self) -> u32 {
        self.delay.as_millis() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delay_is_measured_from_the_first_byte_that_waits() {
        let mut delay = SharerDelay::default();
        delay.note_arrived(7);
        assert_eq!(delay.delay, Duration::ZERO);
        delay.note_sent(3);
        delay.note_sent(5);
        delay.note_arrived(2);
        assert!(delay.sent.is_some());
        delay.note_arrived(3);
        assert!(delay.sent.is_none() && delay.delay > Duration::ZERO);
    }
}
