//! How much processor and memory a process and everything that it has begun take, from `/proc`.
//! On systems without it there is nothing.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// Ticks of a second in `/proc/PID/stat` (`USER_HZ`): Linux has this one number for all programs.
const TICKS_PER_SECOND: u64 = 100;
/// Processes of one tree that are looked at.
const MAX_PROCESSES_READ: usize = 4_096;

/// A process below another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// How many are between it and the one that was asked for.
    pub depth: usize,
    /// In bytes. What processes share is counted for each.
    pub memory: u64,
}

/// What a tree of processes takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// In parts of a hundred of one processor, since the look before.
    pub cpu_percent: u32,
    /// In bytes. What processes share is counted for each.
    pub memory: u64,
}

/// Looks again and again at a process and everything that it has begun.
pub struct UsageMeter {
    root: u32,
    looked: Instant,
    cpu: Duration,
}

impl UsageMeter {
    /// Begins with a first look, which reads files.
    pub fn new(root: u32) -> Self {
        let cpu = tree(root).iter().map(|process| cpu_time(process.pid)).sum();
        Self {
            root,
            looked: Instant::now(),
            cpu,
        }
    }

    /// What was taken since the last look. Reads files. `None` when the process has ended, and
    /// where there is no `/proc`.
    pub fn read(&mut self) -> Option<Usage> {
        let found = tree(self.root);
        if found.is_empty() {
            return None;
        }
        let cpu: Duration = found.iter().map(|process| cpu_time(process.pid)).sum();
        // Less than before: somebody whom nobody waited for has ended.
        let taken = cpu.saturating_sub(self.cpu).as_secs_f64();
        let time = self.looked.elapsed().as_secs_f64().max(0.001);
        (self.looked, self.cpu) = (Instant::now(), cpu);
        Some(Usage {
            cpu_percent: (taken * 100.0 / time) as u32,
            memory: found.iter().map(|process| process.memory).sum(),
        })
    }
}

/// A process and everything below it.
fn tree(root: u32) -> Vec<Process> {
    let Some((pid, memory)) = i32::try_from(root)
        .ok()
        .and_then(|pid| Some((pid, status_of(&proc_folder(pid))?.1)))
    else {
        return Vec::new();
    };
    let mut found = vec![Process {
        pid,
        depth: 0,
        memory,
    }];
    found.extend(descendants(root));
    found
}

fn proc_folder(pid: i32) -> std::path::PathBuf {
    Path::new("/proc").join(pid.to_string())
}

/// The parent of a process, and its memory in bytes.
fn status_of(folder: &Path) -> Option<(i32, u64)> {
    let status = std::fs::read_to_string(folder.join("status")).ok()?;
    let field = |name: &str| -> Option<u64> {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    let parent = i32::try_from(field("PPid:")?).ok()?;
    // What has ended and is waited for has none.
    Some((parent, field("VmRSS:").unwrap_or_default() << 10))
}

/// What a process has had of the processors, with what those had that it has waited for.
fn cpu_time(pid: i32) -> Duration {
    let stat = std::fs::read_to_string(proc_folder(pid).join("stat")).unwrap_or_default();
    // The name of the program, which is in parentheses, may have any character.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(4);
    let ticks: u64 = ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND)
}

/// Everything that a process has begun and that is still there.
pub fn descendants(root: u32) -> Vec<Process> {
    let mut children: HashMap<i32, Vec<(i32, u64)>> = HashMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        if let Some((parent, memory)) = status_of(&entry.path()) {
            children.entry(parent).or_default().push((pid, memory));
        }
    }
    let mut found = Vec::new();
    let mut next = vec![(i32::try_from(root).unwrap_or_default(), 0)];
    while let Some((parent, depth)) = next.pop() {
        for (pid, memory) in children.remove(&parent).unwrap_or_default() {
            next.push((pid, depth + 1));
            found.push(Process { pid, depth, memory });
        }
        if found.len() >= MAX_PROCESSES_READ {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn own_work_is_measured() {
        let mut meter = UsageMeter::new(std::process::id());
        let begun = Instant::now();
        let mut sum = 0_u64;
        while begun.elapsed() < Duration::from_millis(120) {
            sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(7));
        }
        let usage = meter.read().expect("there is /proc");
        assert!(usage.cpu_percent > 0, "{usage:?}");
        assert!(usage.memory > 1 << 20, "{usage:?}");
    }

    #[test]
    fn what_is_no_process_has_no_usage() {
        assert_eq!(UsageMeter::new(u32::MAX).read(), None);
    }
}
