//! KeyedLock: one at a time for each key, with nothing kept for keys that nobody waits for.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

/// Who holds the turn of a key has it until this is dropped.
pub type Held = OwnedMutexGuard<()>;

/// The turns of keys that someone holds or waits for.
pub struct KeyedLock<K>(Mutex<HashMap<K, Weak<Turn<()>>>>);

impl<K> Default for KeyedLock<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq> KeyedLock<K> {
    /// Waits for the turn of a key. Two keys are taken in one order by everybody, or they wait for
    /// each other for ever.
    pub async fn wait(&self, key: K) -> Held {
        self.of(key).lock_owned().await
    }

    fn of(&self, key: K) -> Arc<Turn<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(&key).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::default();
        turns.insert(key, Arc::downgrade(&turn));
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_at_a_time_for_each_key_and_none_is_kept() {
        let turns = KeyedLock::default();
        let first = turns.wait(1).await;
        let _other = turns.wait(2).await;
        let second = turns.wait(1);
        tokio::pin!(second);
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(first);
        drop(second.await);
        drop(turns.wait(3).await);
        assert!(
            turns.0.lock().unwrap().len() <= 2,
            "{}",
            turns.0.lock().unwrap().len()
        );
    }
}
