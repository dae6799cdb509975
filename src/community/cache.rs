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
const MAX_LISTED_ACCOUNTS: u64 = 500_000; // in all lists of one cache: 32 bytes each

/// Accounts that belong to a space or room.
pub type Members = Arc<HashSet<AccountId>>;

/// Values by key, each with a snapshot of the versions it depends on. Cheap to clone.
#[derive(Clone)]
pub(super) struct StoreCache<K, V> {
    versions: Versions,
    values: Cache<K, (Snapshot, V)>,
}

impl<K, V> StoreCache<K, V>
where
    K: Hash + Eq + Copy + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// For small values: bounded by their count.
    pub(super) fn new(engine: &Engine) -> Self {
        let values = Cache::builder().max_capacity(MAX_VALUES);
        Self {
            versions: engine.versions.clone(),
            values: values.time_to_live(engine.settings.cache_ttl()).build(),
        }
    }

    /// The value of a key: the cached one while its dependencies are unchanged, else the one that
    /// `load` reads.
    pub(super) async fn get_or_load(
        &self,
        key: K,
        depends_on: impl FnOnce(&Dependencies),
        load: impl Future<Output = Result<V>>,
    ) -> Result<V> {
        if let Some((snapshot, value)) = self.values.get(&key)
            && snapshot.is_fresh()
        {
            return Ok(value);
        }
        let deps = self.versions.dependencies();
        depends_on(&deps);
        let value = load.await?;
        self.values.insert(key, (deps.snapshot(), value.clone()));
        Ok(value)
    }
}

impl<K> StoreCache<K, Members>
where
    K: Hash + Eq + Copy + Send + Sync + 'static,
{
    /// For lists of members: bounded by the number of accounts in all of them.
    pub(super) fn of_members(engine: &Engine) -> Self {
        let values = Cache::builder()
            .weigher(|_, (_, members): &(Snapshot, Members)| {
                u32::try_from(members.len() + 8).unwrap_or(u32::MAX)
            })
            .max_capacity(MAX_LISTED_ACCOUNTS);
        Self {
            versions: engine.versions.clone(),
            values: values.time_to_live(engine.settings.cache_ttl()).build(),
        }
    }
}
