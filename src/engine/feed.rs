//! Families of feeds, as modules declare them: a name pattern and the id that fills it in.

use std::marker::PhantomData;

use crate::base::error::Result;
use crate::base::ids::Id;
use crate::engine::live::{FeedKind, FeedSpec, Hub};

/// The parameter of a family's name pattern: an id, or `()` for a family of one feed.
pub trait FeedKey: Copy + Send + 'static {
    /// The number to put into the pattern; nothing for `()`.
    fn number(self) -> Option<i64>;

    /// The key of a feed whose name contains these numbers; nothing if they do not fit.
    fn from_numbers(numbers: &[i64]) -> Option<Self>;
}

impl<I: Id> FeedKey for I {
    fn number(self) -> Option<i64> {
        Some(self.get())
    }

    fn from_numbers(numbers: &[i64]) -> Option<Self> {
        numbers.first().map(|number| I::from_number(*number))
    }
}

impl FeedKey for () {
    fn number(self) -> Option<i64> {
        None
    }

    fn from_numbers(_: &[i64]) -> Option<Self> {
        Some(())
    }
}

/// A family of feeds, such as the feeds of all rooms.
///
/// ```ignore
/// pub const ROOM: Feed<RoomId> = Feed::new("room/{room}", "Messages of a room");
/// bus.publish_on(tx, &[ROOM.name(room)], origin, MessagePosted { … }).await?; // in a write
/// live.publish_at(&ROOM.name(room), envelope, content); // in the handler of the event
/// ```
pub struct Feed<K> {
    /// `room/{room}`: fixed parts, and at most one parameter.
    pub pattern: &'static str,
    /// What is published on these feeds.
    pub about: &'static str,
    kind: FeedKind,
    max_frames: usize,
    key: PhantomData<fn(K)>,
}

impl<K: FeedKey> Feed<K> {
    /// Feeds of events that are stored. Each event takes the feed's next position in the
    /// transaction that causes it: a client that reconnects, to whichever instance and also after
    /// a restart, gets the frames that it missed, or is told to refetch if there are too many.
    pub const fn new(pattern: &'static str, about: &'static str) -> Self {
        Self {
            pattern,
            about,
            kind: FeedKind::Stored,
            max_frames: usize::MAX,
            key: PhantomData,
        }
    }

    /// For frames of what is not stored, such as who is here. Each instance numbers its own: a
    /// client gets the frames it missed if it comes back to the same one, else it has to refetch.
    pub const fn volatile(mut self) -> Self {
        self.kind = FeedKind::Volatile;
        self
    }

    /// For frames that matter only for a moment, such as typing indicators: no replay at all.
    pub const fn ephemeral(mut self) -> Self {
        self.kind = FeedKind::Ephemeral;
        self
    }

    /// Limits the frames that each feed keeps for replay further than the setting `feed_frames`.
    pub const fn max_frames(mut self, frames: usize) -> Self {
        self.max_frames = frames;
        self
    }

    /// The name of one feed: `room/12`.
    pub fn name(&self, key: K) -> String {
        let number = key.number().map(|number| number.to_string());
        match (self.pattern.split_once('{'), number) {
            (Some((before, rest)), Some(number)) => {
                let after = rest.split_once('}').map_or("", |(_, after)| after);
                format!("{before}{number}{after}")
            }
            _ => self.pattern.to_owned(),
        }
    }

    pub(super) const fn spec(&self) -> FeedSpec {
        FeedSpec {
            pattern: self.pattern,
            about: self.about,
            kind: self.kind,
            max_frames: self.max_frames,
        }
    }

    /// The feed's name and current cursor, for a page to follow it from: `room/12@cursor`. To be
    /// taken before reading the database, so that the page shows everything up to the cursor.
    ///
    /// # Errors
    /// The database's, of a stored feed that this instance does not follow yet.
    pub async fn position(&self, key: K, hub: &Hub) -> Result<String> {
        let name = self.name(key);
        let cursor = hub.cursor(&name).await?;
        Ok(format!("{name}@{cursor}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::SpaceId;

    #[test]
    fn feed_name_holds_the_key() {
        let feed: Feed<SpaceId> = Feed::new("space/{space}/presence", "");
        assert_eq!(feed.name(SpaceId(12)), "space/12/presence");
        let one: Feed<()> = Feed::new("server/jobs", "");
        assert_eq!(one.name(()), "server/jobs");
    }
}
