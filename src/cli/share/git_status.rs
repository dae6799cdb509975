//! The state of a Git working tree in one line, such as `main +3 ~2 ?1 ↑1`.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::time::timeout;

/// A tree that takes longer has no line.
const GIT_TIMEOUT: Duration = Duration::from_secs(2);
/// Of what Git lists. What is behind it is not counted.
const MAX_GIT_BYTES: u64 = 256 << 10;

/// The line of the tree that a folder is in. `None` outside of one, without Git, and when it takes
/// longer than two seconds. It locks nothing, and runs no program that the tree's settings name for
/// watching files.
pub(super) async fn git_status(folder: &Path) -> Option<String> {
    let mut command = Command::new("git");
    command
        .args(["-c", "core.fsmonitor=false", "--no-optional-locks"])
        .arg("-C")
        .arg(folder)
        .args(["status", "--porcelain=v2", "--branch"])
        .args(["--untracked-files=normal", "--ignore-submodules=all"])
        .env("LC_ALL", "C")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let reading = async {
        let mut child = command.spawn().ok()?;
        let mut listed = Vec::new();
        let stdout = child.stdout.take()?;
        let mut stdout = stdout.take(MAX_GIT_BYTES);
        stdout.read_to_end(&mut listed).await.ok()?;
        drop(stdout);
        let is_cut = listed.len() as u64 == MAX_GIT_BYTES;
        let status = child.wait().await.ok()?;
        (is_cut || status.success()).then_some(listed)
    };
    let listed = timeout(GIT_TIMEOUT, reading).await.ok()??;
    line_of(&String::from_utf8_lossy(&listed))
}

/// `git status --porcelain=v2 --branch` in one line: the branch, what is staged (`+`), changed
/// (`~`), in conflict (`!`) and unknown to Git (`?`), and commits ahead (`↑`) and behind (`↓`).
fn line_of(listed: &str) -> Option<String> {
    let mut branch = None;
    let (mut ahead, mut behind) = (0, 0);
    let (mut staged, mut changed, mut unmerged, mut unknown) = (0, 0, 0, 0);
    for line in listed.lines() {
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        match kind {
            "#" => match rest.split_once(' ') {
                Some(("branch.head", name)) => branch = Some(name),
                Some(("branch.ab", counts)) => {
                    let (plus, minus) = counts.split_once(' ').unwrap_or_default();
                    ahead = plus.trim_start_matches('+').parse().unwrap_or(0);
                    behind = minus.trim_start_matches('-').parse().unwrap_or(0);
                }
                _ => {}
            },
            "1" | "2" => {
                let mut states = rest.chars();
                staged += u32::from(states.next().is_some_and(|state| state != '.'));
                changed += u32::from(states.next().is_some_and(|state| state != '.'));
            }
            "u" => unmerged += 1,
            "?" => unknown += 1,
            _ => {}
        }
    }
    let mut line = branch?.to_owned();
    for (mark, count) in [
        ('+', staged),
        ('~', changed),
        ('!', unmerged),
        ('?', unknown),
        ('↑', ahead),
        ('↓', behind),
    ] {
        if count > 0 {
            line += &format!(" {mark}{count}");
        }
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_changes_become_one_line() {
        let listed = "# branch.oid 1234\n# branch.head main\n# branch.upstream origin/main\n\
            # branch.ab +1 -2\n1 M. N... 100644 100644 100644 a b staged.rs\n\
            1 MM N... 100644 100644 100644 a b both.rs\n\
            2 R. N... 100644 100644 100644 a b R100 new.rs\told.rs\n\
            1 .M N... 100644 100644 100644 a b changed.rs\n\
            u UU N... 100644 100644 100644 100644 a b c both.rs\n? new.txt\n";
        assert_eq!(line_of(listed).as_deref(), Some("main +3 ~2 !1 ?1 ↑1 ↓2"));
        assert_eq!(
            line_of("# branch.head (detached)\n").as_deref(),
            Some("(detached)")
        );
        assert_eq!(line_of(""), None);
    }
}
