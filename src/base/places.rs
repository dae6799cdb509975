//! Places: how much each client holds of something, at most so much at once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The places that are taken, by client. Cheap to clone.
pub struct Places<K: Hash + Eq>(Arc<Mutex<HashMap<K, usize>>>);

impl<K: Hash + Eq> Clone for Places<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Hash + Eq> Default for Places<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Hash + Eq + Copy> Places<K> {
    /// Takes a place for a client that holds fewer than `max`.
    pub fn take(&self, client: K, max: usize) -> Option<Place<K>> {
        let mut taken = self.taken();
        let theirs = taken.entry(client).or_default();
        if *theirs >= max {
            return None;
        }
        *theirs += 1;
        Some(Place {
            places: self.clone(),
            client,
        })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place that is taken until this is dropped.
pub struct Place<K: Hash + Eq + Copy> {
    places: Places<K>,
    client: K,
}

impl<K: Hash + Eq + Copy> Drop for Place<K> {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        if let Some(theirs) = taken.get_mut(&self.client) {
            *theirs -= 1;
            if *theirs == 0 {
                taken.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_places_of_its_own() {
        let places = Places::default();
        let first = places.take(1, 2);
        let second = places.take(1, 2);
        assert!(first.is_some() && second.is_some());
        assert!(places.take(1, 2).is_none());
        assert!(places.take(2, 2).is_some());
        drop(first);
        assert!(places.take(1, 2).is_some());
        drop(second);
        assert!(places.taken().is_empty());
    }
}
