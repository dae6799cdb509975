//! Cache invalidation by version counters: one for each thing that cached pages and parts depend
//! on, so that checking whether a cached entry is fresh reads nothing but counters.
//!
//! Publishing an event bumps the things that its declaration names: `RoomChanged` bumps the room.
//! That happens after the commit and before the writer gets its response (see `Tx::after_commit`),
//! so a client never gets a cached page from before its own change.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use crate::base::ids::Id;

/// Something that cached entries depend on: a kind of id, and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thing(&'static str, i64);

impl Thing {
    /// The thing with this id.
    pub fn of<I: Id>(id: I) -> Self {
        Self(I::KIND, id.get())
    }

    /// The kind of id, and the number.
    pub(super) fn parts(self) -> (&'static str, i64) {
        (self.0, self.1)
    }
}

/// A type of event field that may name what the event is about and what it changes.
pub trait Changed {
    /// The number to use as the event's key.
    fn number(&self) -> i64;

    /// Calls `change` with each thing that this field names.
    fn each(&self, change: &mut dyn FnMut(Thing));
}

impl<I: Id> Changed for I {
    fn number(&self) -> i64 {
        self.get()
    }

    fn each(&self, change: &mut dyn FnMut(Thing)) {
        change(Thing::of(*self));
    }
}

impl<I: Id> Changed for Option<I> {
    fn number(&self) -> i64 {
        self.map_or(0, Id::get)
    }

    fn each(&self, change: &mut dyn FnMut(Thing)) {
        self.iter().for_each(|id| change(Thing::of(*id)));
    }
}

impl<I: Id> Changed for Vec<I> {
    fn number(&self) -> i64 {
        0
    }

    fn each(&self, change: &mut dyn FnMut(Thing)) {
        self.iter().for_each(|id| change(Thing::of(*id)));
    }
}

/// A plain number is no id: it changes nothing that is cached.
impl Changed for u64 {
    fn number(&self) -> i64 {
        self.cast_signed()
    }

    fn each(&self, _: &mut dyn FnMut(Thing)) {}
}

/// A counter, and its value before the thing was read.
type Seen = (Arc<AtomicU64>, u64);

/// The counters of everything that a cached entry depends on. Cheap to clone.
#[derive(Clone)]
pub struct Versions {
    counters: Arc<RwLock<HashMap<Thing, Weak<AtomicU64>>>>,
    /// The kinds of all things that ever had a counter.
    kinds: Arc<RwLock<HashSet<&'static str>>>,
    /// Of all entries: see [`Versions::expire_all`]. [`SUSPENDED`] while none is fresh.
    generation: Arc<AtomicU64>,
}

/// No entry is of this generation.
const SUSPENDED: u64 = 0;

impl Default for Versions {
    fn default() -> Self {
        Self {
            counters: Arc::default(),
            kinds: Arc::default(),
            generation: Arc::new(AtomicU64::new(SUSPENDED + 1)),
        }
    }
}

impl Versions {
    /// Makes every cached entry stale: after changes that are not known one by one.
    pub(super) fn expire_all(&self) {
        let next = |generation| (generation != SUSPENDED).then_some(generation + 1);
        let order = (Ordering::AcqRel, Ordering::Acquire);
        let _ = self.generation.fetch_update(order.0, order.1, next);
    }

    /// Makes every entry stale, also those that are made from now on, while changes cannot be
    /// known.
    pub(super) fn suspend(&self) {
        self.generation.store(SUSPENDED, Ordering::Release);
    }

    /// Entries that are made from now on are fresh again until they change.
    pub(super) fn resume(&self) {
        static NEXT: AtomicU64 = AtomicU64::new(1 << 32);
        let next = NEXT.fetch_add(1 << 32, Ordering::Relaxed);
        self.generation.store(next, Ordering::Release);
    }

    /// The counter of a thing, which exists as long as a cached entry holds it.
    fn counter(&self, thing: Thing) -> Arc<AtomicU64> {
        let counters = self.counters.read();
        let counters = counters.unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = counters.get(&thing).and_then(Weak::upgrade) {
            return counter;
        }
        drop(counters);
        let counters = self.counters.write();
        let mut counters = counters.unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = counters.get(&thing).and_then(Weak::upgrade) {
            return counter;
        }
        let kinds = self.kinds.read().unwrap_or_else(PoisonError::into_inner);
        let is_known = kinds.contains(thing.0);
        drop(kinds);
        if !is_known {
            let kinds = self.kinds.write();
            kinds
                .unwrap_or_else(PoisonError::into_inner)
                .insert(thing.0);
        }
        let counter = Arc::default();
        counters.insert(thing, Arc::downgrade(&counter));
        counter
    }

    /// Records that a thing changed. Called by the bus alone.
    pub(super) fn bump(&self, thing: Thing) {
        let counters = self.counters.read();
        let counters = counters.unwrap_or_else(PoisonError::into_inner);
        // Without a counter, nothing cached depends on the thing.
        if let Some(counter) = counters.get(&thing).and_then(Weak::upgrade) {
            counter.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// As [`bump`](Self::bump), with the kind of id as another instance names it.
    pub(super) fn bump_named(&self, kind: &str, number: i64) {
        let kinds = self.kinds.read().unwrap_or_else(PoisonError::into_inner);
        // Of a kind that is not there, nothing is cached.
        if let Some(kind) = kinds.get(kind) {
            self.bump(Thing(kind, number));
        }
    }

    /// An empty list of dependencies, for an entry that is about to be rendered.
    pub fn dependencies(&self) -> Dependencies {
        Dependencies {
            versions: self.clone(),
            generation: Arc::new(AtomicU64::new(self.generation.load(Ordering::Acquire))),
            seen: Arc::default(),
        }
    }

    /// Drops counters that no cached entry holds. Called every minute.
    pub fn evict(&self) {
        let counters = self.counters.write();
        let mut counters = counters.unwrap_or_else(PoisonError::into_inner);
        counters.retain(|_, counter| counter.strong_count() > 0);
    }
}

/// The dependencies of an entry that is being rendered: counters with their values before the
/// things were read. Cheap to clone; clones share one list.
#[derive(Clone)]
pub struct Dependencies {
    versions: Versions,
    /// The oldest of all that was added.
    generation: Arc<AtomicU64>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Dependencies {
    /// Adds a dependency. To be called before reading the thing, so that a change between the two
    /// makes the entry stale instead of being missed.
    pub fn add(&self, id: impl Id) {
        let counter = self.versions.counter(Thing::of(id));
        let now = counter.load(Ordering::Acquire);
        self.seen().push((counter, now));
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An empty list, for a part that is cached on its own.
    pub(super) fn part(&self) -> Self {
        self.versions.dependencies()
    }

    /// Adds all dependencies of another entry.
    pub fn extend(&self, part: &Snapshot) {
        self.generation.fetch_min(part.generation, Ordering::AcqRel);
        self.seen().extend(part.seen.iter().cloned());
    }

    /// The complete list, to be taken once everything is read.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            seen: self.seen().as_slice().into(),
            generation: self.generation.load(Ordering::Acquire),
            current: self.versions.generation.clone(),
        }
    }
}

/// The dependencies of a cached entry.
#[derive(Clone)]
pub struct Snapshot {
    seen: Arc<[Seen]>,
    generation: u64,
    /// The generation of all entries.
    current: Arc<AtomicU64>,
}

impl Snapshot {
    /// Whether no dependency has changed since it was read.
    pub fn is_fresh(&self) -> bool {
        self.generation != SUSPENDED
            && self.generation == self.current.load(Ordering::Acquire)
            && self
                .seen
                .iter()
                .all(|(counter, then)| counter.load(Ordering::Acquire) == *then)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::{AccountId, RoomId, SpaceId};

    fn bump(versions: &Versions, id: impl Id) {
        versions.bump(Thing::of(id));
    }

    #[test]
    fn snapshot_is_stale_after_a_dependency_changes() {
        let versions = Versions::default();
        let deps = versions.dependencies();
        deps.add(RoomId(1));
        deps.add(AccountId(1));
        let snapshot = deps.snapshot();
        bump(&versions, RoomId(2));
        bump(&versions, SpaceId(1));
        assert!(snapshot.is_fresh());
        bump(&versions, AccountId(1));
        assert!(!snapshot.is_fresh());
    }

    #[test]
    fn no_snapshot_is_fresh_while_suspended() {
        let versions = Versions::default();
        let before = versions.dependencies().snapshot();
        versions.suspend();
        versions.expire_all();
        let meanwhile = versions.dependencies().snapshot();
        assert!(!before.is_fresh() && !meanwhile.is_fresh());
        versions.resume();
        assert!(!before.is_fresh() && !meanwhile.is_fresh());
        let after = versions.dependencies().snapshot();
        assert!(after.is_fresh());
        versions.expire_all();
        assert!(!after.is_fresh());
    }

    #[test]
    fn change_during_rendering_makes_snapshot_stale() {
        let versions = Versions::default();
        let deps = versions.dependencies();
        deps.add(RoomId(1));
        bump(&versions, RoomId(1));
        assert!(!deps.snapshot().is_fresh());
    }

    #[test]
    fn counter_nobody_holds_is_evicted() {
        let versions = Versions::default();
        let held = versions.counter(Thing::of(RoomId(1)));
        drop(versions.counter(Thing::of(RoomId(2))));
        versions.evict();
        assert_eq!(versions.counters.read().unwrap().len(), 1);
        bump(&versions, RoomId(1));
        assert_eq!(held.load(Ordering::Acquire), 1);
    }
}
