//! Who speaks: by the levels that browsers send with each packet of sound (RFC 6464).

use std::time::{Duration, Instant};

/// The least level of speech, in decibels below the loudest (dBov).
const MIN_SPEECH: i8 = -45;
/// How long somebody is said to speak after their last loud packet: longer than the pause between
/// two words.
const RELEASE: Duration = Duration::from_millis(400);
/// What a packet counts against those before it, as a fraction of this.
const SMOOTHING: i32 = 4;
/// Of whom nothing is heard.
const SILENCE: i32 = -127;

/// The level of one microphone over time.
#[derive(Clone, Debug)]
pub struct Speech {
    /// Smoothed, in dBov.
    level: i32,
    last_loud: Option<Instant>,
    last_packet: Option<Instant>,
}

impl Default for Speech {
    fn default() -> Self {
        Self {
            level: SILENCE,
            last_loud: None,
            last_packet: None,
        }
    }
}

impl Speech {
    /// Takes the level of a packet, in dBov: 0 is the loudest. A browser that sends none is taken
    /// for loud, as it sends nothing in silence.
    pub fn hear(&mut self, level: Option<i8>, now: Instant) {
        let level = level.unwrap_or(MIN_SPEECH).clamp(-127, 0);
        self.level += (i32::from(level) - self.level) / SMOOTHING;
        if i32::from(level) > self.level {
            self.level = i32::from(level); // loud at once, quiet slowly
        }
        if level >= MIN_SPEECH {
            self.last_loud = Some(now);
        }
        self.last_packet = Some(now);
    }

    /// Forgets what was heard, as when the microphone is muted.
    pub fn silence(&mut self) {
        *self = Self::default();
    }

    /// Whether they speak.
    pub fn is_speaking(&self, now: Instant) -> bool {
        self.last_loud
            .is_some_and(|loud| now.saturating_duration_since(loud) < RELEASE)
    }

    /// How loud they are, in dBov; the least of those of whom nothing came for a while.
    pub fn loudness(&self, now: Instant) -> i32 {
        let is_recent = |at: Instant| now.saturating_duration_since(at) < RELEASE;
        match self.last_packet {
            Some(at) if is_recent(at) => self.level,
            _ => SILENCE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speech_is_seen_with_its_first_packet_and_ends_after_a_pause() {
        let mut speech = Speech::default();
        let start = Instant::now();
        speech.hear(Some(-80), start);
        assert!(!speech.is_speaking(start));
        speech.hear(Some(-20), start);
        assert!(speech.is_speaking(start));
        assert!(speech.is_speaking(start + Duration::from_millis(300)));
        assert!(!speech.is_speaking(start + RELEASE));
    }

    #[test]
    fn level_outside_of_its_range_is_taken_for_the_nearest() {
        let mut speech = Speech::default();
        let now = Instant::now();
        speech.hear(Some(i8::MIN), now);
        speech.hear(Some(i8::MAX), now);
        assert_eq!(speech.loudness(now), 0);
    }
}
