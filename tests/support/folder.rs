//! Folders that exist as long as somebody holds them.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A new folder for one server's data, removed when dropped.
pub struct Folder {
    path: PathBuf,
    /// A disk of its own.
    mounted: bool,
}

impl Folder {
    /// A name nobody else uses. The folder itself is made by who uses it.
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            path: PathBuf::from(format!("{}{number}", prefix())),
            mounted: false,
        }
    }

    /// A disk of so many MiB, or nothing where we may not mount one.
    pub fn disk(mib: u32) -> Option<Self> {
        let mut folder = Self::new();
        std::fs::create_dir_all(&folder.path).expect("a folder can be made");
        let size = format!("size={mib}m,mode=700");
        let mut mount = std::process::Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(&folder.path);
        folder.mounted = mount.status().is_ok_and(|status| status.success());
        folder.mounted.then_some(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// What the paths of all folders of this test program begin with.
pub fn prefix() -> String {
    let name = format!("tidepool-test-{}-", std::process::id());
    std::env::temp_dir().join(name).display().to_string()
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.mounted {
            // Lazily: a process that was just killed may not have let go of it.
            let _ = std::process::Command::new("umount")
                .arg("-l")
                .arg(&self.path)
                .status();
        }
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
