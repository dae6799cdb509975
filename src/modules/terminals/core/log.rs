//! The last bytes that a program wrote, with their positions.

use std::collections::VecDeque;

/// Bytes of output that are kept: a viewer that is behind by more gets the screen instead.
pub const MAX_LOG_BYTES: usize = 1 << 20;

/// The last [`MAX_LOG_BYTES`] of a program's output.
#[derive(Default)]
pub(super) struct ByteLog {
    /// The position of the first byte that is kept.
    start: u64,
    bytes: VecDeque<u8>,
}

impl ByteLog {
    /// A log that begins at a position, with nothing in it.
    pub(super) fn starting_at(start: u64) -> Self {
        Self {
            start,
            bytes: VecDeque::new(),
        }
    }

    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// The position of the next byte.
    pub(super) fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// Adds bytes at the end, and drops as many of the oldest as are too many.
    pub(super) fn append(&mut self, bytes: &[u8]) {
        let skipped = bytes.len().saturating_sub(MAX_LOG_BYTES);
        let excess = (self.bytes.len() + bytes.len()).saturating_sub(MAX_LOG_BYTES);
        self.bytes.drain(..excess.min(self.bytes.len()));
        self.bytes.extend(&bytes[skipped..]);
        self.start += excess as u64;
    }

    /// At most `max` bytes from a position on, which is kept or the end.
    pub(super) fn read(&self, position: u64, max: usize) -> Vec<u8> {
        let from = position.saturating_sub(self.start) as usize;
        let to = self.bytes.len().min(from.saturating_add(max));
        self.bytes.range(from.min(to)..to).copied().collect()
    }
}
