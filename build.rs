//! Embeds the assets, and names their version: one digest over all of them, so that a page's
//! addresses change when any asset does and each address can be cached for ever.
//!
//! Release builds embed scripts and style sheets without comments. Others read the assets as they
//! are written.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

#[path = "build/strip_comments.rs"]
mod strip_comments;

use strip_comments::{Language, strip_comments};

fn main() {
    let mut files = BTreeMap::new();
    collect(Path::new("assets"), &mut files);
    // As memory-serve decides whether to embed.
    if cfg!(debug_assertions) {
        memory_serve::load_directory("./assets");
    } else {
        files
            .iter_mut()
            .for_each(|(path, bytes)| strip(path, bytes));
        let out = PathBuf::from(std::env::var("OUT_DIR").expect("cargo names the folder"));
        write(&out, &files);
        memory_serve::load_directory(out.join("assets"));
    }
    let mut hasher = DefaultHasher::new();
    files.hash(&mut hasher);
    println!("cargo:rustc-env=TIDEPOOL_ASSETS={:016x}", hasher.finish());
    // Some 77,000 relative relocations take 1.8 MiB as a list and next to nothing as a bitmap; the
    // list stays resident once read.
    println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    println!("cargo:rerun-if-changed=assets");
    println!("cargo:rerun-if-changed=build");
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

/// Removes the comments of our own scripts and style sheets. Vendored files are unmodified.
fn strip(path: &Path, bytes: &mut Vec<u8>) {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let language = extension.and_then(Language::from_extension);
    if let Some(language) = language
        && !path.starts_with("assets/vendor")
    {
        let text = std::str::from_utf8(bytes).expect("scripts and style sheets are UTF-8");
        *bytes = strip_comments(text, language).into_bytes();
    }
}

/// Writes what changed: cargo runs this again when a file is newer than the last run.
fn write(out: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) {
    let mut stale = BTreeMap::new();
    if out.join("assets").is_dir() {
        collect(&out.join("assets"), &mut stale);
    }
    for (path, bytes) in files {
        let target = out.join(path);
        if stale.remove(&target).as_ref() != Some(bytes) {
            let folder = target.parent().expect("an asset is in a folder");
            fs::create_dir_all(folder).expect("folders can be created");
            fs::write(&target, bytes).expect("files can be written");
        }
    }
    for path in stale.keys() {
        fs::remove_file(path).expect("files can be removed");
    }
}
