//! Key frames that receivers need, and when to ask for them: one picture that needs no other is ten
//! times as long as the next, so each stream is asked at a bounded rate, however many wait for it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::key::Key;
use super::source::Source;

/// Between two requests for a key frame of one stream.
const INTERVAL: Duration = Duration::from_millis(500);

/// A key frame to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyframeWanted {
    /// Of whom.
    pub from: Key,
    /// Of what.
    pub source: Source,
    /// Of which layer.
    pub layer: usize,
}

/// The streams that somebody waits for a key frame of, and those that were asked lately.
#[derive(Default)]
pub struct Keyframes(HashMap<KeyframeWanted, Asked>);

#[derive(Default)]
struct Asked {
    is_wanted: bool,
    at: Option<Instant>,
}

impl Asked {
    fn is_recent(&self, now: Instant) -> bool {
        self.at
            .is_some_and(|at| now.saturating_duration_since(at) < INTERVAL)
    }
}

impl Keyframes {
    /// Somebody needs one.
    pub fn want(&mut self, wanted: KeyframeWanted) {
        self.0.entry(wanted).or_default().is_wanted = true;
    }

    /// Forgets what is of a member who left.
    pub fn forget(&mut self, from: Key) {
        self.0.retain(|wanted, _| wanted.from != from);
    }

    /// Adds those to ask for now to `out`.
    pub fn take_due(&mut self, now: Instant, out: &mut Vec<KeyframeWanted>) {
        for (wanted, asked) in &mut self.0 {
            if asked.is_wanted && !asked.is_recent(now) {
                *asked = Asked {
                    is_wanted: false,
                    at: Some(now),
                };
                out.push(*wanted);
            }
        }
        self.0
            .retain(|_, asked| asked.is_wanted || asked.is_recent(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_is_asked_at_a_bounded_rate_however_many_wait() {
        let mut keyframes = Keyframes::default();
        let wanted = KeyframeWanted {
            from: 1,
            source: Source::Camera,
            layer: 2,
        };
        let start = Instant::now();
        let mut asked = 0;
        for step in 0..100 {
            (0..10).for_each(|_| keyframes.want(wanted));
            let mut due = Vec::new();
            keyframes.take_due(start + Duration::from_millis(10) * step, &mut due);
            asked += due.len();
        }
        assert_eq!(asked, 2, "in a second");
        keyframes.forget(1);
        let mut due = Vec::new();
        keyframes.take_due(start + Duration::from_secs(9), &mut due);
        assert!(due.is_empty());
    }
}
