//! The folders in which terminals were shared last, and choosing one of them (`--pick`).

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Folders that are remembered.
const MAX_FOLDERS: usize = 20;
/// Bytes of the file that remembers them; a larger one is not read.
const MAX_FILE_BYTES: u64 = 256 << 10;

/// The file in the user's state folder, which only they read.
fn file() -> Option<PathBuf> {
    let absolute = |name: &str| {
        let folder = std::env::var_os(name).map(PathBuf::from);
        folder.filter(|folder| folder.is_absolute())
    };
    let state = absolute("XDG_STATE_HOME");
    let state = state.or_else(|| Some(absolute("HOME")?.join(".local/state")));
    Some(state?.join("tidepool").join("shared-folders.json"))
}

fn read(file: &Path) -> Vec<PathBuf> {
    let is_small = std::fs::metadata(file).is_ok_and(|found| found.len() <= MAX_FILE_BYTES);
    let text = is_small.then(|| std::fs::read_to_string(file).ok());
    let folders = text
        .flatten()
        .and_then(|text| serde_json::from_str(&text).ok());
    folders.unwrap_or_default()
}

/// Remembers a folder as the last one. A folder that cannot be remembered stops nobody.
pub(super) fn remember(folder: &Path) {
    if let Some(file) = file() {
        drop(add(&file, folder));
    }
}

fn add(file: &Path, folder: &Path) -> Result<()> {
    let mut folders = vec![folder.to_path_buf()];
    let known = read(file).into_iter().filter(|known| known != folder);
    folders.extend(known.take(MAX_FOLDERS - 1));
    // A name that is no UTF-8 is not remembered.
    folders.retain(|folder| folder.to_str().is_some());
    let parent = file.parent().context("it is in a folder")?;
    std::fs::create_dir_all(parent)?;
    let mut written = tempfile_in(parent)?;
    written.0.write_all(&serde_json::to_vec(&folders)?)?;
    std::fs::rename(&written.1, file)?;
    Ok(())
}

/// A new file that nobody else reads, and its path.
fn tempfile_in(folder: &Path) -> Result<(std::fs::File, PathBuf)> {
    use std::os::unix::fs::OpenOptionsExt;
    let path = folder.join(format!("shared-folders.{}.new", std::process::id()));
    drop(std::fs::remove_file(&path));
    let mut options = std::fs::OpenOptions::new();
    let file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    Ok((file, path))
}

/// Has the user choose a folder of those that are still there, by its number; the current one
/// without a number.
///
/// # Errors
/// When the answer is no number of the list, or there is none.
pub(super) fn pick() -> Result<PathBuf> {
    let current = std::env::current_dir().context("there is no current folder")?;
    let remembered = file().map(|file| read(&file)).unwrap_or_default();
    let offered = remembered.into_iter().filter(|one| one.is_dir());
    let offered: Vec<PathBuf> = offered.take(MAX_FOLDERS).collect();
    choose(
        current,
        offered,
        &mut std::io::stdin().lock(),
        &mut std::io::stderr(),
    )
}

fn choose(
    current: PathBuf,
    offered: Vec<PathBuf>,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<PathBuf> {
    writeln!(output, "Share in which folder?")?;
    for (index, folder) in offered.iter().enumerate() {
        writeln!(output, "{:>4}  {}", index + 1, shown(folder))?;
    }
    write!(output, "Number [{}]: ", shown(&current))?;
    output.flush()?;
    let mut answer = String::new();
    if input.read_line(&mut answer)? == 0 {
        bail!("no folder was chosen");
    }
    if answer.trim().is_empty() {
        return Ok(current);
    }
    let number: Option<usize> = answer.trim().parse().ok();
    let chosen = number.and_then(|number| offered.into_iter().nth(number.checked_sub(1)?));
    chosen.context("this is no number of the list")
}

/// A name of a folder may have characters that move the cursor.
fn shown(folder: &Path) -> String {
    let text = super::folder::short(folder);
    text.chars().filter(|letter| !letter.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_twenty_folders_are_remembered_once() {
        let folder = std::env::temp_dir().join(format!("recent-folders-{}", std::process::id()));
        let file = folder.join("state").join("folders.json");
        for number in 0..25 {
            add(&file, Path::new(&format!("/src/{number}"))).expect("it is written");
        }
        add(&file, Path::new("/src/20")).expect("it is written");
        let folders = read(&file);
        assert_eq!(folders.len(), MAX_FOLDERS);
        assert_eq!(folders[0], Path::new("/src/20"));
        assert_eq!(folders[1], Path::new("/src/24"));
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&file).expect("it is there").permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        std::fs::remove_dir_all(folder).expect("it is removed");
    }

    #[test]
    fn number_chooses_and_anything_else_is_refused() {
        let offered = || vec![PathBuf::from("/a"), PathBuf::from("/b\x1b[2J")];
        let choose = |answer: &str| {
            let mut output = Vec::new();
            let chosen = choose("/c".into(), offered(), &mut answer.as_bytes(), &mut output);
            assert!(!output.contains(&b'\x1b'));
            chosen.ok()
        };
        assert_eq!(choose("1\n"), Some(PathBuf::from("/a")));
        assert_eq!(choose("\n"), Some(PathBuf::from("/c")));
        for refused in ["0\n", "3\n", "x\n", "-1\n", ""] {
            assert_eq!(choose(refused), None, "{refused:?}");
        }
    }
}
