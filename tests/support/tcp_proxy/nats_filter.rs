//! As much of the NATS protocol as it takes to drop whole messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The end of a line and of a message's content.
const END: &[u8] = b"\r\n";

/// Drops one in so many of the messages that a NATS server sends, and passes everything else.
pub struct NatsFilter {
    number: u64,
    /// Counted over all connections, so that which are dropped does not depend on connections.
    messages: Arc<AtomicU64>,
    /// The beginning of a line or of a message.
    pending: Vec<u8>,
}

impl NatsFilter {
    /// Drops every message whose number, counted from 1, is a multiple of this.
    pub fn new(number: u64, messages: Arc<AtomicU64>) -> Self {
        Self {
            number,
            messages,
            pending: Vec::new(),
        }
    }

    /// Takes the next bytes. What passes of them and of those that were kept back.
    pub fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.pending.extend_from_slice(bytes);
        let (mut passed, mut begin) = (Vec::new(), 0);
        while let Some((length, is_message)) = first_part(&self.pending[begin..]) {
            let is_dropped = is_message
                && (self.messages.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(self.number);
            if !is_dropped {
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
