//! The processes of a shell, as the server sees them: how much they take, and how they are ended.

use std::collections::HashMap;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;
use tokio::time::timeout;

/// For programs that are told to end, before they are told more clearly.
const GRACE: Duration = Duration::from_millis(500);

/// A process below another.
struct Process {
    pid: Pid,
    /// How many are between it and the one that was asked for.
    depth: usize,
    memory: u64,
}

/// What the processes of a shell have of the machine's memory, in bytes. What they share is counted
/// for each.
pub(super) async fn memory(root: u32) -> u64 {
    let found = tokio::task::spawn_blocking(move || below(root)).await;
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

/// Everything that a process has begun and that is still there.
fn below(root: u32) -> Vec<Process> {
    let mut children: HashMap<i32, Vec<(i32, u64)>> = HashMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let Some(pid): Option<i32> = pid else {
            continue;
        };
        let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let field = |name: &str| -> Option<u64> {
            let line = status.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse().ok()
        };
        // What has ended and is waited for has none.
        let memory = field("VmRSS:").unwrap_or_default() << 10;
        if let Some(parent) = field("PPid:").and_then(|parent| i32::try_from(parent).ok()) {
            children.entry(parent).or_default().push((pid, memory));
        }
    }
    let mut found = Vec::new();
    let mut next = vec![(i32::try_from(root).unwrap_or_default(), 0)];
    while let Some((parent, depth)) = next.pop() {
        for (child, memory) in children.remove(&parent).unwrap_or_default() {
            next.push((child, depth + 1));
            let pid = Pid::from_raw(child);
            found.extend(pid.map(|pid| Process { pid, depth, memory }));
        }
    }
    found
}

/// Ends a shell and everything in it: HUP, TERM, and for what is left KILL. Bubblewrap's own two
/// processes get only the last: the namespace ends with them.
pub(super) async fn end(child: &mut Child) {
    for signal in [Signal::HUP, Signal::CONT, Signal::TERM] {
        let Some(root) = child.id() else {
            return;
        };
        let found = tokio::task::spawn_blocking(move || below(root)).await;
        for process in found.unwrap_or_default() {
            if process.depth > 0 {
                let _ = kill_process(process.pid, signal);
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
