//! The limit of open files of this process and its children.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};

const RAISED: &str = "TIDEPOOL_BENCH_LIMIT_RAISED";

/// Starts this program again under the highest number of open files it may have: its sockets and
/// its children's need them, and the limit cannot be changed from safe code.
pub fn raise_file_limit() -> Result<()> {
    if std::env::var_os(RAISED).is_some() {
        return Ok(());
    }
    let error = Command::new("sh")
        .args(["-c", "ulimit -n \"$(ulimit -Hn)\"; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env(RAISED, "1")
        .exec();
    Err(error).context("cannot start again with more open files")
}

/// How many files this process may have open.
pub fn file_limit() -> Result<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .context("no limit of open files")?;
    let soft = line
        .split_whitespace()
        .next()
        .context("no limit of open files")?;
    Ok(soft.parse().unwrap_or(usize::MAX))
}
