//! A feed: a bounded log of frames, and who to wake when it grows.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::frame::{Content, Frame};
use super::socket::Bell;
use crate::base::error::Result;
use crate::engine::viewer::Viewer;

const HEAVIEST: usize = 4 << 20; // bytes of frames that one feed keeps, roughly

/// A place in a feed: the instance that numbered it and the last frame seen, written `instance.number`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(super) instance: Arc<str>,
    pub(super) seq: u64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.instance, self.seq)
    }
}

type Authorize = Arc<dyn Fn(Viewer, Vec<i64>) -> BoxFuture<'static, Result<bool>> + Send + Sync>;

/// A family of feeds that a module owns: a pattern of names, and who may follow them.
#[derive(Clone)]
pub struct FeedSpec {
    /// `room/{room}`: fixed parts and numbers.
    pub pattern: &'static str,
    /// What travels on it.
    pub about: &'static str,
    authorize: Authorize,
}

impl FeedSpec {
    /// Feeds named by `pattern`; `authorize` gets the numbers of the name in order.
    pub fn new<F, R>(pattern: &'static str, about: &'static str, authorize: F) -> Self
    where
        F: Fn(Viewer, Vec<i64>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<bool>> + Send + 'static,
    {
        Self { pattern, about, authorize: Arc::new(move |viewer, ids| authorize(viewer, ids).boxed()) }
    }

    /// The numbers of `name` where it fits the pattern.
    pub(super) fn ids(&self, name: &str) -> Option<Vec<i64>> {
        let mut given = name.split('/');
        let mut ids = Vec::new();
        for part in self.pattern.split('/') {
            let value = given.next()?;
            if part.starts_with('{') {
                // One spelling for each number: "007" and "+7" would be other feeds.
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

    pub(super) async fn allows(&self, viewer: &Viewer, ids: Vec<i64>) -> bool {
        match (self.authorize)(viewer.clone(), ids).await {
            Ok(allowed) => allowed,
            Err(error) => {
                tracing::warn!(pattern = self.pattern, %error, "the right to a feed could not be checked, so it is refused");
                false
            }
        }
    }
}

/// What comes after a cursor.
pub(super) enum Since {
    /// These frames, oldest first (none when up to date), and whether there are more.
    Frames(Vec<Arc<Frame>>, bool),
    /// The log no longer reaches back so far, or never issued the cursor: read the store again.
    Gone,
}

pub(super) struct Feed {
    pub(super) name: String,
    /// Number of the newest frame. Read without the lock by sockets that look whether anything came.
    head: AtomicU64,
    state: Mutex<State>,
}

struct State {
    /// Frames `head - frames.len() + 1 ..= head`.
    frames: VecDeque<Arc<Frame>>,
    /// Of all frames, in bytes, roughly.
    weight: usize,
    listeners: HashMap<u64, Arc<Bell>>,
    touched: Instant,
}

impl Feed {
    /// `start` must be past every number that an earlier feed of this name may have issued.
    pub(super) fn new(name: &str, start: u64) -> Self {
        let state = State { frames: VecDeque::new(), weight: 0, listeners: HashMap::new(), touched: Instant::now() };
        Self { name: name.to_owned(), head: AtomicU64::new(start), state: Mutex::new(state) }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // Nothing under this lock can leave it half-changed, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn head(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }

    /// Appends a frame, drops the oldest past `keep` frames or [`HEAVIEST`] bytes, and wakes the listeners.
    pub(super) fn publish(&self, instance: &Arc<str>, keep: usize, content: Content) {
        let mut state = self.state();
        let frame = |seq, content| {
            let cursor = Cursor { instance: instance.clone(), seq };
            Arc::new(Frame::new(&self.name, cursor.to_string(), seq, content))
        };
        let state = &mut *state;
        for older in state.frames.iter_mut().filter(|_| content.is_change()) {
            if let Some(instead) = content.instead_of(&older.content) {
                let instead = frame(older.seq, instead);
                state.weight = state.weight + instead.weight - older.weight;
                *older = instead;
            }
        }
        let seq = self.head() + 1;
        let frame = frame(seq, content);
        state.weight += frame.weight;
        state.frames.push_back(frame);
        while state.frames.len() > keep || (state.weight > HEAVIEST && state.frames.len() > 1) {
            state.weight -= state.frames.pop_front().map_or(0, |frame| frame.weight);
        }
        state.touched = Instant::now();
        self.head.store(seq, Ordering::Release);
        for bell in state.listeners.values() {
            bell.ring();
        }
    }

    /// Drops the log, so that every cursor is behind it.
    pub(super) fn forget(&self) {
        let mut state = self.state();
        state.frames.clear();
        state.weight = 0;
        // A number is skipped: no cursor given out so far is the newest any more.
        self.head.store(self.head() + 1, Ordering::Release);
        for bell in state.listeners.values() {
            bell.ring();
        }
    }

    /// Up to `most` frames after number `seen`.
    pub(super) fn since(&self, seen: u64, most: usize) -> Since {
        let state = self.state();
        let head = self.head();
        let first = head + 1 - state.frames.len() as u64;
        if seen > head || seen + 1 < first {
            return Since::Gone;
        }
        let from = (seen + 1 - first) as usize;
        let frames: Vec<_> = state.frames.iter().skip(from).take(most).cloned().collect();
        let more = from + frames.len() < state.frames.len();
        Since::Frames(frames, more)
    }

    pub(super) fn listen(&self, socket: u64, bell: &Arc<Bell>) {
        self.state().listeners.insert(socket, bell.clone());
    }

    pub(super) fn leave(&self, socket: u64) {
        let mut state = self.state();
        state.listeners.remove(&socket);
        state.touched = Instant::now();
    }

    /// Whether nobody listens and nothing came since `before`.
    pub(super) fn is_idle_since(&self, before: Instant) -> bool {
        let state = self.state();
        state.listeners.is_empty() && state.touched < before
    }

    /// Keeps it from being forgotten for a while. The number of its newest frame.
    pub(super) fn touch(&self) -> u64 {
        self.state().touched = Instant::now();
        self.head()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed_with(frames: u64, keep: usize) -> Feed {
        let feed = Feed::new("room/1", 100);
        for number in 0..frames {
            feed.publish(&"i".into(), keep, Content::new("a.b.c", number.into()));
        }
        feed
    }

    fn numbers(since: Since) -> Option<Vec<u64>> {
        match since {
            Since::Frames(frames, _) => Some(frames.iter().map(|frame| frame.seq).collect()),
            Since::Gone => None,
        }
    }

    #[test]
    fn gives_exactly_what_came_after_a_cursor() {
        let feed = feed_with(5, 8);
        assert_eq!(numbers(feed.since(100, 64)), Some(vec![101, 102, 103, 104, 105]));
        assert_eq!(numbers(feed.since(103, 64)), Some(vec![104, 105]));
        assert_eq!(numbers(feed.since(105, 64)), Some(vec![]));
        assert!(matches!(feed.since(100, 2), Since::Frames(frames, true) if frames.len() == 2));
    }

    #[test]
    fn says_so_when_the_log_no_longer_reaches_back_or_never_issued_the_cursor() {
        let feed = feed_with(20, 8);
        assert_eq!(numbers(feed.since(111, 64)), None);
        assert_eq!(numbers(feed.since(112, 64)).map(|n| n.len()), Some(8));
        assert_eq!(numbers(feed.since(121, 64)), None);
        assert_eq!(numbers(feed.since(0, 64)), None);
    }

    #[test]
    fn a_feed_name_has_one_spelling() {
        let spec = FeedSpec::new("space/{space}/presence", "", |_, _| async { Ok(true) });
        assert_eq!(spec.ids("space/12/presence"), Some(vec![12]));
        for wrong in
            ["space/012/presence", "space/+12/presence", "space/12", "space/12/presence/1", "room/12/presence", "space//presence", ""]
        {
            assert_eq!(spec.ids(wrong), None, "{wrong}");
        }
    }
}
