//! The processes of a shell, as the server sees them: how much they take, and how they are ended.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;
use tokio::time::timeout;

use crate::base::process_usage::descendants;

/// For programs that are told to end, before they are told more clearly.
const GRACE: Duration = Duration::from_millis(500);

/// What the processes of a shell have of the machine's memory, in bytes. What they share is counted
/// for each.
pub(super) async fn memory(root: u32) -> u64 {
    let found = tokio::task::spawn_blocking(move || descendants(root)).await;
    let found = found.unwrap_or_default();
    found.iter().map(|process| process.memory).sum()
}

/// What of the machine's memory is left, in parts of a hundred.
pub(super) fn free_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let field = |name: &str| -> Option<u64> {
        let line = text.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    Some(field("MemAvailable:")? * 100 / field("MemTotal:")?.max(1))
}

/// Ends a shell and everything in it: HUP, TERM, and for what is left KILL. Bubblewrap's own two
/// processes get only the last: the namespace ends with them.
pub(super) async fn end(child: &mut Child) {
    for signal in [Signal::HUP, Signal::CONT, Signal::TERM] {
        let Some(root) = child.id() else {
            return;
        };
        let found = tokio::task::spawn_blocking(move || descendants(root)).await;
        for process in found.unwrap_or_default() {
            if let Some(pid) = Pid::from_raw(process.pid).filter(|_| process.depth > 0) {
                let _ = kill_process(pid, signal);
            }
        }
        // Who was stopped gets what was sent before.
        if signal == Signal::HUP {
            continue;
        }
        if timeout(GRACE, child.wait()).await.is_ok() {
            return;
        }
    }
    let _ = child.kill().await;
}
