//! The feeds that a connection follows, and how far it was given each.

use std::cell::RefCell;
use std::rc::Rc;

use smallvec::SmallVec;

use super::batches::{Batch, FeedBatches};
use super::frame::Encoding;
use super::shard_context::ShardContext;

const INLINE_FEEDS: usize = 5; // feeds of a page; more go to the heap
const MAX_FLUSH_FRAMES: usize = 64; // gathered from a connection's feeds for one write

/// A feed, and the number of the last frame that the connection was given.
struct Following {
    batches: Rc<FeedBatches>,
    seen: u64,
}

#[derive(Default)]
pub(super) struct Subscriptions(RefCell<SmallVec<[Following; INLINE_FEEDS]>>);

/// What a gathering found.
pub(super) struct Gathered {
    /// There is more than fits into one write.
    pub(super) has_more: bool,
    /// Positions of feeds whose ring no longer reaches back so far.
    pub(super) lost: Vec<usize>,
}

impl Subscriptions {
    /// Brings what a delivery reads into the processor's cache.
    pub(super) fn prefetch(&self) {
        std::hint::black_box(self.0.borrow().first().map(|one| one.seen));
    }

    /// Takes a batch of each feed that has gained something, with the feed's position, up to
    /// [`MAX_FLUSH_FRAMES`]. Starts from the feed whose turn it is.
    pub(super) fn gather(
        &self,
        turn: usize,
        encoding: Encoding,
        context: &ShardContext,
        batches: &mut Vec<(usize, Batch)>,
    ) -> Gathered {
        let following = self.0.borrow();
        let (mut room, mut has_more, mut lost) = (MAX_FLUSH_FRAMES, false, Vec::new());
        let count = following.len();
        for position in (0..count).map(|n| (turn + n) % count) {
            let one = &following[position];
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
                    batches.push((position, batch));
                }
                None => lost.push(position),
            }
        }
        Gathered { has_more, lost }
    }

    /// Notes that these batches are given to the connection.
    pub(super) fn advance(&self, batches: &[(usize, Batch)]) {
        let mut following = self.0.borrow_mut();
        for (position, batch) in batches {
            following[*position].seen = batch.upto;
        }
    }

    /// Removes the feeds at these positions.
    pub(super) fn remove(&self, mut positions: Vec<usize>) -> Vec<Rc<FeedBatches>> {
        let mut following = self.0.borrow_mut();
        positions.sort_unstable_by(|a, b| b.cmp(a)); // the last first: the others stay put
        let remove = |position| following.remove(position).batches;
        positions.into_iter().map(remove).collect()
    }

    /// Adds a feed, from after frame `seen` on.
    pub(super) fn add(&self, batches: Rc<FeedBatches>, seen: u64) {
        self.0.borrow_mut().push(Following { batches, seen });
    }

    /// Removes a feed by its name, if it is followed.
    pub(super) fn remove_named(&self, name: &str) -> Option<Rc<FeedBatches>> {
        let mut following = self.0.borrow_mut();
        let is_named = |one: &Following| one.batches.feed.name == name;
        let position = following.iter().position(is_named)?;
        Some(following.remove(position).batches)
    }

    /// Removes all feeds.
    pub(super) fn take(&self) -> impl Iterator<Item = Rc<FeedBatches>> {
        self.0.take().into_iter().map(|left| left.batches)
    }

    pub(super) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// The names of the feeds.
    pub(super) fn names(&self) -> Vec<String> {
        let following = self.0.borrow();
        let name = |one: &Following| one.batches.feed.name.clone();
        following.iter().map(name).collect()
    }
}
