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
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nothing was missed.
    InOrder,
    /// Messages before this one were missed, or it is the first of an instance that has sent others.
    Gap,
}

impl Peers {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Peer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the number of a message, or with `is_counted` false the newest number of its sender.
    pub(super) fn hear(&self, from: &str, number: u64, is_counted: bool) -> Heard {
        let mut peers = self.lock();
        let heard_at = Instant::now();
        let Some(peer) = peers.get_mut(from) else {
            if peers.len() < MAX_PEERS {
                peers.insert(from.to_owned(), Peer { number, heard_at });
            }
            let is_first = number == u64::from(is_counted);
            return if is_first { Heard::InOrder } else { Heard::Gap };
        };
        let expected = peer.number + u64::from(is_counted);
        peer.heard_at = heard_at;
        // Of an earlier message than the newest one: nothing is missed.
        let heard = match number <= expected {
            true => Heard::InOrder,
            false => Heard::Gap,
        };
        peer.number = peer.number.max(number);
        heard
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
        assert_eq!(peers.hear("a", 1, true), Heard::InOrder);
        assert_eq!(peers.hear("a", 2, true), Heard::InOrder);
        assert_eq!(peers.hear("a", 4, true), Heard::Gap);
        assert_eq!(peers.hear("a", 5, true), Heard::InOrder);
    }

    #[test]
    fn repeated_number_tells_of_a_lost_last_message() {
        let peers = Peers::default();
        assert_eq!(peers.hear("a", 0, false), Heard::InOrder);
        assert_eq!(peers.hear("a", 1, true), Heard::InOrder);
        assert_eq!(peers.hear("a", 1, false), Heard::InOrder);
        assert_eq!(peers.hear("a", 2, false), Heard::Gap);
        assert_eq!(peers.hear("a", 2, false), Heard::InOrder);
    }

    #[test]
    fn unknown_instance_that_has_sent_others_is_a_gap() {
        let peers = Peers::default();
        assert_eq!(peers.hear("a", 7, true), Heard::Gap);
        assert_eq!(peers.hear("b", 7, false), Heard::Gap);
        assert_eq!(peers.hear("b", 8, true), Heard::InOrder);
    }
}
