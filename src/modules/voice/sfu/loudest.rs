//! The loudest of a room, who alone are heard where many speak at once.

use std::time::{Duration, Instant};

use super::key::Key;

/// Participants whom a room hears at a time.
const MAX_HEARD: usize = 12;

/// How much louder somebody has to be than the quietest of those who are heard, in decibels: who
/// is nearly as loud does not take their place.
const MARGIN: i32 = 3;
/// After this much silence anybody takes somebody's place.
const QUIET: Duration = Duration::from_millis(500);

/// At most [`MAX_HEARD`] of a room's members.
#[derive(Default)]
pub struct Loudest {
    heard: Vec<Heard>,
}

struct Heard {
    key: Key,
    loudness: i32,
    at: Instant,
}

impl Loudest {
    /// Takes note of a member's packet, and lets them in if there is a place or they are louder
    /// than another, who is returned then.
    pub fn admit(&mut self, key: Key, loudness: i32, now: Instant) -> Option<Key> {
        let newest = Heard {
            key,
            loudness,
            at: now,
        };
        if let Some(known) = self.heard.iter_mut().find(|heard| heard.key == key) {
            *known = newest;
            return None;
        }
        if self.heard.len() < MAX_HEARD {
            self.heard.push(newest);
            return None;
        }
        let is_quiet = |heard: &Heard| now.saturating_duration_since(heard.at) >= QUIET;
        let quietest = self.heard.iter_mut().min_by_key(|heard| {
            if is_quiet(heard) {
                i32::MIN
            } else {
                heard.loudness
            }
        })?;
        if is_quiet(quietest) || loudness >= quietest.loudness + MARGIN {
            return Some(std::mem::replace(quietest, newest).key);
        }
        None
    }

    /// Whether somebody is heard.
    pub fn contains(&self, key: Key) -> bool {
        self.heard.iter().any(|heard| heard.key == key)
    }

    /// Takes somebody out, who left or was muted.
    pub fn remove(&mut self, key: Key) {
        self.heard.retain(|heard| heard.key != key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn louder_member_takes_the_place_of_the_quietest() {
        let mut loudest = Loudest::default();
        let now = Instant::now();
        for key in 0..MAX_HEARD {
            assert_eq!(
                loudest.admit(key, -30 - i32::try_from(key).unwrap_or(0), now),
                None
            );
        }
        let quietest = MAX_HEARD - 1;
        // Nearly as loud is not enough.
        assert_eq!(loudest.admit(99, -40, now), None);
        assert!(!loudest.contains(99));
        assert_eq!(loudest.admit(99, -20, now), Some(quietest));
        assert!(loudest.contains(99) && !loudest.contains(quietest));
    }

    #[test]
    fn place_of_who_fell_silent_is_free() {
        let mut loudest = Loudest::default();
        let start = Instant::now();
        for key in 0..MAX_HEARD {
            loudest.admit(key, -10, start);
        }
        let later = start + QUIET;
        for key in 1..MAX_HEARD {
            loudest.admit(key, -10, later);
        }
        assert_eq!(loudest.admit(99, -60, later), Some(0));
    }
}
