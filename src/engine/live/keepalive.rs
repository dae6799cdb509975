//! When a connection is pinged, and when its peer counts as dead.

use std::cell::Cell;

const PING_INTERVAL_SECS: u32 = 8;
const READ_TIMEOUT_SECS: u32 = 17; // two pings without an answer
const WRITE_TIMEOUT_SECS: u32 = 15; // a peer that takes no byte for so long is gone
const NOW: u32 = u32::MAX; // set between two ticks; the next tick puts its second there

/// When a peer last did something, in seconds of its shard.
pub(super) struct Keepalive {
    last_read: Cell<u32>,
    /// When the peer last took bytes, or bytes began to wait for it.
    last_write: Cell<u32>,
}

/// What a connection has to do in this second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Ping,
    Close,
}

impl Keepalive {
    pub(super) fn new(second: u32) -> Self {
        Self {
            last_read: Cell::new(second),
            last_write: Cell::new(second),
        }
    }

    pub(super) fn has_read(&self, second: u32) {
        self.last_read.set(second);
    }

    /// The peer took bytes, or bytes began to wait for it. Does not read the clock.
    pub(super) fn has_written(&self) {
        self.last_write.set(NOW);
    }

    /// Called every second. Pings are spread over the interval by the sockets' numbers.
    pub(super) fn tick(&self, second: u32, socket: u64, has_unsent: bool) -> Due {
        if self.last_write.get() == NOW {
            self.last_write.set(second);
            self.last_read.set(second); // a peer that takes bytes is alive
        }
        let is_stuck = has_unsent && second - self.last_write.get() > WRITE_TIMEOUT_SECS;
        if is_stuck || second.saturating_sub(self.last_read.get()) > READ_TIMEOUT_SECS {
            Due::Close
        } else if !has_unsent
            && (u64::from(second) + socket).is_multiple_of(u64::from(PING_INTERVAL_SECS))
        {
            Due::Ping
        } else {
            Due::Nothing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_close(keepalive: &Keepalive, has_unsent: bool) -> Option<u32> {
        (1..60).find(|second| keepalive.tick(*second, 0, has_unsent) == Due::Close)
    }

    #[test]
    fn silent_peer_is_pinged_twice_then_closed() {
        let keepalive = Keepalive::new(0);
        let pings = (1..18).filter(|second| keepalive.tick(*second, 0, false) == Due::Ping);
        assert_eq!(pings.collect::<Vec<_>>(), [8, 16]);
        assert_eq!(keepalive.tick(18, 0, false), Due::Close);
    }

    #[test]
    fn peer_that_takes_no_byte_is_closed() {
        let keepalive = Keepalive::new(0);
        keepalive.has_written();
        assert_eq!(first_close(&keepalive, true), Some(17)); // 15 s after the first tick
    }

    #[test]
    fn peer_that_takes_bytes_silently_stays() {
        let keepalive = Keepalive::new(0);
        for second in 1..60 {
            keepalive.has_written();
            assert_ne!(keepalive.tick(second, 0, true), Due::Close);
        }
    }
}
