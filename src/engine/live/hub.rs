//! The hub: every feed and every socket of this instance.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::runtime::Handle;

use super::cursor::Cursor;
use super::feed::{Feed, FeedSpec};
use super::feeds::Feeds;
use super::frame::{Content, Frame};
use super::limits::Limits;
use super::log::{Bounds, Entry};
use super::refetch::RefetchPacer;
use super::registry::Registry;
use super::shard::Shards;
use super::socket::Socket;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::base::secrets;
use crate::engine::viewer::Viewer;

const MAX_FEED_BYTES: usize = 4 << 20; // bytes of frames that one feed keeps, roughly
// What a publisher waits for shards at most. A shard writes to 5,000 sockets in some 20 ms, so this
// is a dozen rounds: longer means that the processor is not the sockets' alone.
const MAX_PUBLISH_WAIT: Duration = Duration::from_millis(250);

/// Every feed and every socket. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    instance: Arc<str>,
    feeds: Feeds,
    sockets: Registry,
    /// Started with the first socket.
    shards: OnceLock<Shards>,
    refetches: Arc<RefetchPacer>,
}

impl Hub {
    /// A hub for feeds of these families. Threads for sockets start with the first socket.
    pub fn new(limits: Limits, feeds: Vec<FeedSpec>) -> Self {
        Self(Arc::new(Inner {
            instance: secrets::short_token()[..8].into(),
            feeds: Feeds::new(feeds, limits.feed_frames),
            sockets: Registry::new(limits),
            shards: OnceLock::new(),
            refetches: Arc::new(RefetchPacer::new()),
        }))
    }

    /// Name of this start of the server, part of every cursor.
    pub fn instance(&self) -> &str {
        &self.0.instance
    }

    /// Publishes a frame. Without anyone who follows or could come back to the feed it costs one
    /// look-up.
    ///
    /// A feed that no module owns is refused: logged as an error, and a panic in debug builds.
    pub fn publish(&self, feed: &str, content: Content) {
        if let Some(feed) = self.0.feeds.find(feed) {
            metrics::counter!("tidepool_frames_total").increment(1);
            self.append(&feed, content);
        } else if !self.0.feeds.is_declared(feed) {
            debug_assert!(false, "no module owns the feed {feed}");
            tracing::error!(feed, "refused: no module owns this feed");
        }
    }

    fn append(&self, feed: &Arc<Feed>, content: Content) {
        let frame = |seq, content| {
            Frame::new(
                &feed.name,
                &Cursor {
                    instance: self.0.instance.clone(),
                    seq,
                },
                content,
            )
        };
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

    /// Ends every subscription to feeds whose name begins so with a `refresh`: their state is to be
    /// read again.
    pub fn refresh_all(&self, prefix: &str) {
        let forget = |feed: &Arc<Feed>| feed.log.forget(|shard| self.wake(shard, feed));
        self.0.feeds.for_each(prefix, forget);
    }

    /// Whether a frame on this feed could reach anyone.
    pub fn is_followed(&self, feed: &str) -> bool {
        self.0.feeds.find(feed).is_some()
    }

    /// The feed's newest frame. Take it before reading the store: what you then show already holds
    /// everything up to the cursor, and following from it brings everything after.
    pub fn cursor(&self, feed: &str) -> Cursor {
        Cursor {
            instance: self.0.instance.clone(),
            seq: self.0.feeds.head(feed),
        }
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
    pub(super) fn open(&self, viewer: Viewer) -> Result<Arc<Socket>> {
        self.0.sockets.check_rate(viewer.account)?;
        self.0.sockets.open(viewer, self.shards()?)
    }

    /// Removes a socket whose task has ended.
    pub(super) fn closed(&self, socket: &Socket) {
        self.0.sockets.close(socket);
    }

    /// Has every socket of an account check its rights again before it gets another frame. Call it
    /// in the commit that changed a right (`Tx::after_commit`): no frame of a later commit then
    /// passes unchecked.
    pub fn recheck(&self, account: AccountId) {
        self.0.sockets.recheck(account);
    }

    /// The same for everybody, when a change touches too many to name.
    pub fn recheck_all(&self) {
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

    fn hub() -> Hub {
        let limits = Limits {
            feed_frames: 16,
            sockets: 1,
            sockets_per_account: 1,
        };
        let room = crate::engine::feed::Feed::<RoomId>::new("room/{room}", "");
        Hub::new(limits, vec![room.spec()])
    }

    #[tokio::test]
    async fn publisher_waits_for_a_lagging_shard() {
        let hub = hub();
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
        let hub = hub();
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
