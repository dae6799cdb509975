//! The hub: every feed and every socket of this instance.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

use super::feed::{Cursor, Feed, FeedSpec};
use super::frame::{Content, Frame};
use super::log::{Bounds, Entry};
use super::refetch::RefetchPacer;
use super::shard::Shards;
use super::socket::{CloseReason, Socket};
use crate::base::clock::Micros;
use crate::base::error::{Allowance, Error, Result};
use crate::base::ids::AccountId;
use crate::base::secrets;
use crate::base::settings::Settings;
use crate::base::telemetry::refused;
use crate::engine::rate_limit::Rate;
use crate::engine::viewer::Viewer;

const MAX_FEED_BYTES: usize = 4 << 20; // bytes of frames that one feed keeps, roughly
// Times an account may open all its sockets in a minute: a network that comes and goes.
const MAX_OPENINGS_PER_SOCKET: u32 = 4;
// What a publisher waits for shards at most. A shard writes to 5,000 sockets in some 20 ms, so this
// is a dozen rounds: longer means that the processor is not the sockets' alone.
const MAX_PUBLISH_WAIT: Duration = Duration::from_millis(250);
// How long an unread, unfollowed feed keeps its log.
const IDLE_FEED_TTL: Duration = Duration::from_secs(300);

/// Bounds of the hub.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Frames a feed keeps.
    pub feed_frames: usize,
    /// Open sockets in all.
    pub sockets: usize,
    /// Open sockets of one account.
    pub sockets_per_account: usize,
}

impl From<&Settings> for Limits {
    fn from(settings: &Settings) -> Self {
        Self {
            feed_frames: settings.feed_frames,
            sockets: settings.max_sockets,
            sockets_per_account: settings.max_sockets_per_account,
        }
    }
}

/// Microseconds of now lie past every number that an earlier, forgotten feed of the same name can
/// have used.
fn first_number() -> u64 {
    u64::try_from(Micros::now().0).unwrap_or(0)
}

type StillValid = Arc<dyn Fn(Viewer) -> BoxFuture<'static, bool> + Send + Sync>;

/// Every feed and every socket. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    instance: Arc<str>,
    limits: Limits,
    declared: OnceLock<(Vec<FeedSpec>, StillValid)>,
    feeds: RwLock<HashMap<String, Arc<Feed>>>,
    sockets: Mutex<Sockets>,
    /// How often an account opens sockets: each asks the database what it may follow.
    openings: Rate<AccountId>,
    next_socket: AtomicU64,
    next_feed: AtomicU64,
    shards: OnceLock<Shards>,
    refetches: Arc<RefetchPacer>,
}

#[derive(Default)]
struct Sockets {
    open: usize,
    of: HashMap<AccountId, Vec<Arc<Socket>>>,
    closing: bool,
}

impl Hub {
    /// A hub without any feed.
    pub fn new(limits: Limits) -> Self {
        // Counted from the start: what is not there looks like what is broken.
        metrics::gauge!("tidepool_sockets").set(0.0);
        let openings = u32::try_from(limits.sockets_per_account)
            .unwrap_or(u32::MAX)
            .saturating_mul(MAX_OPENINGS_PER_SOCKET);
        Self(Arc::new(Inner {
            instance: secrets::short_token()[..8].into(),
            limits,
            declared: OnceLock::new(),
            feeds: RwLock::default(),
            sockets: Mutex::default(),
            openings: Rate::new(openings, Duration::from_secs(60)),
            next_socket: AtomicU64::new(1),
            next_feed: AtomicU64::new(1),
            shards: OnceLock::new(),
            refetches: Arc::new(RefetchPacer::new()),
        }))
    }

    /// Takes these families of feeds and no others, once. `still_valid` says whether a session may
    /// go on.
    ///
    /// # Panics
    /// When called twice: a mistake of the program.
    pub(in crate::engine) fn declare<F, R>(&self, specs: Vec<FeedSpec>, still_valid: F)
    where
        F: Fn(Viewer) -> R + Send + Sync + 'static,
        R: Future<Output = bool> + Send + 'static,
    {
        let still_valid: StillValid = Arc::new(move |viewer| still_valid(viewer).boxed());
        assert!(
            self.0.declared.set((specs, still_valid)).is_ok(),
            "the feeds are declared once"
        );
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
        if let Some(feed) = self.existing(feed) {
            metrics::counter!("tidepool_frames_total").increment(1);
            self.append(&feed, content);
        } else if self.spec(feed).is_none() {
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
            entries: feed.keeps,
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
        if let Some(feed) = self.existing(feed)
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
        for feed in self
            .0
            .feeds
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
        {
            if feed.name.starts_with(prefix) {
                feed.log.forget(|shard| self.wake(shard, feed));
            }
        }
    }

    /// Whether a frame on this feed could reach anyone.
    pub fn is_followed(&self, feed: &str) -> bool {
        self.existing(feed).is_some()
    }

    /// The feed's newest frame. Take it before reading the store: what you then show already holds
    /// everything up to the cursor, and following from it brings everything after.
    pub fn cursor(&self, feed: &str) -> Cursor {
        let seq = match self.existing(feed) {
            Some(feed) => feed.log.touch(),
            None => {
                let mut feeds = self.0.feeds.write().unwrap_or_else(PoisonError::into_inner);
                feeds
                    .entry(feed.to_owned())
                    .or_insert_with(|| self.made(feed))
                    .log
                    .head()
            }
        };
        Cursor {
            instance: self.0.instance.clone(),
            seq,
        }
    }

    /// The number in a cursor of this instance.
    pub(super) fn seen(&self, cursor: &str) -> Option<u64> {
        let (instance, seq) = cursor.rsplit_once('.')?;
        (*instance == *self.0.instance)
            .then(|| seq.parse().ok())
            .flatten()
    }

    fn made(&self, name: &str) -> Arc<Feed> {
        let id = self.0.next_feed.fetch_add(1, Ordering::Relaxed);
        let (ephemeral, keeps) = self.spec(name).map_or((false, usize::MAX), |(spec, _)| {
            (spec.ephemeral, spec.keeps)
        });
        let keeps = keeps.min(self.0.limits.feed_frames);
        Arc::new(Feed::new(id, name, ephemeral, keeps, first_number()))
    }

    /// Lets a shard listen to a feed, made if it is not there. Under the map's lock, which
    /// forgetting feeds takes, too.
    pub(super) fn listen(&self, name: &str, shard: usize) -> Arc<Feed> {
        let mut feeds = self.0.feeds.write().unwrap_or_else(PoisonError::into_inner);
        let feed = feeds
            .entry(name.to_owned())
            .or_insert_with(|| self.made(name));
        feed.log.listen(shard);
        feed.clone()
    }

    fn existing(&self, name: &str) -> Option<Arc<Feed>> {
        self.0
            .feeds
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }

    fn spec(&self, feed: &str) -> Option<(&FeedSpec, Vec<i64>)> {
        self.0
            .declared
            .get()?
            .0
            .iter()
            .find_map(|spec| Some((spec, spec.ids(feed)?)))
    }

    /// Whether this person may follow this feed now.
    pub(super) async fn allows(&self, viewer: &Viewer, feed: &str) -> bool {
        match self.spec(feed) {
            Some((spec, ids)) => spec.allows(viewer, ids).await,
            None => false,
        }
    }

    pub(super) async fn still_valid(&self, viewer: &Viewer) -> bool {
        match self.0.declared.get() {
            Some((_, still_valid)) => still_valid(viewer.clone()).await,
            None => false,
        }
    }

    fn sockets(&self) -> std::sync::MutexGuard<'_, Sockets> {
        self.0
            .sockets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
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
        self.0
            .openings
            .check(&viewer.account)
            .inspect_err(|_| refused("socket_openings"))?;
        let shards = self.shards()?;
        let mut sockets = self.sockets();
        if sockets.closing || sockets.open >= self.0.limits.sockets {
            refused("sockets");
            return Err(Error::Unavailable);
        }
        let theirs = sockets.of.entry(viewer.account).or_default();
        if theirs.len() >= self.0.limits.sockets_per_account {
            refused("sockets_of_account");
            let limit = u32::try_from(self.0.limits.sockets_per_account).unwrap_or(u32::MAX);
            return Err(Error::TooMany(Allowance::used_up(
                limit,
                Duration::from_secs(30),
            )));
        }
        let id = self.0.next_socket.fetch_add(1, Ordering::Relaxed);
        let socket = Arc::new(Socket::new(id, viewer, shards.of(id).clone()));
        theirs.push(socket.clone());
        sockets.open += 1;
        metrics::gauge!("tidepool_sockets").set(sockets.open as f64);
        Ok(socket)
    }

    /// Lets a socket go. How many the account has left.
    pub(super) fn closed(&self, socket: &Socket) {
        let mut sockets = self.sockets();
        let account = socket.viewer.account;
        if let Some(theirs) = sockets.of.get_mut(&account) {
            theirs.retain(|other| other.id != socket.id);
            if theirs.is_empty() {
                sockets.of.remove(&account);
            }
        }
        sockets.open -= 1;
        metrics::gauge!("tidepool_sockets").set(sockets.open as f64);
    }

    /// Has every socket of an account prove its rights again before it gets another frame. Call it
    /// in the commit that changed a right (`Tx::after_commit`): no frame of a later commit then
    /// passes unchecked.
    pub fn recheck(&self, account: AccountId) {
        for socket in self.sockets().of.get(&account).into_iter().flatten() {
            socket.recheck();
        }
    }

    /// The same for everybody, when a change touches too many to name.
    pub fn recheck_all(&self) {
        for socket in self.sockets().of.values().flatten() {
            socket.recheck();
        }
    }

    /// The accounts that have a socket open.
    pub fn connected(&self) -> Vec<AccountId> {
        self.sockets().of.keys().copied().collect()
    }

    /// How many sockets an account has open.
    pub fn sockets_of(&self, account: AccountId) -> usize {
        self.sockets().of.get(&account).map_or(0, Vec::len)
    }

    /// Closes every socket with 1012 (service restart) and takes in no more. Waits until they are
    /// gone, at most `most`.
    pub async fn close_all(&self, most: Duration) {
        {
            let mut sockets = self.sockets();
            sockets.closing = true;
            for socket in sockets.of.values().flatten() {
                socket.close(CloseReason::Restart);
            }
        }
        let until = Instant::now() + most;
        while self.sockets().open > 0 && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Forgets feeds that nobody follows and nobody is likely to come back to. Called every minute.
    pub fn evict(&self) {
        self.0.openings.evict();
        let Some(before) = Instant::now().checked_sub(IDLE_FEED_TTL) else {
            return;
        };
        let mut feeds = self.0.feeds.write().unwrap_or_else(PoisonError::into_inner);
        feeds.retain(|_, feed| !feed.log.is_idle_since(before));
        metrics::gauge!("tidepool_feeds").set(feeds.len() as f64);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::poll;

    use super::*;

    fn hub() -> Hub {
        let hub = Hub::new(Limits {
            feed_frames: 16,
            sockets: 1,
            sockets_per_account: 1,
        });
        let spec = FeedSpec::new("room/{room}", "", |_, _| async { Ok(true) });
        hub.declare(vec![spec], |_| async { true });
        hub
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
