//! Families of feeds, as modules declare them: a pattern of names, and the id that fills it in.

use std::marker::PhantomData;

use crate::base::ids::Id;
use crate::engine::live::{FeedSpec, Hub};

/// What tells the feeds of a family apart: an id, or nothing for a family of one.
pub trait FeedKey: Copy + Send + 'static {
    /// Its number, if it is one.
    fn number(self) -> Option<i64>;

    /// The key of a feed whose name holds these numbers.
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

/// A family of feeds.
///
/// ```ignore
/// pub const ROOM: Feed<RoomId> = Feed::new("room/{room}", "Messages of a room");
/// live.publish(&ROOM.name(room), content);
/// ```
pub struct Feed<K> {
    /// `room/{room}`: fixed parts, and one number at most.
    pub pattern: &'static str,
    /// What travels on it.
    pub about: &'static str,
    ephemeral: bool,
    max_frames: usize,
    key: PhantomData<fn(K)>,
}

impl<K: FeedKey> Feed<K> {
    /// Feeds whose frames can be had again by who comes back.
    pub const fn new(pattern: &'static str, about: &'static str) -> Self {
        Self {
            pattern,
            about,
            ephemeral: false,
            max_frames: usize::MAX,
            key: PhantomData,
        }
    }

    /// What travels on them matters for a moment only, as typing does: what was missed is gone.
    pub const fn ephemeral(mut self) -> Self {
        self.ephemeral = true;
        self
    }

    /// Frames that each keeps at most, where that is fewer than the settings say.
    pub const fn keeping(mut self, frames: usize) -> Self {
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

    /// What the hub needs to know of it.
    pub(super) const fn spec(&self) -> FeedSpec {
        FeedSpec {
            pattern: self.pattern,
            about: self.about,
            ephemeral: self.ephemeral,
            keeps: self.max_frames,
        }
    }

    /// Where to follow one feed from: `room/12@cursor`. Take it before reading the store: what is
    /// then shown holds everything up to the cursor.
    pub fn position(&self, key: K, hub: &Hub) -> String {
        let name = self.name(key);
        let cursor = hub.cursor(&name);
        format!("{name}@{cursor}")
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
