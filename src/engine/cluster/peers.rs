//! The other instances: the newest number of each, and when it was heard last.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Without a word for so long, an instance is gone.
const PEER_TIMEOUT: Duration = Duration::from_secs(10);
/// Instances that are remembered; a stranger with the prefix cannot fill the memory.
const MAX_PEERS: usize = 1_024;

#[derive(Default)]
pub(super) struct Peers(Mutex<HashMap<String, Peer>>);

struct Peer {
    number: u64,
    heard_at: Instant,
}

/// What a number says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nothing was missed.
    InOrder,
    /// Messages before this one were missed.
    Gap,
    /// The instance was not known. It may have sent others before.
    First { has_sent_others: bool },
}

impl Heard {
    /// Whether messages were sent that were not heard.
    pub(super) fn is_gap(self) -> bool {
        match self {
            Self::InOrder => false,
            Self::Gap => true,
            Self::First { has_sent_others } => has_sent_others,
        }
    }
}

impl Peers {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Peer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the number of a message that stands for `count`.
    pub(super) fn hear(&self, from: &str, number: u64, count: u64) -> Heard {
        let mut peers = self.lock();
        let heard_at = Instant::now();
        let before = number.saturating_sub(count);
        let Some(peer) = peers.get_mut(from) else {
            if peers.len() < MAX_PEERS {
                peers.insert(from.to_owned(), Peer { number, heard_at });
            }
            return Heard::First {
                has_sent_others: before > 0,
            };
        };
        // One from before the newest: nothing is missed.
        let heard = match before <= peer.number {
            true => Heard::InOrder,
            false => Heard::Gap,
        };
        peer.heard_at = heard_at;
        peer.number = peer.number.max(number);
        heard
    }

    /// The newest number of an instance.
    pub(super) fn newest_of(&self, instance: &str) -> Option<u64> {
        self.lock().get(instance).map(|peer| peer.number)
    }

    /// Forgets the instances that have not been heard for [`PEER_TIMEOUT`].
    pub(super) fn evict(&self) {
        let mut peers = self.lock();
        peers.retain(|_, peer| peer.heard_at.elapsed() <= PEER_TIMEOUT);
        metrics::gauge!("tidepool_cluster_peers").set(peers.len() as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_number_is_a_gap() {
        let peers = Peers::default();
        assert!(!peers.hear("a", 1, 1).is_gap());
        assert_eq!(peers.hear("a", 2, 1), Heard::InOrder);
        assert_eq!(peers.hear("a", 4, 1), Heard::Gap);
        assert_eq!(peers.hear("a", 5, 1), Heard::InOrder);
    }

    #[test]
    fn repeated_number_tells_of_a_lost_last_message() {
        let peers = Peers::default();
        assert!(!peers.hear("a", 0, 0).is_gap());
        assert_eq!(peers.hear("a", 1, 1), Heard::InOrder);
        assert_eq!(peers.hear("a", 1, 0), Heard::InOrder);
        assert_eq!(peers.hear("a", 2, 0), Heard::Gap);
        assert_eq!(peers.hear("a", 2, 0), Heard::InOrder);
    }

    #[test]
    fn unknown_instance_that_has_sent_others_is_a_gap() {
        let peers = Peers::default();
        assert!(peers.hear("a", 7, 1).is_gap());
        assert!(peers.hear("b", 7, 0).is_gap());
        assert_eq!(peers.hear("b", 8, 1), Heard::InOrder);
    }
}
