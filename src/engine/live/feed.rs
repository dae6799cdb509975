//! A feed: a named log of frames, and the families that modules declare.

use std::any::Any;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::{Notify, OnceCell};

use super::frame::{Content, Frame};
use super::log::Log;
use super::sequence::Sequence;

/// Where the numbers of a feed's frames come from, and what becomes of a socket that comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedKind {
    /// From the store: see [`Tx::next_position`](crate::base::db::Tx::next_position). They are the
    /// same on every instance and after a restart.
    Stored,
    /// Counted by the instance. A socket that comes back to another one has to refetch.
    Volatile,
    /// Counted by the instance, and never replayed: a socket that resumes or falls behind goes on
    /// from the head.
    Ephemeral,
}

/// A family of feeds that a module owns: a pattern of names, and how its feeds are kept.
#[derive(Clone, Copy, Debug)]
pub struct FeedSpec {
    /// `room/{room}`: fixed parts and numbers.
    pub pattern: &'static str,
    /// What its frames are about, for the list of feeds.
    pub about: &'static str,
    pub(in crate::engine) kind: FeedKind,
    /// The limit of frames in a feed's ring, where it is lower than that of the settings.
    pub(in crate::engine) max_frames: usize,
}

impl FeedSpec {
    /// The numbers in `name`, if it matches the pattern.
    pub(super) fn ids(&self, name: &str) -> Option<Vec<i64>> {
        let mut given = name.split('/');
        let mut ids = Vec::new();
        for part in self.pattern.split('/') {
            let value = given.next()?;
            if part.starts_with('{') {
                // One spelling for each number, or "007" and "+7" would be feeds of their own.
                let id: i64 = value.parse().ok()?;
                if id.to_string() != value {
                    return None;
                }
                ids.push(id);
            } else if part != value {
                return None;
            }
        }
        given.next().is_none().then_some(ids)
    }
}

pub(super) struct Feed {
    /// Unique, unlike the name: a feed of the same name may have been evicted before.
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) pattern: &'static str,
    pub(super) kind: FeedKind,
    /// The limit of frames in the ring.
    pub(super) max_frames: usize,
    pub(super) log: Log<Frame>,
    /// Of a stored feed: puts its frames in order.
    pub(super) sequence: Mutex<Sequence<Content>>,
    /// Set once the log begins where the store is.
    pub(super) opened: OnceCell<()>,
    /// What keeps other instances sending its events.
    pub(super) following: OnceLock<Box<dyn Any + Send + Sync>>,
    /// Told when the log stops lagging.
    caught_up: Notify,
}

impl Feed {
    /// A feed whose first frame has the number after `start`; a stored one does not know it yet.
    pub(super) fn new(id: u64, name: &str, spec: &FeedSpec, start: u64) -> Self {
        let is_stored = spec.kind == FeedKind::Stored;
        Self {
            id,
            name: name.to_owned(),
            pattern: spec.pattern,
            kind: spec.kind,
            max_frames: spec.max_frames,
            log: Log::new(if is_stored { 0 } else { start }),
            sequence: Mutex::default(),
            opened: OnceCell::new(),
            following: OnceLock::new(),
            caught_up: Notify::new(),
        }
    }

    pub(super) fn sequence(&self) -> MutexGuard<'_, Sequence<Content>> {
        let sequence = self.sequence.lock();
        sequence.unwrap_or_else(PoisonError::into_inner)
    }

    /// A shard has written every frame up to `number` to those of its sockets that take bytes.
    pub(super) fn set_taken(&self, shard: usize, number: u64) {
        if self.log.set_taken(shard, number) {
            self.caught_up.notify_waiters();
        }
    }

    /// A shard has no follower of this feed any more.
    pub(super) fn leave(&self, shard: usize) {
        if self.log.leave(shard) {
            self.caught_up.notify_waiters();
        }
    }

    /// Waits while a shard is more than half of the ring behind.
    pub(super) async fn caught_up(&self) {
        while self.log.is_lagging() {
            let notified = self.caught_up.notified();
            // The future counts from its creation on, so a shard that caught up in between is seen.
            if self.log.is_lagging() {
                notified.await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feed_name_has_one_spelling() {
        let spec = FeedSpec {
            pattern: "space/{space}/presence",
            about: "",
            kind: FeedKind::Volatile,
            max_frames: 1,
        };
        assert_eq!(spec.ids("space/12/presence"), Some(vec![12]));
        for wrong in [
            "space/012/presence",
            "space/+12/presence",
            "space/12",
            "space/12/presence/1",
            "room/12/presence",
            "space//presence",
            "",
        ] {
            assert_eq!(spec.ids(wrong), None, "{wrong}");
        }
    }
}
