//! A lock for each key. Keys that nobody holds or waits for take no memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// Unlocks the key when it is dropped.
pub type KeyGuard = OwnedMutexGuard<()>;

/// The locks of keys that someone holds or waits for.
pub struct KeyedLock<K>(Mutex<HashMap<K, Weak<AsyncMutex<()>>>>);

impl<K> Default for KeyedLock<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq> KeyedLock<K> {
    /// Waits for the lock of a key. Whoever takes several has to take them in the same order as
    /// everybody else, or they deadlock.
    pub async fn lock(&self, key: K) -> KeyGuard {
        self.of(key).lock_owned().await
    }

    fn of(&self, key: K) -> Arc<AsyncMutex<()>> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = locks.get(&key).and_then(Weak::upgrade) {
            return lock;
        }
        locks.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::default();
        locks.insert(key, Arc::downgrade(&lock));
        lock
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn key_is_locked_once_and_freed_afterwards() {
        let locks = KeyedLock::default();
        let first = locks.lock(1).await;
        let _other = locks.lock(2).await;
        let second = locks.lock(1);
        tokio::pin!(second);
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(first);
        drop(second.await);
        drop(locks.lock(3).await);
        assert!(
            locks.0.lock().unwrap().len() <= 2,
            "{}",
            locks.0.lock().unwrap().len()
        );
    }
}
