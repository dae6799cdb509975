//! Space kept for writes that protect people: a full disk must not keep anybody from signing out,
//! ending a session, removing a member or deleting.
//!
//! Below [`MIN_FREE_BYTES`] ordinary writes are refused before they run. Protective writes then
//! release the reserve, a file of [`RESERVE_BYTES`], whose space they can use. It is made again
//! when there is room.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

/// Free space below which ordinary writes are refused: what a batch of them may take.
const MIN_FREE_BYTES: u64 = 2 << 20;
/// Size of the reserve: the log of some hundred small writes, and a checkpoint of it.
const RESERVE_BYTES: u64 = 8 << 20;
/// Between two attempts to make the reserve again.
const RETRY_INTERVAL: Duration = Duration::from_secs(10);

/// What a write may do on a full disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SpacePolicy {
    /// It is refused with `Full`.
    RefuseWhenFull,
    /// It runs all the same, and the reserve is released for it.
    UseReserve,
    /// It runs and takes no space.
    NeedsNone,
}

/// The reserve in the data folder.
pub(super) struct Reserve {
    /// `None` for a database in memory, whose disk is never full.
    folder: Option<PathBuf>,
    is_held: bool,
    tried_at: Instant,
}

impl Reserve {
    /// The reserve of a data folder, made if there is room for it.
    pub(super) fn open(folder: &Path) -> Self {
        let mut reserve = Self {
            folder: Some(folder.to_owned()),
            is_held: file_of(folder).exists(),
            tried_at: Instant::now(),
        };
        reserve.make(folder);
        reserve
    }

    /// None, for a database in memory.
    pub(super) fn none() -> Self {
        Self {
            folder: None,
            is_held: false,
            tried_at: Instant::now(),
        }
    }

    /// Whether the disk is full, but for the reserve. Makes the reserve again when there is room.
    pub(super) fn is_full(&mut self) -> bool {
        let Some(folder) = self.folder.clone() else {
            return false;
        };
        if !self.is_held && self.tried_at.elapsed() >= RETRY_INTERVAL {
            self.tried_at = Instant::now();
            self.make(&folder);
        }
        free_bytes(&folder).is_some_and(|free| free < MIN_FREE_BYTES)
    }

    /// Frees the reserve's space, for the writes that follow.
    pub(super) fn release(&mut self) {
        let Some(folder) = self.folder.as_deref().filter(|_| self.is_held) else {
            return;
        };
        match std::fs::remove_file(file_of(folder)) {
            Ok(()) => {
                tracing::warn!("the disk is full: the reserve is used for what protects people")
            }
            Err(error) => tracing::error!(%error, "the disk is full, the reserve cannot be freed"),
        }
        self.is_held = false;
        self.tried_at = Instant::now();
    }

    fn make(&mut self, folder: &Path) {
        let has_room = free_bytes(folder).is_some_and(|free| free >= 2 * RESERVE_BYTES);
        if self.is_held || !has_room {
            return;
        }
        let path = file_of(folder);
        match allocate(&path) {
            Ok(()) => self.is_held = true,
            Err(error) => {
                tracing::warn!(%error, "there is no reserve for a full disk");
                drop(std::fs::remove_file(path));
            }
        }
    }
}

fn file_of(folder: &Path) -> PathBuf {
    folder.join("reserve")
}

/// Makes the file with its blocks allocated: one with holes would reserve nothing.
fn allocate(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true);
    let file: File = file.mode(0o600).open(path)?;
    Ok(fallocate(&file, FallocateFlags::empty(), 0, RESERVE_BYTES)?)
}

/// Free bytes on the file system of a folder; `None` if it cannot be asked.
fn free_bytes(folder: &Path) -> Option<u64> {
    let stat = statvfs(folder).ok()?;
    Some(stat.f_bavail * stat.f_frsize)
}
