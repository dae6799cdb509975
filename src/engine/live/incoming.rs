//! The messages that one read of a socket brings.

use crate::engine::websocket::{Fault, Inflater, Message, Reader};

/// More than a socket may send at once before it is closed for flooding (`session.rs`). They wait
/// in memory while the first is handled, and a read of 64 KiB can hold ten thousand.
const MAX_MESSAGES_PER_READ: usize = 256;

/// Messages in the order in which they were sent.
pub(super) struct Incoming {
    pub(super) messages: Vec<Message>,
    /// There were more, which are dropped.
    pub(super) is_flood: bool,
}

/// Takes the whole messages out of bytes, at most [`MAX_MESSAGES_PER_READ`].
pub(super) fn read_messages(
    mut bytes: &mut [u8],
    reader: &mut Reader,
    inflater: &mut Inflater,
) -> Result<Incoming, Fault> {
    let mut messages = Vec::new();
    while let Some(message) = reader.next(&mut bytes, inflater)? {
        if messages.len() == MAX_MESSAGES_PER_READ {
            return Ok(Incoming {
                messages,
                is_flood: true,
            });
        }
        messages.push(message);
    }
    Ok(Incoming {
        messages,
        is_flood: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_one_read_are_bounded() {
        const EMPTY_PING: [u8; 6] = [0x89, 0x80, 1, 2, 3, 4];
        for (sent, is_flood) in [(MAX_MESSAGES_PER_READ, false), (10_000, true)] {
            let mut reader = Reader::new(1_000, false);
            let mut bytes = EMPTY_PING.repeat(sent);
            let incoming = read_messages(&mut bytes, &mut reader, &mut Inflater::new()).unwrap();
            assert_eq!(incoming.messages.len(), MAX_MESSAGES_PER_READ);
            assert_eq!(incoming.is_flood, is_flood);
        }
    }
}
