//! The feeds that a connection follows, and its position in each.

use std::cell::RefCell;
use std::rc::Rc;

use smallvec::SmallVec;

use super::batches::{Batch, FeedBatches};
use super::frame::Encoding;
use super::shard_context::ShardContext;

const INLINE_FEEDS: usize = 5; // feeds of a page; more go to the heap
const MAX_FLUSH_FRAMES: usize = 64; // gathered from a connection's feeds for one write

/// A feed, and the number of the last frame that was written to the connection.
struct Following {
    batches: Rc<FeedBatches>,
    seen: u64,
}

#[derive(Default)]
pub(super) struct Subscriptions(RefCell<SmallVec<[Following; INLINE_FEEDS]>>);

/// The result of [`Subscriptions::gather`].
pub(super) struct Gathered {
    /// There is more than fits into one write.
    pub(super) has_more: bool,
    /// Indexes of feeds whose ring no longer holds the frames after the connection's position.
    pub(super) lost: Vec<usize>,
}

impl Subscriptions {
    /// Loads what a delivery reads into the processor's cache.
    pub(super) fn prefetch(&self) {
        std::hint::black_box(self.0.borrow().first().map(|one| one.seen));
    }

    /// Takes a batch of each feed with new frames, with the feed's index, until there are
    /// [`MAX_FLUSH_FRAMES`]. Starts from feed `first`, modulo their number (round robin).
    pub(super) fn gather(
        &self,
        first: usize,
        encoding: Encoding,
        context: &ShardContext,
        batches: &mut Vec<(usize, Batch)>,
    ) -> Gathered {
        let following = self.0.borrow();
        let (mut room, mut has_more, mut lost) = (MAX_FLUSH_FRAMES, false, Vec::new());
        let count = following.len();
        for index in (0..count).map(|n| (first + n) % count) {
            let one = &following[index];
            if one.batches.feed.log.head() == one.seen {
                continue;
            }
            if room == 0 {
                has_more = true;
                break;
            }
            match context.batch_after(&one.batches, one.seen, encoding) {
                Some(batch) => {
                    room = room.saturating_sub(batch.frames);
                    has_more |= batch.full;
                    batches.push((index, batch));
                }
                None => lost.push(index),
            }
        }
        Gathered { has_more, lost }
    }

    /// Moves the positions past these batches.
    pub(super) fn advance(&self, batches: &[(usize, Batch)]) {
        let mut following = self.0.borrow_mut();
        for (index, batch) in batches {
            following[*index].seen = batch.upto;
        }
    }

    /// Removes the feeds at these indexes.
    pub(super) fn remove(&self, mut indexes: Vec<usize>) -> Vec<Rc<FeedBatches>> {
        let mut following = self.0.borrow_mut();
        // From the last to the first: removing one shifts those after it.
        indexes.sort_unstable_by(|a, b| b.cmp(a));
        let remove = |index| following.remove(index).batches;
        indexes.into_iter().map(remove).collect()
    }

    /// Adds a feed at the position after frame `seen`.
    pub(super) fn add(&self, batches: Rc<FeedBatches>, seen: u64) {
        self.0.borrow_mut().push(Following { batches, seen });
    }

    /// Removes a feed by its name, if it is followed.
    pub(super) fn remove_named(&self, name: &str) -> Option<Rc<FeedBatches>> {
        let mut following = self.0.borrow_mut();
        let is_named = |one: &Following| one.batches.feed.name == name;
        let index = following.iter().position(is_named)?;
        Some(following.remove(index).batches)
    }

    /// Removes and returns all feeds.
    pub(super) fn take(&self) -> impl Iterator<Item = Rc<FeedBatches>> {
        self.0.take().into_iter().map(|left| left.batches)
    }

    pub(super) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    pub(super) fn names(&self) -> Vec<String> {
        let following = self.0.borrow();
        let name = |one: &Following| one.batches.feed.name.clone();
        following.iter().map(name).collect()
    }
}
