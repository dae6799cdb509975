//! Versions: a counter for each thing that cached pages and parts are made from, so that what was
//! made is known to be fresh without reading anything.
//!
//! Publishing an event bumps the things that its declaration names: `MessagePosted` the room. That
//! happens in the commit itself, before anyone is answered, so nobody is shown what they overtook.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use crate::base::ids::Id;

/// Something that cached things depend on: a kind of id, and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Thing(&'static str, i64);

impl Thing {
    /// The thing with this id.
    pub fn of<I: Id>(id: I) -> Self {
        Self(I::KIND, id.get())
    }
}

/// A field of an event, by which it says what it is about and what it changes.
pub trait Changed {
    /// The number of the event's subject.
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

/// A plain number names nothing that anything is cached of.
impl Changed for u64 {
    fn number(&self) -> i64 {
        self.cast_signed()
    }

    fn each(&self, _: &mut dyn FnMut(Thing)) {}
}

/// A counter, and what it was before the thing was read.
type Seen = (Arc<AtomicU64>, u64);

/// The counters of everything that something was made from. Cheap to clone.
#[derive(Clone, Default)]
pub struct Versions(Arc<RwLock<HashMap<Thing, Weak<AtomicU64>>>>);

impl Versions {
    /// The counter of a thing, kept as long as someone holds it.
    fn counter(&self, thing: Thing) -> Arc<AtomicU64> {
        let counters = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = counters.get(&thing).and_then(Weak::upgrade) {
            return counter;
        }
        drop(counters);
        let mut counters = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = counters.get(&thing).and_then(Weak::upgrade) {
            return counter;
        }
        let counter = Arc::default();
        counters.insert(thing, Arc::downgrade(&counter));
        counter
    }

    /// A thing changed. Called by the bus alone.
    pub(super) fn bump(&self, thing: Thing) {
        let counters = self.0.read().unwrap_or_else(PoisonError::into_inner);
        // Nobody holds the counter: nothing that is cached was made from it.
        if let Some(counter) = counters.get(&thing).and_then(Weak::upgrade) {
            counter.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// For something that is about to be made.
    pub fn dependencies(&self) -> Dependencies {
        Dependencies {
            versions: self.clone(),
            seen: Arc::default(),
        }
    }

    /// Drops counters that nobody holds. Called every minute.
    pub fn evict(&self) {
        let mut counters = self.0.write().unwrap_or_else(PoisonError::into_inner);
        counters.retain(|_, counter| counter.strong_count() > 0);
    }
}

/// What something is made from: things, with their counters as they were before the thing was
/// read. Cheap to clone.
#[derive(Clone)]
pub struct Dependencies {
    versions: Versions,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Dependencies {
    /// What is made depends on this thing. Call it before reading the thing.
    pub fn add(&self, id: impl Id) {
        let counter = self.versions.counter(Thing::of(id));
        let now = counter.load(Ordering::Acquire);
        self.seen().push((counter, now));
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For a part of what is being made, with dependencies of its own.
    pub(super) fn part(&self) -> Self {
        self.versions.dependencies()
    }

    /// What is made depends on all that the part depends on.
    pub(super) fn extend(&self, part: &Snapshot) {
        self.seen().extend(part.0.iter().cloned());
    }

    /// All of it, once everything is read.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.seen().as_slice().into())
    }
}

/// What something was made from.
#[derive(Clone)]
pub struct Snapshot(Arc<[Seen]>);

impl Snapshot {
    /// Whether none of it has changed since.
    pub fn is_fresh(&self) -> bool {
        self.0
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
    fn what_was_made_falls_with_the_first_change_of_anything_it_was_made_from() {
        let versions = Versions::default();
        let deps = versions.dependencies();
        deps.add(RoomId(1));
        deps.add(AccountId(1));
        let made = deps.snapshot();
        bump(&versions, RoomId(2));
        bump(&versions, SpaceId(1));
        assert!(made.is_fresh());
        bump(&versions, AccountId(1));
        assert!(!made.is_fresh());
    }

    #[test]
    fn a_change_while_it_is_read_counts() {
        let versions = Versions::default();
        let deps = versions.dependencies();
        deps.add(RoomId(1));
        bump(&versions, RoomId(1));
        assert!(!deps.snapshot().is_fresh());
    }

    #[test]
    fn counters_nobody_holds_are_forgotten() {
        let versions = Versions::default();
        let held = versions.counter(Thing::of(RoomId(1)));
        drop(versions.counter(Thing::of(RoomId(2))));
        versions.evict();
        assert_eq!(versions.0.read().unwrap().len(), 1);
        bump(&versions, RoomId(1));
        assert_eq!(held.load(Ordering::Acquire), 1);
    }
}
