//! The folder that the shared program works in.

use std::path::{Path, PathBuf};

use url::Url;

/// A folder of this machine, or of another one that the program says it is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Folder {
    Here(PathBuf),
    Elsewhere(String),
}

/// What a program has said of its folder (OSC 7). It holds as long as the process runs that was in
/// front then: a shell on another machine says nothing when it ends.
#[derive(Debug, Default)]
pub(super) struct SaidFolder {
    text: String,
    by: Option<i32>,
}

impl SaidFolder {
    /// Notes what was said last.
    pub(super) fn note(&mut self, text: &str, foreground: Option<i32>) {
        if self.text != text {
            text.clone_into(&mut self.text);
            self.by = foreground;
        }
    }

    /// The folder, as long as it holds.
    pub(super) fn get(&self) -> Option<Folder> {
        let is_there = |pid: i32| Path::new("/proc").join(pid.to_string()).exists();
        let holds = self.by.is_none_or(is_there);
        holds.then(|| said(&self.text, &host_name())).flatten()
    }
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}

/// `file://host/folder`, percent-encoded.
fn said(text: &str, own_host: &str) -> Option<Folder> {
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "file")?;
    let host = url.host_str().unwrap_or_default().to_owned();
    // A file has no path while its address names a host.
    let without_host = Url::parse(&format!("file://{}", url.path())).ok()?;
    let path = without_host.to_file_path().ok()?;
    let is_here = host.is_empty() || host == "localhost" || host.eq_ignore_ascii_case(own_host);
    Some(match is_here {
        true => Folder::Here(path),
        false => Folder::Elsewhere(format!("{host}:{}", path.display())),
    })
}

/// The process that is in front on the terminal of a program, from `/proc`.
pub(super) fn foreground(root: u32) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{root}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let pid: i32 = fields.split_whitespace().nth(5)?.parse().ok()?;
    (pid > 0).then_some(pid)
}

/// The folder of a process, or of the program itself where that is not to be read.
pub(super) fn of_process(foreground: Option<i32>, root: u32) -> Option<PathBuf> {
    let read = |pid: String| std::fs::read_link(format!("/proc/{pid}/cwd")).ok();
    let found = foreground.and_then(|pid| read(pid.to_string()));
    found.or_else(|| read(root.to_string()))
}

/// With `~` for one's own home folder.
pub(super) fn short(folder: &Path) -> String {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let below = home
        .filter(|home| home.is_absolute() && home.parent().is_some())
        .and_then(|home| folder.strip_prefix(home).ok().map(Path::to_path_buf));
    match below {
        Some(rest) if rest.as_os_str().is_empty() => "~".to_owned(),
        Some(rest) => format!("~/{}", rest.display()),
        None => folder.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_is_said_with_its_host() {
        let here = |path: &str| Some(Folder::Here(PathBuf::from(path)));
        assert_eq!(said("file:///tmp/a%20b", "tide"), here("/tmp/a b"));
        assert_eq!(said("file://tide/src", "tide"), here("/src"));
        assert_eq!(
            said("file://shore/src", "tide"),
            Some(Folder::Elsewhere("shore:/src".to_owned()))
        );
        assert_eq!(said("http://tide/src", "tide"), None);
        assert_eq!(said("no address", "tide"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn folder_of_a_process_is_read() {
        let own = std::env::current_dir().expect("a folder");
        assert_eq!(of_process(None, std::process::id()), Some(own));
    }
}
