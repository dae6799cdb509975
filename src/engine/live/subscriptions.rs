//! A feed as a shard's connections follow it, and the bytes that are made once for those who stand
//! at the same place.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;

use super::connection::Connection;
use super::feed::Feed;
use super::frame::Encoding;
use super::log::{Entry, ReadAfter};
use super::shard::Shard;

// Frames and bytes of one batch; a larger frame goes alone.
const MAX_BATCH: (usize, usize) = (64, 64 << 10);
const MAX_BATCHES: usize = 8; // batches a feed keeps for sockets that stand at other places

/// A feed that connections of this shard follow.
pub(super) struct Subscriptions {
    pub(super) feed: Arc<Feed>,
    /// By number, that is as they came: what belongs to one lies beside what belongs to the next,
    /// the kernel's part included.
    pub(super) by: RefCell<BTreeMap<u64, Rc<Connection>>>,
    pub(super) batches: RefCell<Vec<Batch>>,
}

/// What comes after a place in a feed, as bytes for every connection of one encoding that stands
/// there.
#[derive(Clone)]
pub(super) struct Batch {
    encoding: Encoding,
    seen: u64,
    rewrite_version: u64,
    /// Its last frame's number.
    pub(super) upto: u64,
    pub(super) frames: usize,
    /// Whether it is as large as a batch may be, so that there may be more.
    pub(super) full: bool,
    pub(super) bytes: Bytes,
}

impl Subscriptions {
    /// What comes after frame `seen`; nothing when that can no longer be had.
    pub(super) fn after(
        self: &Rc<Self>,
        seen: u64,
        encoding: Encoding,
        shard: &Shard,
    ) -> Option<Batch> {
        let rewrite_version = self.feed.log.rewrite_version();
        let fits = |batch: &&Batch| {
            batch.seen == seen
                && batch.encoding == encoding
                && batch.rewrite_version == rewrite_version
        };
        if let Some(batch) = self.batches.borrow().iter().rev().find(fits) {
            return Some(batch.clone());
        }
        let (frames, rewrite_version) = match self.feed.log.read_after(seen, MAX_BATCH.0) {
            ReadAfter::Entries(frames, rewrite_version) => (frames, rewrite_version),
            ReadAfter::OutOfRange if self.feed.ephemeral => {
                return Some(Batch {
                    encoding,
                    seen,
                    rewrite_version,
                    upto: self.feed.log.head(),
                    frames: 0,
                    full: false,
                    bytes: Bytes::new(),
                });
            }
            ReadAfter::OutOfRange => return None,
        };
        let full = frames.len() == MAX_BATCH.0;
        let mut batch = Batch {
            encoding,
            seen,
            rewrite_version,
            upto: seen,
            frames: 0,
            full,
            bytes: Bytes::new(),
        };
        let mut bytes = Vec::new();
        let mut deflater = shard.deflater.borrow_mut();
        for frame in frames {
            if let Some(encoded) = frame.encoded(encoding, &mut deflater) {
                if !bytes.is_empty() && bytes.len() + encoded.len() > MAX_BATCH.1 {
                    batch.full = true;
                    break;
                }
                bytes.extend_from_slice(encoded);
                batch.frames += 1;
            }
            batch.upto = frame.number();
        }
        batch.bytes = bytes.into();
        let mut batches = self.batches.borrow_mut();
        if batches.is_empty() {
            shard.warm.borrow_mut().push(self.clone());
        } else if batches.len() >= MAX_BATCHES {
            batches.remove(0);
        }
        batches.push(batch.clone());
        Some(batch)
    }
}
