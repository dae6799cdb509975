//! Locks of contents, by digest: held while content is stored or deleted, together with the row
//! that says so, by one task of all servers.

use super::Files;
use crate::base::db::NamedLock;
use crate::base::error::Result;
use crate::base::keyed_lock::KeyGuard;

/// Unlocks its contents when it is dropped.
#[must_use]
pub(super) struct ContentLock {
    _of_servers: NamedLock,
    _of_tasks: Vec<KeyGuard>,
}

impl Files {
    /// Waits for the locks of these contents.
    ///
    /// # Errors
    /// `Unavailable` when another server holds one for too long.
    pub(super) async fn lock_contents(&self, mut digests: Vec<String>) -> Result<ContentLock> {
        // Always in the same order, so that no two tasks wait for one another.
        digests.sort();
        digests.dedup();
        let mut of_tasks = Vec::new();
        for digest in &digests {
            of_tasks.push(self.0.digest_locks.lock(digest.clone()).await);
        }
        Ok(ContentLock {
            _of_servers: self.0.db.lock_names(&digests).await?,
            _of_tasks: of_tasks,
        })
    }
}
