//! A file that somebody else sends, written into the folder that the program works in: first under a
//! name of its own, and under the right one once all of it is there. Nothing is overwritten.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Bytes of a name, as most file systems allow less than 256.
const MAX_NAME_BYTES: usize = 200;
/// Names that are tried: `report.pdf`, `report (1).pdf` and so on.
const MAX_TRIES: u32 = 1_000;

/// A name for a file of somebody else: without folders, without a dot at its beginning, and without
/// characters that change how it or what follows it is shown.
pub(super) fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_hidden = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let visible: String = last.chars().filter(|letter| !is_hidden(*letter)).collect();
    let name = visible
        .trim()
        .trim_start_matches(['.', '-', '~', ' '])
        .trim();
    let (stem, extension) = split(name);
    let mut stem = stem.to_owned();
    while stem.len() + extension.len() > MAX_NAME_BYTES && stem.pop().is_some() {}
    match stem.is_empty() && extension.len() > MAX_NAME_BYTES || name.is_empty() {
        true => "file".to_owned(),
        false => format!("{stem}{extension}"),
    }
}

/// A name and its extension with the dot.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.').filter(|at| *at > 0) {
        Some(at) => name.split_at(at),
        None => (name, ""),
    }
}

/// A file that arrives. Removed when it is dropped before it is finished.
pub(super) struct ReceivedFile {
    file: File,
    path: PathBuf,
    left: u64,
    is_done: bool,
}

impl ReceivedFile {
    /// Begins one in a folder. Only the user reads it.
    pub(super) fn begin(folder: &Path, size: u64) -> Result<Self> {
        let number = getrandom::u64().context("there is no chance")?;
        let path = folder.join(format!(".tidepool-{number:016x}.part"));
        let file = new_file(&path).context("it cannot be written there")?;
        Ok(Self {
            file,
            path,
            left: size,
            is_done: false,
        })
    }

    /// Adds bytes. True once all are there.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<bool> {
        let left = self.left.checked_sub(bytes.len() as u64);
        self.left = left.context("more bytes came than were announced")?;
        self.file.write_all(bytes)?;
        Ok(self.left == 0)
    }

    /// Gives it a name that no other file has, and returns that.
    pub(super) fn finish(mut self, name: &str) -> Result<String> {
        self.file.sync_all()?;
        let folder = self.path.parent().context("it is in a folder")?;
        let (stem, extension) = split(name);
        for number in 0..MAX_TRIES {
            let name = match number {
                0 => name.to_owned(),
                number => format!("{stem} ({number}){extension}"),
            };
            let to = folder.join(&name);
            // An empty file of ours holds the name, so that nobody else's is replaced.
            match new_file(&to) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error.into()),
            }
            std::fs::rename(&self.path, &to)?;
            self.is_done = true;
            return Ok(name);
        }
        bail!("there are too many files of this name")
    }
}

impl Drop for ReceivedFile {
    fn drop(&mut self) {
        if !self.is_done {
            drop(std::fs::remove_file(&self.path));
        }
    }
}

/// Never follows a link that is there.
fn new_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn name_has_no_path_and_hides_nothing() {
        for (name, clean) in [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\x\\a.txt", "a.txt"),
            (".bashrc", "bashrc"),
            ("...", "file"),
            ("-rf", "rf"),
            ("a\x1b[2Jb\n.txt", "a[2Jb.txt"),
            ("gpj\u{202e}.exe", "gpj.exe"),
            ("", "file"),
            ("潮 だまり.png", "潮 だまり.png"),
        ] {
            assert_eq!(clean_name(name), clean, "{name:?}");
        }
        let long = clean_name(&format!("{}.txt", "é".repeat(300)));
        assert!(long.len() <= MAX_NAME_BYTES && long.ends_with("é.txt"));
    }

    #[test]
    fn nothing_is_overwritten_and_links_are_not_followed() {
        let folder = std::env::temp_dir().join(format!("received-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("it is made");
        std::fs::write(folder.join("a.txt"), "old").expect("it is written");
        let outside = folder.join("outside");
        std::os::unix::fs::symlink(&outside, folder.join("a (1).txt")).expect("it is made");
        let mut file = ReceivedFile::begin(&folder, 3).expect("it begins");
        assert!(!file.write(b"ne").expect("it is written"));
        assert!(file.write(b"w").expect("it is written"));
        assert!(file.write(b"x").is_err());
        let name = file.finish("a.txt").expect("it is finished");
        assert_eq!(name, "a (2).txt");
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("it is there");
        assert_eq!((read("a.txt"), read(&name)), ("old".into(), "new".into()));
        let metadata = std::fs::metadata(folder.join(&name)).expect("it is there");
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        assert!(!outside.exists());
        // Half of one leaves nothing.
        drop(ReceivedFile::begin(&folder, 9).expect("it begins"));
        assert_eq!(std::fs::read_dir(&folder).expect("a folder").count(), 3);
        std::fs::remove_dir_all(folder).expect("it is removed");
    }
}
