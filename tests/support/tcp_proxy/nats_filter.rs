//! As much of the NATS protocol as it takes to drop whole messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The end of a line and of a message's content.
const END: &[u8] = b"\r\n";

/// Which messages are dropped, counted over all connections of a proxy. At first none.
#[derive(Default)]
pub struct MessageLoss {
    /// Every message whose number is a multiple of this is dropped; 0 drops none.
    period: AtomicU64,
    seen: AtomicU64,
}

impl MessageLoss {
    /// Drops one message in so many from now on, or none with 0.
    pub fn set_period(&self, period: u64) {
        self.period.store(period, Ordering::Relaxed);
    }

    /// How many messages have been sent, those that were dropped among them.
    pub fn seen(&self) -> u64 {
        self.seen.load(Ordering::Relaxed)
    }

    /// Counts a message; whether it is to be dropped.
    fn drops_next(&self) -> bool {
        let number = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        let period = self.period.load(Ordering::Relaxed);
        period > 0 && number.is_multiple_of(period)
    }
}

/// Takes what a NATS server sends on one connection, and passes all but the messages to be lost.
pub struct NatsFilter {
    loss: Arc<MessageLoss>,
    /// The beginning of a line or of a message.
    pending: Vec<u8>,
}

impl NatsFilter {
    /// At the beginning of a connection.
    pub fn new(loss: Arc<MessageLoss>) -> Self {
        Self {
            loss,
            pending: Vec::new(),
        }
    }

    /// Takes the next bytes. What passes of them and of those that were kept back.
    pub fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.pending.extend_from_slice(bytes);
        let (mut passed, mut begin) = (Vec::new(), 0);
        while let Some((length, is_message)) = first_part(&self.pending[begin..]) {
            if !(is_message && self.loss.drops_next()) {
                passed.extend_from_slice(&self.pending[begin..begin + length]);
            }
            begin += length;
        }
        self.pending.drain(..begin);
        passed
    }
}

/// The length of the first line, or of the whole message that begins with it, and whether it is a
/// message. Nothing until all of it is there.
fn first_part(bytes: &[u8]) -> Option<(usize, bool)> {
    let line = bytes.windows(END.len()).position(|window| window == END)?;
    let head = std::str::from_utf8(&bytes[..line]).unwrap_or_default();
    let mut words = head.split_ascii_whitespace();
    // `MSG subject id [reply] length`, `HMSG subject id [reply] length-of-headers length`
    let is_message = words
        .next()
        .is_some_and(|verb| ["MSG", "HMSG"].contains(&&*verb.to_ascii_uppercase()));
    if !is_message {
        return Some((line + END.len(), false));
    }
    let content: usize = words.last()?.parse().expect("a message has a length");
    let length = line + END.len() + content + END.len();
    (bytes.len() >= length).then_some((length, true))
}
