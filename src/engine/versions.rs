//! Versions: a counter for each thing that pages are made from, so that what was made is known to
//! stand or not without reading anything.
//!
//! Publishing an event counts as a change of the thing it is ordered by: `MessagePosted` by room 12
//! versions `("room", 12)`. That happens in the commit itself, before anyone is told that it is
//! done, so nobody is shown what they overtook.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

/// A counter, and what it was when the thing was read.
type Seen = (Arc<AtomicU64>, u64);

/// A kind of thing and its id.
type Thing = (&'static str, i64);

/// The counters of everything that something was made from. Cheap to clone.
#[derive(Clone, Default)]
pub struct Versions(Arc<RwLock<HashMap<Thing, Weak<AtomicU64>>>>);

impl Versions {
    /// The counter of a thing, kept as long as someone holds it.
    pub fn of(&self, kind: &'static str, id: i64) -> Arc<AtomicU64> {
        let thing = (kind, id);
        if let Some(counter) = self
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&thing)
            .and_then(Weak::upgrade)
        {
            return counter;
        }
        let mut counters = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = counters.get(&thing).and_then(Weak::upgrade) {
            return counter;
        }
        let counter = Arc::default();
        counters.insert(thing, Arc::downgrade(&counter));
        counter
    }

    /// A thing changed.
    pub fn bump(&self, kind: &'static str, id: i64) {
        // Nobody holds the counter: nothing that stands was made from it.
        if let Some(counter) = self
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&(kind, id))
            .and_then(Weak::upgrade)
        {
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

    /// Forgets counters that nobody holds. Called every minute.
    pub fn evict(&self) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, counter| counter.strong_count() > 0);
    }
}

/// What something is made from: things, with their counters as they were before the thing was read.
/// Cheap to clone.
#[derive(Clone)]
pub struct Dependencies {
    versions: Versions,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Dependencies {
    /// What is made depends on this thing. Call it before reading the thing.
    pub fn add(&self, kind: &'static str, id: i64) {
        let counter = self.versions.of(kind, id);
        let now = counter.load(Ordering::Acquire);
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((counter, now));
    }

    /// For a part of what is being made, with deps of its own.
    pub(super) fn part(&self) -> Self {
        self.versions.dependencies()
    }

    /// What is made depends on all that the part depends on.
    pub(super) fn extend(&self, part: &Snapshot) {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(part.0.iter().cloned());
    }

    /// All of it, once everything is read.
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot(
            self.seen
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .as_slice()
                .into(),
        )
    }
}

/// What something was made from.
#[derive(Clone)]
pub(super) struct Snapshot(Arc<[Seen]>);

impl Snapshot {
    /// Whether none of it has changed since.
    pub(super) fn is_fresh(&self) -> bool {
        self.0
            .iter()
            .all(|(counter, then)| counter.load(Ordering::Acquire) == *then)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_falls_with_the_first_change_of_anything_it_was_made_from() {
        let versions = Versions::default();
        let deps = versions.dependencies();
        deps.add("room", 1);
        deps.add("account", 1);
        let made = deps.snapshot();
        versions.bump("room", 2);
        versions.bump("space", 1);
        assert!(made.is_fresh());
        versions.bump("account", 1);
        assert!(!made.is_fresh());
    }

    #[test]
    fn a_change_while_it_is_read_counts() {
        let versions = Versions::default();
        let deps = versions.dependencies();
        deps.add("room", 1);
        versions.bump("room", 1);
        assert!(!deps.snapshot().is_fresh());
    }

    #[test]
    fn counters_nobody_holds_are_forgotten() {
        let versions = Versions::default();
        let held = versions.of("room", 1);
        drop(versions.of("room", 2));
        versions.evict();
        assert_eq!(versions.0.read().unwrap().len(), 1);
        versions.bump("room", 1);
        assert_eq!(held.load(Ordering::Acquire), 1);
    }
}
