//! All feeds of this instance by name, and the families that modules declared.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use super::feed::{Feed, FeedKind, FeedSpec};
use crate::base::clock::Micros;

// How long a feed without followers keeps its log: clients that were away for longer refetch.
const IDLE_FEED_TTL: Duration = Duration::from_secs(300);

type ByName = HashMap<String, Arc<Feed>>;

pub(super) struct Feeds {
    specs: Vec<FeedSpec>,
    by_name: RwLock<ByName>,
    next_id: AtomicU64,
    /// The limit of frames in a feed's ring, by the settings.
    max_frames: usize,
}

/// The number before a new feed's first frame. Microseconds of now are past every number that an
/// earlier, evicted feed of the same name can have used.
fn first_number() -> u64 {
    u64::try_from(Micros::now().0).unwrap_or(0)
}

impl Feeds {
    /// Feeds of these families and no others.
    pub(super) fn new(specs: Vec<FeedSpec>, max_frames: usize) -> Self {
        Self {
            specs,
            by_name: RwLock::default(),
            next_id: AtomicU64::new(1),
            max_frames,
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, ByName> {
        self.by_name.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, ByName> {
        self.by_name.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn find(&self, name: &str) -> Option<Arc<Feed>> {
        self.read().get(name).cloned()
    }

    /// A feed, which is created if need be and lives for at least [`IDLE_FEED_TTL`], so that the
    /// number of its newest frame stays valid as a cursor.
    pub(super) fn find_or_create(&self, name: &str) -> Arc<Feed> {
        if let Some(feed) = self.find(name) {
            feed.log.touch();
            return feed;
        }
        let mut feeds = self.write();
        let feed = feeds.entry(name.to_owned());
        feed.or_insert_with(|| self.make(name)).clone()
    }

    /// Lets a shard listen to a feed, which is created if need be. Holds the map's write lock, as
    /// eviction does: otherwise the feed could be evicted before the shard listens.
    pub(super) fn listen(&self, name: &str, shard: usize) -> Arc<Feed> {
        let mut feeds = self.write();
        let feed = feeds.entry(name.to_owned());
        let feed = feed.or_insert_with(|| self.make(name));
        feed.log.listen(shard);
        feed.clone()
    }

    /// All feeds of a kind.
    pub(super) fn of_kind(&self, kind: FeedKind) -> Vec<Arc<Feed>> {
        let feeds = self.read();
        feeds
            .values()
            .filter(|feed| feed.kind == kind)
            .cloned()
            .collect()
    }

    /// All feeds of a family.
    pub(super) fn of_family(&self, pattern: &str) -> Vec<Arc<Feed>> {
        let feeds = self.read();
        let matching = feeds.values().filter(|feed| feed.pattern == pattern);
        matching.cloned().collect()
    }

    fn make(&self, name: &str) -> Arc<Feed> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let mut spec = self.spec(name).copied().unwrap_or(FeedSpec {
            pattern: "",
            about: "",
            kind: FeedKind::Volatile,
            max_frames: usize::MAX,
        });
        spec.max_frames = spec.max_frames.min(self.max_frames);
        Arc::new(Feed::new(id, name, &spec, first_number()))
    }

    fn spec(&self, name: &str) -> Option<&FeedSpec> {
        let mut specs = self.specs.iter();
        specs.find(|spec| spec.ids(name).is_some())
    }

    /// The kind of a feed; `None` when no module declared a family that this name belongs to.
    pub(super) fn kind(&self, name: &str) -> Option<FeedKind> {
        self.spec(name).map(|spec| spec.kind)
    }

    /// Drops feeds that had neither followers, frames nor new cursors for [`IDLE_FEED_TTL`].
    pub(super) fn evict(&self) {
        let Some(before) = Instant::now().checked_sub(IDLE_FEED_TTL) else {
            return;
        };
        let mut feeds = self.write();
        feeds.retain(|_, feed| !feed.log.is_idle_since(before));
        metrics::gauge!("tidepool_feeds").set(feeds.len() as f64);
    }
}
