//! A log: a ring buffer of numbered entries, read by cursor from several shards.
//!
//! One writer at a time appends; every reader asks what came after its own number, so no reader has
//! a queue. A listening shard is woken once, for however many entries it has not read yet.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use smallvec::SmallVec;

use super::sync::{AtomicBool, AtomicU64, Mutex, MutexGuard, Ordering, PoisonError};

/// What a log holds.
pub(super) trait Entry {
    /// Numbers of a log are consecutive.
    fn number(&self) -> u64;
    /// Bytes that count against the log's bound.
    fn weight(&self) -> usize;
}

/// Bounds of a log. The newest entry is always kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) entries: usize,
    /// Of all entries' weights, in bytes.
    pub(super) weight: usize,
}

/// The entries after a number.
pub(super) enum ReadAfter<E> {
    /// These entries, oldest first (none when up to date), and the rewrite version they are of.
    Entries(Vec<Arc<E>>, u64),
    /// The ring no longer reaches back so far, or never issued the number: refetch from the store.
    OutOfRange,
}

/// The replacement of an older entry, if it needs one.
type Supersede<'a, E> = &'a dyn Fn(&E) -> Option<E>;

/// A set of shards, at most 64.
type Shards = u64;

pub(super) struct Log<E> {
    /// Number of the newest entry. Read without the lock by each delivery, which mostly finds that
    /// nothing came.
    head: AtomicU64,
    /// Grows whenever entries that may have been read are changed.
    rewrite_version: AtomicU64,
    /// The shards that were woken and have not acknowledged it since.
    woken: AtomicU64,
    /// Whether a listening shard is more than half of the ring behind the head. Changed under the
    /// lock, read without it by whoever is about to append.
    lagging: AtomicBool,
    state: Mutex<State<E>>,
}

struct State<E> {
    /// Entries `head - entries.len() + 1 ..= head`.
    entries: VecDeque<Arc<E>>,
    weight: usize,
    listening: Shards,
    /// By shard: the number up to which it has written entries to its sockets. Two shards, of the
    /// smallest machine, fit inline.
    taken: SmallVec<[u64; 2]>,
    /// Entries that a listening shard may be behind the head before the log is lagging.
    max_lag: u64,
    touched: Instant,
}

impl<E: Entry> State<E> {
    /// Half of what the ring can hold. While its bytes are far from their bound, that is half of
    /// the bound on entries; then half of the entries it holds now.
    fn half_of(&self, bounds: Bounds) -> u64 {
        let holds = if self.weight > bounds.weight / 2 {
            self.entries.len()
        } else {
            bounds.entries
        };
        (holds / 2) as u64
    }

    /// The number that the slowest listening shard has taken; none without a listener.
    fn slowest(&self) -> Option<u64> {
        let listens = |shard: &usize| self.listening & (1 << shard) != 0;
        (0..self.taken.len())
            .filter(listens)
            .map(|shard| self.taken[shard])
            .min()
    }

    fn is_lagging(&self, head: u64) -> bool {
        self.slowest()
            .is_some_and(|taken| head.saturating_sub(taken) > self.max_lag)
    }
}

impl<E: Entry> Log<E> {
    /// An empty log whose first entry has the number after `start`.
    pub(super) fn new(start: u64) -> Self {
        let state = State {
            entries: VecDeque::new(),
            weight: 0,
            listening: 0,
            taken: SmallVec::new(),
            max_lag: u64::MAX,
            touched: Instant::now(),
        };
        Self {
            head: AtomicU64::new(start),
            rewrite_version: AtomicU64::new(0),
            woken: AtomicU64::new(0),
            lagging: AtomicBool::new(false),
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<E>> {
        // Nothing under this lock panics halfway, so a poisoned lock still guards a sound state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn head(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }

    pub(super) fn rewrite_version(&self) -> u64 {
        self.rewrite_version.load(Ordering::Acquire)
    }

    /// Appends what `make` makes of its number, drops the oldest past the bounds, and wakes each
    /// listening shard that has acknowledged the last wake-up. Entries for which `supersede` gives
    /// another are replaced by it first.
    pub(super) fn append(
        &self,
        bounds: Bounds,
        make: impl FnOnce(u64) -> E,
        supersede: Option<Supersede<'_, E>>,
        wake: impl Fn(usize),
    ) {
        let mut guard = self.state();
        let state = &mut *guard;
        if let Some(supersede) = supersede {
            for entry in &mut state.entries {
                if let Some(other) = supersede(entry) {
                    state.weight = state.weight + other.weight() - entry.weight();
                    *entry = Arc::new(other);
                    self.rewrite_version.fetch_add(1, Ordering::AcqRel);
                }
            }
        }
        let number = self.head() + 1;
        let entry = make(number);
        state.weight += entry.weight();
        state.entries.push_back(Arc::new(entry));
        while state.entries.len() > bounds.entries
            || (state.weight > bounds.weight && state.entries.len() > 1)
        {
            state.weight -= state.entries.pop_front().map_or(0, |entry| entry.weight());
        }
        state.touched = Instant::now();
        state.max_lag = state.half_of(bounds);
        self.head.store(number, Ordering::Release);
        self.update_lagging(state);
        self.wake(guard, wake);
    }

    /// Drops all entries and continues after `number`, or the one after the head if that is
    /// greater: every cursor given out so far is out of range.
    pub(super) fn skip_to(&self, number: u64, wake: impl Fn(usize)) {
        let mut state = self.state();
        state.entries.clear();
        state.weight = 0;
        self.rewrite_version.fetch_add(1, Ordering::AcqRel);
        let number = number.max(self.head() + 1);
        self.head.store(number, Ordering::Release);
        self.wake(state, wake);
    }

    /// Lets an empty log begin after `number`, before anybody has a cursor of it.
    pub(super) fn start_after(&self, number: u64) {
        let mut state = self.state();
        state.taken.fill(number);
        self.head.store(number, Ordering::Release);
    }

    /// Who listens is read under the lock: a shard that listens later sees the new head. Waking,
    /// which takes the shards' locks, is done outside.
    fn wake(&self, state: MutexGuard<'_, State<E>>, wake: impl Fn(usize)) {
        let listening = state.listening;
        drop(state);
        let mut to_wake = listening & !self.woken.fetch_or(listening, Ordering::AcqRel);
        while to_wake != 0 {
            wake(to_wake.trailing_zeros() as usize);
            to_wake &= to_wake - 1;
        }
    }

    /// A shard that was woken is about to read. Whatever is appended from now on wakes it again.
    pub(super) fn acknowledge(&self, shard: usize) {
        self.woken.fetch_and(!(1 << shard), Ordering::AcqRel);
    }

    /// Up to `max` entries after number `seen`.
    pub(super) fn read_after(&self, seen: u64, max: usize) -> ReadAfter<E> {
        let state = self.state();
        let head = self.head();
        let first = head + 1 - state.entries.len() as u64;
        if seen > head || seen + 1 < first {
            return ReadAfter::OutOfRange;
        }
        let from = (seen + 1 - first) as usize;
        ReadAfter::Entries(
            state.entries.iter().skip(from).take(max).cloned().collect(),
            self.rewrite_version(),
        )
    }

    /// Whether the ring still holds all entries after number `seen`.
    pub(super) fn reaches(&self, seen: u64) -> bool {
        matches!(self.read_after(seen, 0), ReadAfter::Entries(..))
    }

    /// Whether a listening shard is so far behind that appending more would soon drop entries its
    /// sockets have not been written. Stays so until [`Self::set_taken`] or [`Self::leave`].
    pub(super) fn is_lagging(&self) -> bool {
        self.lagging.load(Ordering::Acquire)
    }

    /// Whether the log has just stopped lagging.
    fn update_lagging(&self, state: &State<E>) -> bool {
        let lagging = state.is_lagging(self.head());
        self.lagging.swap(lagging, Ordering::AcqRel) && !lagging
    }

    /// A listening shard has written all entries up to this number to every socket that takes
    /// bytes. Whether the log has stopped lagging by that.
    pub(super) fn set_taken(&self, shard: usize, number: u64) -> bool {
        let mut state = self.state();
        if let Some(taken) = state.taken.get_mut(shard) {
            *taken = number.max(*taken);
        }
        self.update_lagging(&state)
    }

    /// From now on this shard is woken.
    pub(super) fn listen(&self, shard: usize) {
        let mut state = self.state();
        if state.listening & (1 << shard) == 0 {
            // Nothing before is owed to it: a socket that resumes reads the ring on its own.
            let len = state.taken.len().max(shard + 1);
            state.taken.resize(len, 0);
            state.taken[shard] = self.head();
            state.listening |= 1 << shard;
        }
    }

    /// From now on it is not. Whether the log has stopped lagging by that.
    pub(super) fn leave(&self, shard: usize) -> bool {
        let mut state = self.state();
        state.listening &= !(1 << shard);
        state.touched = Instant::now();
        self.update_lagging(&state)
    }

    /// Whether nobody listens, and nothing was appended and no cursor taken since `before`.
    pub(super) fn is_idle_since(&self, before: Instant) -> bool {
        let state = self.state();
        state.listening == 0 && state.touched < before
    }

    /// The number of the newest entry, for a cursor: keeps the log from being idle.
    pub(super) fn touch(&self) -> u64 {
        self.state().touched = Instant::now();
        self.head()
    }
}
