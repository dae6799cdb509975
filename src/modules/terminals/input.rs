//! What people typed, until the sharer's program has got it.

use std::collections::VecDeque;

/// Bytes of input that wait for a sharer. Who types more waits.
pub(super) const MAX_WAITING_BYTES: usize = 64 << 10;

/// Input with positions: what was sent and not acknowledged is sent again on a new connection.
#[derive(Default)]
pub(super) struct InputQueue {
    /// The position of the first byte that waits.
    start: u64,
    waiting: VecDeque<u8>,
}

impl InputQueue {
    /// Adds what somebody typed. False when too much waits.
    pub(super) fn push(&mut self, bytes: &[u8]) -> bool {
        let fits = self.waiting.len() + bytes.len() <= MAX_WAITING_BYTES;
        if fits {
            self.waiting.extend(bytes);
        }
        fits
    }

    /// The position behind the last byte.
    pub(super) fn end(&self) -> u64 {
        self.start + self.waiting.len() as u64
    }

    /// What waits from a position on; the position that it begins at may be later.
    pub(super) fn read(&self, position: u64) -> (u64, Vec<u8>) {
        let from = position.clamp(self.start, self.end());
        let skip = (from - self.start) as usize;
        (from, self.waiting.range(skip..).copied().collect())
    }

    /// Everything before a position has arrived.
    pub(super) fn ack(&mut self, position: u64) {
        let arrived = position.clamp(self.start, self.end()) - self.start;
        self.waiting.drain(..arrived as usize);
        self.start += arrived;
    }

    /// Where the sharer is, which an instance that has just got the terminal does not know.
    pub(super) fn begin_at(&mut self, position: u64) {
        match self.waiting.is_empty() && self.start < position {
            true => self.start = position,
            false => self.ack(position),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unacknowledged_input_is_read_again() {
        let mut queue = InputQueue::default();
        assert!(queue.push(b"abc") && queue.push(b"de"));
        assert_eq!(queue.read(3), (3, b"de".to_vec()));
        queue.ack(2);
        assert_eq!(queue.read(0), (2, b"cde".to_vec()));
        queue.ack(99);
        assert_eq!((queue.read(0), queue.end()), ((5, Vec::new()), 5));
        assert!(!queue.push(&[0; MAX_WAITING_BYTES + 1]));
        queue.begin_at(20);
        assert_eq!(queue.end(), 20);
    }
}
