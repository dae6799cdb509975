//! The folder that holds everything of a server.

use std::fs::File;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result, bail};

/// Makes the folder, for its user only, unless it exists.
///
/// # Errors
/// When it cannot be made or read.
pub fn create(folder: &Path) -> Result<()> {
    if !folder.exists() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
    } else if std::fs::metadata(folder)?.permissions().mode() & 0o007 != 0 {
        let folder = folder.display();
        tracing::warn!(%folder, "everybody on this machine can read it; consider: chmod 700");
    }
    Ok(())
}

/// Locks the folder while the returned file is open: a second process would corrupt the state that
/// a server caches of jobs and files.
///
/// # Errors
/// When another process has locked it, or its file `lock` cannot be made.
pub fn lock(folder: &Path) -> Result<File> {
    let path = folder.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path);
    let file = file.with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            bail!("another server is running on {}", folder.display())
        }
        Err(std::fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}
