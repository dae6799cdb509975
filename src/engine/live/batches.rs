//! The bytes of a feed's frames, made once for all connections of a shard at the same position.

use std::cell::RefCell;
use std::sync::Arc;

use bytes::Bytes;

use super::feed::{Feed, FeedKind};
use super::frame::{Encoding, Frame};
use super::log::{Entry, ReadAfter};
use crate::engine::websocket::Deflater;

const MAX_BATCH_FRAMES: usize = 64;
const MAX_BATCH_BYTES: usize = 64 << 10; // a larger frame goes alone
const MAX_BATCHES: usize = 8; // held by a feed, for sockets at other positions or encodings

/// A feed that connections of this shard follow, with the batches made of it in this round.
pub(super) struct FeedBatches {
    pub(super) feed: Arc<Feed>,
    batches: RefCell<Vec<Batch>>,
}

/// What comes after a position in a feed, as bytes for every connection of one encoding there.
#[derive(Clone)]
pub(super) struct Batch {
    encoding: Encoding,
    seen: u64,
    rewrite_version: u64,
    /// Number of its last frame.
    pub(super) upto: u64,
    pub(super) frames: usize,
    /// Whether it is as large as a batch may be, so that there may be more.
    pub(super) full: bool,
    pub(super) bytes: Bytes,
}

impl Batch {
    fn empty(encoding: Encoding, seen: u64, rewrite_version: u64) -> Self {
        Self {
            encoding,
            seen,
            rewrite_version,
            upto: seen,
            frames: 0,
            full: false,
            bytes: Bytes::new(),
        }
    }

    /// Takes frames until it is full.
    fn fill(&mut self, frames: &[Arc<Frame>], deflater: &mut Deflater) {
        let mut bytes = Vec::new();
        self.full = frames.len() == MAX_BATCH_FRAMES;
        for frame in frames {
            if let Some(encoded) = frame.encoded(self.encoding, deflater) {
                if !bytes.is_empty() && bytes.len() + encoded.len() > MAX_BATCH_BYTES {
                    self.full = true;
                    break;
                }
                bytes.extend_from_slice(encoded);
                self.frames += 1;
            }
            self.upto = frame.number();
        }
        self.bytes = bytes.into();
    }
}

impl FeedBatches {
    pub(super) fn new(feed: Arc<Feed>) -> Self {
        Self {
            feed,
            batches: RefCell::default(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.batches.borrow().is_empty()
    }

    pub(super) fn clear(&self) {
        self.batches.borrow_mut().clear();
    }

    /// The batch after frame `seen`, if it was made since the feed's frames were last rewritten.
    pub(super) fn find(&self, seen: u64, encoding: Encoding) -> Option<Batch> {
        let rewrite_version = self.feed.log.rewrite_version();
        let fits = |batch: &&Batch| {
            batch.seen == seen
                && batch.encoding == encoding
                && batch.rewrite_version == rewrite_version
        };
        self.batches.borrow().iter().rev().find(fits).cloned()
    }

    /// Makes and holds the batch after frame `seen`; nothing when the ring no longer reaches back
    /// so far. On an ephemeral feed the connection then skips to the head.
    pub(super) fn make(
        &self,
        seen: u64,
        encoding: Encoding,
        deflater: &mut Deflater,
    ) -> Option<Batch> {
        let log = &self.feed.log;
        let batch = match log.read_after(seen, MAX_BATCH_FRAMES) {
            ReadAfter::Entries(frames, rewrite_version) => {
                let mut batch = Batch::empty(encoding, seen, rewrite_version);
                batch.fill(&frames, deflater);
                batch
            }
            ReadAfter::OutOfRange if self.feed.kind == FeedKind::Ephemeral => {
                let mut skip = Batch::empty(encoding, seen, log.rewrite_version());
                skip.upto = log.head();
                return Some(skip);
            }
            ReadAfter::OutOfRange => return None,
        };
        self.hold(batch.clone());
        Some(batch)
    }

    fn hold(&self, batch: Batch) {
        let mut batches = self.batches.borrow_mut();
        if batches.len() >= MAX_BATCHES {
            batches.remove(0);
        }
        batches.push(batch);
    }
}
