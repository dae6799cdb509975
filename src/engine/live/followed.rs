//! A feed as a core's connections follow it, and the bytes that are made once for those who stand at the same place.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;

use super::connection::Connection;
use super::core::Core;
use super::feed::Feed;
use super::frame::Encoding;
use super::log::{Entry, Since};

const BATCH: (usize, usize) = (64, 64 << 10); // frames and bytes of one batch; a larger frame goes alone
const KEPT: usize = 8; // batches a feed keeps for sockets that stand at other places

/// A feed that connections of this core follow.
pub(super) struct Followed {
    pub(super) feed: Arc<Feed>,
    /// By number, that is as they came: what belongs to one lies beside what belongs to the next, the kernel's part included.
    pub(super) by: RefCell<BTreeMap<u64, Rc<Connection>>>,
    pub(super) batches: RefCell<Vec<Batch>>,
}

/// What comes after a place in a feed, as bytes for every connection of one encoding that stands there.
#[derive(Clone)]
pub(super) struct Batch {
    encoding: Encoding,
    seen: u64,
    edition: u64,
    /// Its last frame's number.
    pub(super) upto: u64,
    pub(super) frames: usize,
    /// Whether it is as large as a batch may be, so that there may be more.
    pub(super) full: bool,
    pub(super) bytes: Bytes,
}

impl Followed {
    /// What comes after frame `seen`; nothing when that can no longer be had.
    pub(super) fn after(self: &Rc<Self>, seen: u64, encoding: Encoding, core: &Core) -> Option<Batch> {
        let edition = self.feed.log.edition();
        let fits = |batch: &&Batch| batch.seen == seen && batch.encoding == encoding && batch.edition == edition;
        if let Some(batch) = self.batches.borrow().iter().rev().find(fits) {
            return Some(batch.clone());
        }
        let (frames, edition) = match self.feed.log.since(seen, BATCH.0) {
            Since::Entries(frames, edition) => (frames, edition),
            Since::Gone if self.feed.fleeting => {
                return Some(Batch { encoding, seen, edition, upto: self.feed.log.head(), frames: 0, full: false, bytes: Bytes::new() });
            }
            Since::Gone => return None,
        };
        let full = frames.len() == BATCH.0;
        let mut batch = Batch { encoding, seen, edition, upto: seen, frames: 0, full, bytes: Bytes::new() };
        let mut bytes = Vec::new();
        let mut deflater = core.deflater.borrow_mut();
        for frame in frames {
            if let Some(encoded) = frame.encoded(encoding, &mut deflater) {
                if !bytes.is_empty() && bytes.len() + encoded.len() > BATCH.1 {
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
            core.warm.borrow_mut().push(self.clone());
        } else if batches.len() >= KEPT {
            batches.remove(0);
        }
        batches.push(batch.clone());
        Some(batch)
    }
}
