//! Embeds the assets, and names their version: one digest over all of them, so that a page's
//! addresses change when any asset does and each address can be cached for ever.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

fn main() {
    memory_serve::load_directory("./assets");
    let mut files = BTreeMap::new();
    collect(Path::new("assets"), &mut files);
    let mut hasher = DefaultHasher::new();
    files.hash(&mut hasher);
    println!("cargo:rustc-env=TIDEPOOL_ASSETS={:016x}", hasher.finish());
    // Some 77,000 relative relocations take 1.8 MiB as a list and next to nothing as a bitmap; the
    // list stays resident once read.
    println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    println!("cargo:rerun-if-changed=assets");
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rerun-if-changed=templates");
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    let entries = fs::read_dir(folder).expect("the assets are part of the source");
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, files);
        } else {
            let bytes = fs::read(&path).expect("the assets can be read");
            files.insert(path, bytes);
        }
    }
}
