//! The hub: every feed and every socket of this instance.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

use super::cursor::Cursor;
use super::feed::{Feed, FeedKind, FeedSpec};
use super::feeds::Feeds;
use super::frame::{Content, Frame};
use super::limits::Limits;
use super::log::{Bounds, Entry};
use super::rechecks::Rechecks;
use super::refetch::RefetchPacer;
use super::registry::Registry;
use super::sequence::{Pushed, Sequence};
use super::shard::Shards;
use super::socket::Socket;
use crate::base::db::{Db, Sql};
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::base::secrets;
use crate::engine::bus::Envelope;
use crate::engine::viewer::Viewer;

const MAX_FEED_BYTES: usize = 4 << 20; // bytes of frames that one feed keeps, roughly
// What a publisher waits for shards at most. A shard writes to 5,000 sockets in some 20 ms, so this
// is a dozen rounds: longer means that the processor is not the sockets' alone.
const MAX_PUBLISH_WAIT: Duration = Duration::from_millis(250);
/// For the frames before one that has come to come, too.
const GAP_TIMEOUT: Duration = Duration::from_millis(500);
const MAX_HEADS_READ: usize = 500; // in one statement

/// Every feed and every socket. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    db: Db,
    instance: Arc<str>,
    feeds: Feeds,
    sockets: Registry,
    /// Started with the first socket.
    shards: OnceLock<Shards>,
    refetches: Arc<RefetchPacer>,
    rechecks: Rechecks,
    /// Set where there are other instances.
    follow: OnceLock<Follow>,
}

/// What a feed is followed with on other instances, until it is dropped.
type Following = Box<dyn Any + Send + Sync>;
type Follow = Box<dyn Fn(&str) -> BoxFuture<'static, Following> + Send + Sync>;

impl Hub {
    /// A hub for feeds of these families. Threads for sockets start with the first socket.
    pub fn new(limits: Limits, feeds: Vec<FeedSpec>, db: Db) -> Self {
        Self(Arc::new(Inner {
            db,
            instance: secrets::short_token()[..8].into(),
            feeds: Feeds::new(feeds, limits.feed_frames),
            sockets: Registry::new(limits),
            shards: OnceLock::new(),
            refetches: Arc::new(RefetchPacer::new()),
            rechecks: Rechecks::default(),
            follow: OnceLock::new(),
        }))
    }

    /// Name of this start of the server, part of the cursors of feeds that it numbers.
    pub fn instance(&self) -> &str {
        &self.0.instance
    }

    /// Publishes a frame on a feed that this instance numbers. Without anyone who follows or could
    /// come back to the feed it costs one look-up.
    ///
    /// Refused, which is logged as an error and a panic in debug builds, is a feed that no module
    /// owns or that is stored: see [`publish_at`](Self::publish_at).
    pub fn publish(&self, feed: &str, content: Content) {
        match self.0.feeds.find(feed) {
            Some(feed) if feed.kind != FeedKind::Stored => {
                metrics::counter!("tidepool_frames_total").increment(1);
                self.append(&feed, content);
            }
            _ => self.check_declared(feed, |kind| kind != FeedKind::Stored),
        }
    }

    /// Publishes the frame of an event on a stored feed, at the position that the event took there
    /// (see [`Bus::publish_on`](crate::engine::bus::Bus::publish_on)). Frames wait for those before
    /// them; when one does not come within half a second, followers refetch what they show.
    ///
    /// A replayed event is ignored: its followers have refetched. Otherwise it is refused as by
    /// [`publish`](Self::publish) when it has no position on this feed, or the feed is not stored.
    pub fn publish_at(&self, feed: &str, envelope: &Envelope, content: Content) {
        let Some(position) = envelope.position_on(feed) else {
            let topic = envelope.topic.name;
            if !envelope.is_replay {
                debug_assert!(false, "{topic} has no position on {feed}: see publish_on");
                tracing::error!(
                    topic,
                    feed,
                    "refused: the event has no position on this feed"
                );
            }
            return;
        };
        let Some(feed) = self.0.feeds.find(feed) else {
            return self.check_declared(feed, |kind| kind == FeedKind::Stored);
        };
        metrics::counter!("tidepool_frames_total").increment(1);
        let mut sequence = feed.sequence();
        match sequence.push(feed.log.head(), position, content) {
            Pushed::Next(content) => {
                self.append(&feed, content);
                self.append_pending(&feed, &mut sequence);
            }
            Pushed::Waits { .. } if sequence.is_full() && sequence.is_open() => {
                self.skip_gap(&feed, &mut sequence);
            }
            Pushed::Waits { watch: true } => {
                tokio::spawn(self.clone().watch_gap(feed.clone()));
            }
            Pushed::Waits { watch: false } | Pushed::Old => {}
        }
    }

    fn check_declared(&self, feed: &str, fits: impl Fn(FeedKind) -> bool) {
        if !self.0.feeds.kind(feed).is_some_and(fits) {
            debug_assert!(false, "no module owns a feed {feed} that is published so");
            tracing::error!(feed, "refused: no module owns a feed that is published so");
        }
    }

    fn append_pending(&self, feed: &Arc<Feed>, sequence: &mut Sequence<Content>) {
        while let Some(content) = sequence.pop(feed.log.head()) {
            self.append(feed, content);
        }
    }

    /// Gives up waiting for the frames of a gap: followers refetch.
    fn skip_gap(&self, feed: &Arc<Feed>, sequence: &mut Sequence<Content>) {
        if let Some(number) = sequence.gap_after(feed.log.head()) {
            metrics::counter!("tidepool_feed_gaps_total").increment(1);
            feed.log.skip_to(number, |shard| self.wake(shard, feed));
            self.append_pending(feed, sequence);
        }
    }

    /// Waits until the gap in a feed is filled, and gives up after [`GAP_TIMEOUT`].
    async fn watch_gap(self, feed: Arc<Feed>) {
        loop {
            let head = feed.log.head();
            tokio::time::sleep(GAP_TIMEOUT).await;
            let mut sequence = feed.sequence();
            if feed.log.head() == head {
                self.skip_gap(&feed, &mut sequence);
            }
            if sequence.gap_after(feed.log.head()).is_none() {
                sequence.end_watch();
                return;
            }
        }
    }

    /// A feed, made if it is not there. A stored one begins at its position in the store; what is
    /// published while that is read waits.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn open(&self, name: &str) -> Result<Arc<Feed>> {
        let feed = self.0.feeds.find_or_create(name);
        if feed.kind != FeedKind::Volatile {
            let begin = async || self.begin(&feed).await;
            feed.opened.get_or_try_init(begin).await?;
        }
        Ok(feed)
    }

    /// Followed on other instances first: what comes after the look at the store is heard.
    async fn begin(&self, feed: &Arc<Feed>) -> Result<()> {
        if let Some(follow) = self.0.follow.get() {
            let following = follow(&feed.name).await;
            drop(feed.following.set(following));
        }
        match feed.kind {
            FeedKind::Stored => self.begin_at_store(feed).await,
            FeedKind::Volatile | FeedKind::Ephemeral => Ok(()),
        }
    }

    /// Has feeds followed on other instances from now on, from when they are opened until they are
    /// evicted.
    pub(in crate::engine) fn follow_remotely(
        &self,
        follow: impl Fn(&str) -> BoxFuture<'static, Following> + Send + Sync + 'static,
    ) {
        drop(self.0.follow.set(Box::new(follow)));
    }

    pub(super) fn rechecks(&self) -> &Rechecks {
        &self.0.rechecks
    }

    /// The newest positions in the database of the stored feeds that are followed here.
    ///
    /// # Errors
    /// The database's.
    pub(in crate::engine) async fn stored_heads(&self) -> Result<HashMap<String, u64>> {
        // One text holds all names: neither a name nor a number has a space.
        const READ: Sql = Sql {
            sqlite: "SELECT feed, position FROM feed_positions \
                WHERE instr(' ' || $1 || ' ', ' ' || feed || ' ') > 0",
            postgres: "SELECT feed, position FROM feed_positions \
                WHERE feed = ANY(string_to_array($1, ' '))",
        };
        let feeds = self.0.feeds.of_kind(FeedKind::Stored);
        let mut heads = HashMap::new();
        for some in feeds.chunks(MAX_HEADS_READ) {
            let names: Vec<&str> = some.iter().map(|feed| feed.name.as_str()).collect();
            let rows: Vec<(String, i64)> = self.0.db.all(READ, (names.join(" "),)).await?;
            let rows = rows.into_iter();
            heads.extend(rows.map(|(feed, position)| (feed, position.cast_unsigned())));
        }
        Ok(heads)
    }

    /// Followers of the feeds that have not reached these positions refetch.
    pub(in crate::engine) fn skip_behind_all(&self, heads: &HashMap<String, u64>) {
        for (feed, position) in heads {
            if let Some(feed) = self.0.feeds.find(feed) {
                self.skip_behind(&feed, *position);
            }
        }
    }

    /// The names of the volatile feeds that are followed here.
    pub(in crate::engine) fn volatile_feeds(&self) -> Vec<String> {
        let feeds = self.0.feeds.of_kind(FeedKind::Volatile).into_iter();
        feeds.map(|feed| feed.name.clone()).collect()
    }

    async fn begin_at_store(&self, feed: &Arc<Feed>) -> Result<()> {
        let position = self.stored_position(&feed.name).await?;
        let mut sequence = feed.sequence();
        feed.log.start_after(position);
        sequence.open(position);
        self.append_pending(feed, &mut sequence);
        Ok(())
    }

    /// The newest position of a feed in the store; 0 of a feed without events.
    pub(super) async fn stored_position(&self, feed: &str) -> Result<u64> {
        const READ: &str = "SELECT position FROM feed_positions WHERE feed = $1";
        let position: Option<i64> = self.0.db.optional_scalar(READ, (feed,)).await?;
        Ok(position.map_or(0, i64::cast_unsigned))
    }

    fn append(&self, feed: &Arc<Feed>, content: Content) {
        let frame = |seq, content| Frame::new(&feed.name, &self.cursor_of(feed, seq), content);
        let bounds = Bounds {
            entries: feed.max_frames,
            weight: MAX_FEED_BYTES,
        };
        if content.is_change() {
            let content = Arc::new(content);
            let instead =
                |older: &Frame| Some(frame(older.number(), content.supersede(&older.content)?));
            feed.log.append(
                bounds,
                |seq| frame(seq, Content::clone(&content)),
                Some(&instead),
                |shard| self.wake(shard, feed),
            );
        } else {
            feed.log.append(
                bounds,
                |seq| frame(seq, content),
                None,
                |shard| self.wake(shard, feed),
            );
        }
    }

    fn wake(&self, shard: usize, feed: &Arc<Feed>) {
        if let Some(shards) = self.0.shards.get() {
            shards.get(shard).gained(feed);
        }
    }

    /// Back-pressure for whoever is about to publish: waits while a shard is more than half of the
    /// feed's ring behind, but at most 250 ms. Without it writers are acknowledged faster than
    /// thousands of sockets are written to, and all of them overrun the ring. A socket that takes
    /// no bytes does not count, so it holds nobody up.
    pub async fn ready_for(&self, feed: &str) {
        if let Some(feed) = self.0.feeds.find(feed)
            && feed.log.is_lagging()
        {
            metrics::counter!("tidepool_feed_waits_total").increment(1);
            // No answer: the machine is overloaded, and sockets that overrun are refreshed.
            let _ = tokio::time::timeout(MAX_PUBLISH_WAIT, feed.caught_up()).await;
        }
    }

    /// Counts a client that is told to refetch: within how many milliseconds it should.
    pub(super) fn reserve_refetch(&self) -> u32 {
        self.0.refetches.reserve()
    }

    /// After missed events: has the followers of a family's feeds, such as `room/{room}`, refetch
    /// what they show. Of stored feeds, those that missed something; of others, all.
    pub async fn refresh_all(&self, pattern: &str) {
        let feeds = self.0.feeds.of_family(pattern);
        if feeds.iter().any(|feed| feed.kind == FeedKind::Stored) {
            self.compare_with_store(feeds).await;
            return;
        }
        for feed in feeds {
            let next = feed.log.head() + 1;
            feed.log.skip_to(next, |shard| self.wake(shard, &feed));
        }
    }

    /// Has the followers of stored feeds refetch where the store is ahead.
    async fn compare_with_store(&self, feeds: Vec<Arc<Feed>>) {
        for feed in feeds {
            match self.stored_position(&feed.name).await {
                Ok(position) => self.skip_behind(&feed, position),
                Err(error) => tracing::warn!(%error, feed = feed.name, "its head is not known"),
            }
        }
    }

    /// Followers of a feed that has not reached `position` refetch.
    fn skip_behind(&self, feed: &Arc<Feed>, position: u64) {
        let mut sequence = feed.sequence();
        if sequence.is_open() && position > feed.log.head() {
            metrics::counter!("tidepool_feed_gaps_total").increment(1);
            feed.log.skip_to(position, |shard| self.wake(shard, feed));
            sequence.open(position);
            self.append_pending(feed, &mut sequence);
        }
    }

    /// Whether a frame on this feed could reach anyone.
    pub fn is_followed(&self, feed: &str) -> bool {
        self.0.feeds.find(feed).is_some()
    }

    /// The feed's newest frame. Take it before reading the store: what you then show already holds
    /// everything up to the cursor, and following from it brings everything after.
    ///
    /// # Errors
    /// The database's, of a stored feed that this instance does not follow yet.
    pub async fn cursor(&self, feed: &str) -> Result<Cursor> {
        let feed = self.open(feed).await?;
        Ok(self.cursor_of(&feed, feed.log.head()))
    }

    /// The cursor of a frame.
    pub(super) fn cursor_of(&self, feed: &Feed, number: u64) -> Cursor {
        let instance = (feed.kind != FeedKind::Stored).then(|| self.0.instance.clone());
        Cursor { instance, number }
    }

    /// Lets a shard listen to a feed, made if it is not there.
    pub(super) fn listen(&self, name: &str, shard: usize) -> Arc<Feed> {
        self.0.feeds.listen(name, shard)
    }

    fn shards(&self) -> Result<&Shards> {
        if self.0.shards.get().is_none() {
            // Those that another request starts at the same moment are never used, and end with the
            // process.
            let shards = Shards::start(&Handle::current(), &self.0.refetches)
                .map_err(|error| Error::Internal(error.into()))?;
            let _ = self.0.shards.set(shards);
        }
        self.0.shards.get().ok_or(Error::Unavailable)
    }

    /// Takes in a socket.
    ///
    /// # Errors
    /// `Unavailable` when the server has all it may have or is stopping, `TooMany` when the account
    /// has, or when it opens them too often.
    pub(super) fn open_socket(&self, viewer: Viewer) -> Result<Arc<Socket>> {
        self.0.sockets.check_rate(viewer.account)?;
        self.0.sockets.open(viewer, self.shards()?)
    }

    /// Removes a socket whose task has ended.
    pub(super) fn closed(&self, socket: &Socket) {
        self.0.sockets.close(socket);
    }

    /// Has every socket of an account on this instance check its rights again before it gets
    /// another frame.
    pub(in crate::engine) fn recheck(&self, account: AccountId) {
        self.0.sockets.recheck(account);
    }

    /// The same for everybody.
    pub(in crate::engine) fn recheck_all(&self) {
        self.0.sockets.recheck_all();
    }

    /// The accounts that have a socket open.
    pub fn connected(&self) -> Vec<AccountId> {
        self.0.sockets.accounts()
    }

    /// How many sockets an account has open.
    pub fn sockets_of(&self, account: AccountId) -> usize {
        self.0.sockets.count_of(account)
    }

    /// Closes every socket with 1012 (service restart) and takes in no more. Waits until they are
    /// gone, at most `timeout`.
    pub async fn close_all(&self, timeout: Duration) {
        self.0.sockets.close_all(timeout).await;
    }

    /// Forgets feeds that nobody follows and nobody is likely to come back to. Called every minute.
    pub fn evict(&self) {
        self.0.sockets.evict();
        self.0.feeds.evict();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use futures_util::poll;

    use super::*;
    use crate::base::ids::RoomId;

    async fn hub() -> Hub {
        let limits = Limits {
            feed_frames: 16,
            sockets: 1,
            sockets_per_account: 1,
        };
        let room = crate::engine::feed::Feed::<RoomId>::new("room/{room}", "").volatile();
        Hub::new(limits, vec![room.spec()], Db::in_memory().await.unwrap())
    }

    #[tokio::test]
    async fn publisher_waits_for_a_lagging_shard() {
        let hub = hub().await;
        hub.ready_for("room/1").await; // a feed that nobody follows yet
        let feed = hub.listen("room/1", 0);
        for _ in 0..9 {
            hub.publish("room/1", Content::new("test", ()));
        }
        let mut ready = std::pin::pin!(hub.ready_for("room/1"));
        assert!(
            poll!(ready.as_mut()).is_pending(),
            "the shard has taken nothing"
        );
        feed.set_taken(0, feed.log.head());
        assert!(poll!(ready).is_ready());
    }

    #[tokio::test]
    async fn publisher_waits_no_longer_than_the_bound() {
        let hub = hub().await;
        hub.listen("room/1", 0);
        for _ in 0..100 {
            hub.publish("room/1", Content::new("test", ()));
        }
        let started = Instant::now();
        hub.ready_for("room/1").await;
        assert!(
            started.elapsed() >= MAX_PUBLISH_WAIT,
            "it did not wait at all"
        );
    }
}
