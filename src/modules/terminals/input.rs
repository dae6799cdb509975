//! What people typed, until the sharer's program has got it.

use std::collections::VecDeque;

use crate::base::ids::AccountId;

/// Bytes of input that wait for a sharer. Who types more waits.
pub(super) const MAX_WAITING_BYTES: usize = 64 << 10;

/// Input with positions: what was sent and not acknowledged is sent again on a new connection.
#[derive(Default)]
pub(super) struct InputQueue {
    /// The position of the first byte that waits.
    start: u64,
    /// Everything before was given to the connection, which may have it already.
    sent: u64,
    waiting: VecDeque<u8>,
    /// Who typed how many of these bytes, in their order.
    typists: VecDeque<(AccountId, usize)>,
}

impl InputQueue {
    /// Adds what somebody typed. False when too much waits.
    pub(super) fn push(&mut self, account: AccountId, bytes: &[u8]) -> bool {
        let fits = self.waiting.len() + bytes.len() <= MAX_WAITING_BYTES;
        if fits {
            self.add(account, bytes);
        }
        fits
    }

    fn add(&mut self, account: AccountId, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.waiting.extend(bytes);
        match self.typists.back_mut() {
            Some((last, count)) if *last == account => *count += bytes.len(),
            _ => self.typists.push_back((account, bytes.len())),
        }
    }

    /// The position behind the last byte.
    pub(super) fn end(&self) -> u64 {
        self.start + self.waiting.len() as u64
    }

    /// Takes what waits from a position on, to send it; the position that it begins at may be
    /// later.
    pub(super) fn read(&mut self, position: u64) -> (u64, Vec<u8>) {
        let from = position.clamp(self.start, self.end());
        let skip = (from - self.start) as usize;
        self.sent = self.end();
        (from, self.waiting.range(skip..).copied().collect())
    }

    /// Everything before a position has arrived.
    pub(super) fn ack(&mut self, position: u64) {
        let arrived = position.clamp(self.start, self.end()) - self.start;
        self.start += arrived;
        let mut left = arrived as usize;
        self.waiting.drain(..left);
        while left > 0
            && let Some((account, count)) = self.typists.pop_front()
        {
            if count > left {
                self.typists.push_front((account, count - left));
            }
            left = left.saturating_sub(count);
        }
    }

    /// Where the sharer is on a new connection: what waits from there on has not arrived. An
    /// instance that has just got the terminal knows of nothing before.
    pub(super) fn begin_at(&mut self, position: u64) {
        if position > self.end() {
            *self = Self {
                start: position,
                ..Self::default()
            };
        }
        self.ack(position);
        self.sent = self.start;
    }

    /// Drops what those typed who may not any more, unless it was sent.
    pub(super) fn keep_only(&mut self, may_type: impl Fn(AccountId) -> bool) {
        let mut sent = self.sent.saturating_sub(self.start) as usize;
        let mut waiting = std::mem::take(&mut self.waiting);
        for (account, count) in std::mem::take(&mut self.typists) {
            let bytes: Vec<u8> = waiting.drain(..count).collect();
            let kept = match may_type(account) {
                true => count,
                false => sent.min(count),
            };
            sent = sent.saturating_sub(count);
            self.add(account, &bytes[..kept]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: AccountId = AccountId(1);
    const BOB: AccountId = AccountId(2);

    #[test]
    fn unacknowledged_input_is_read_again() {
        let mut queue = InputQueue::default();
        assert!(queue.push(ANN, b"abc") && queue.push(BOB, b"de"));
        assert_eq!(queue.read(3), (3, b"de".to_vec()));
        queue.ack(2);
        assert_eq!(queue.read(0), (2, b"cde".to_vec()));
        queue.ack(99);
        assert_eq!((queue.read(0), queue.end()), ((5, Vec::new()), 5));
        assert!(!queue.push(ANN, &[0; MAX_WAITING_BYTES + 1]));
        queue.begin_at(20);
        assert_eq!(queue.end(), 20);
    }

    #[test]
    fn input_of_who_may_not_type_any_more_is_dropped_unless_it_was_sent() {
        let mut queue = InputQueue::default();
        assert!(queue.push(ANN, b"abc") && queue.push(BOB, b"de"));
        assert_eq!(queue.read(0), (0, b"abcde".to_vec()));
        assert!(queue.push(BOB, b"fg") && queue.push(ANN, b"h"));
        queue.ack(4);
        queue.keep_only(|account| account == ANN);
        assert_eq!(queue.read(0), (4, b"eh".to_vec()));
        // A new connection has got nothing of it.
        queue.begin_at(4);
        queue.keep_only(|account| account == ANN);
        assert_eq!(queue.read(0), (4, b"h".to_vec()));
    }
}
