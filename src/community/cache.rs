//! Caches of database rows, invalidated when an event changes one of their dependencies.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

use moka::sync::Cache;

use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::engine::Engine;
use crate::engine::versions::{Dependencies, Snapshot, Versions};

const MAX_VALUES: u64 = 50_000; // of one cache: a few dozen bytes each
const MAX_LISTED_ITEMS: u64 = 500_000; // in all lists of one cache: 32 to 128 bytes each

/// Accounts that belong to a space or room.
pub type Members = Arc<HashSet<AccountId>>;

/// Values by key, each with a snapshot of the versions it depends on. Cheap to clone.
#[derive(Clone)]
pub struct StoreCache<K, V> {
    versions: Versions,
    values: Cache<K, (Snapshot, V)>,
}

impl<K, V> StoreCache<K, V>
where
    K: Hash + Eq + Copy + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// For small values: bounded by their count.
    pub fn new(engine: &Engine) -> Self {
        let values = Cache::builder().max_capacity(MAX_VALUES);
        Self {
            versions: engine.versions.clone(),
            values: values.time_to_live(engine.settings.cache_ttl()).build(),
        }
    }

    /// For lists: bounded by the number of items in all of them, as `count` says.
    pub fn of_lists(engine: &Engine, count: fn(&V) -> usize) -> Self {
        let values = Cache::builder()
            .weigher(move |_, (_, list): &(Snapshot, V)| {
                u32::try_from(count(list) + 8).unwrap_or(u32::MAX)
            })
            .max_capacity(MAX_LISTED_ITEMS);
        Self {
            versions: engine.versions.clone(),
            values: values.time_to_live(engine.settings.cache_ttl()).build(),
        }
    }

    /// The value of a key: the cached one while its dependencies are unchanged, else the one that
    /// `load` reads. It has to add each dependency before it reads it.
    ///
    /// # Errors
    /// Those of `load`.
    pub async fn get_or_load(
        &self,
        key: K,
        load: impl AsyncFnOnce(&Dependencies) -> Result<V>,
    ) -> Result<V> {
        Ok(self.entry(key, load).await?.1)
    }

    /// As [`get_or_load`](Self::get_or_load), for a page that depends on what the value does.
    ///
    /// # Errors
    /// Those of `load`.
    pub async fn get_or_load_for(
        &self,
        page: &Dependencies,
        key: K,
        load: impl AsyncFnOnce(&Dependencies) -> Result<V>,
    ) -> Result<V> {
        let (snapshot, value) = self.entry(key, load).await?;
        page.extend(&snapshot);
        Ok(value)
    }

    /// The cached value of a key, if its dependencies are unchanged.
    pub fn get_fresh(&self, key: K) -> Option<V> {
        let (snapshot, value) = self.values.get(&key)?;
        snapshot.is_fresh().then_some(value)
    }

    async fn entry(
        &self,
        key: K,
        load: impl AsyncFnOnce(&Dependencies) -> Result<V>,
    ) -> Result<(Snapshot, V)> {
        if let Some(entry) = self.values.get(&key)
            && entry.0.is_fresh()
        {
            return Ok(entry);
        }
        let deps = self.versions.dependencies();
        let value = load(&deps).await?;
        let entry = (deps.snapshot(), value);
        self.values.insert(key, entry.clone());
        Ok(entry)
    }
}
