//! The spool: a folder with one file per upload that is not complete. The length of that file *is*
//! the upload's offset, so the offset is right after any crash.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, Notify};

use super::disk::{blocking, remove_if_exists};
use super::spool_writer::{HashState, SpoolWriter};
use crate::base::error::Result;

/// The spool's folder, and the locks of the uploads in it.
pub(super) struct Spool {
    folder: PathBuf,
    locks: Mutex<HashMap<String, Weak<UploadLock>>>,
}

/// The lock of one upload; exists while somebody holds it or waits for it.
///
/// Unlike a plain mutex it is handed over on demand: whoever holds it stops appending as soon as
/// somebody waits. A client that reconnects would otherwise wait until the server notices that its
/// old connection is dead.
pub(super) struct UploadLock {
    hash: Arc<AsyncMutex<HashState>>,
    waiters: AtomicUsize,
    /// Notified whenever `waiters` grows.
    new_waiter: Notify,
}

impl UploadLock {
    pub(super) fn has_waiter(&self) -> bool {
        self.waiters.load(Ordering::Acquire) > 0
    }

    pub(super) async fn new_waiter(&self) {
        self.new_waiter.notified().await;
    }
}

/// Counts a waiter of an [`UploadLock`] until dropped, also when its request is cancelled.
struct WaiterGuard<'a>(&'a AtomicUsize);

impl Drop for WaiterGuard<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Spool {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            locks: Mutex::default(),
        }
    }

    pub(super) fn path(&self, id: &str) -> PathBuf {
        self.folder.join(id)
    }

    /// Creates the empty file of a new upload.
    pub(super) async fn create(&self, id: &str) -> Result<()> {
        let (folder, path) = (self.folder.clone(), self.path(id));
        blocking(move || {
            std::fs::create_dir_all(folder)?;
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)
                .map(drop)
        })
        .await
    }

    /// Locks an upload. Whoever holds the lock releases it soon, because it stops appending.
    pub(super) async fn lock(&self, id: &str) -> SpoolWriter {
        let lock = self.lock_of(id);
        lock.waiters.fetch_add(1, Ordering::AcqRel);
        let waiter = WaiterGuard(&lock.waiters);
        lock.new_waiter.notify_one();
        let hash = lock.hash.clone().lock_owned().await;
        drop(waiter);
        SpoolWriter::new(lock, hash, self.path(id))
    }

    fn lock_of(&self, id: &str) -> Arc<UploadLock> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = locks.get(id).and_then(Weak::upgrade) {
            return lock;
        }
        locks.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::new(UploadLock {
            hash: Arc::default(),
            waiters: AtomicUsize::new(0),
            new_waiter: Notify::new(),
        });
        locks.insert(id.to_owned(), Arc::downgrade(&lock));
        lock
    }

    /// Deletes the file of an upload, if there is one.
    pub(super) async fn delete(&self, id: &str) -> Result<()> {
        let path = self.path(id);
        blocking(move || remove_if_exists(&path)).await
    }

    /// Ids of all spool files that were last written more than `age` ago.
    pub(super) async fn older_than(&self, age: Duration) -> Result<Vec<String>> {
        let folder = self.folder.clone();
        blocking(move || {
            let entries = match std::fs::read_dir(folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                entries => entries?,
            };
            let is_old = |entry: &std::fs::DirEntry| {
                let modified = entry.metadata().and_then(|data| data.modified());
                modified.is_ok_and(|time| time.elapsed().is_ok_and(|passed| passed > age))
            };
            Ok(entries
                .flatten()
                .filter(is_old)
                .filter_map(|entry| entry.file_name().into_string().ok())
                .collect())
        })
        .await
    }
}
