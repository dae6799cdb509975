//! What the figures were measured on.

use crate::load::threads;

/// Its cores, processor, memory and kernel, as far as Linux tells.
pub fn text() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let value = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let processor = value(&read("/proc/cpuinfo"), "model name")
        .unwrap_or_else(|| "unknown processor".to_owned());
    let memory = value(&read("/proc/meminfo"), "MemTotal")
        .and_then(|total| total.trim_end_matches(" kB").parse::<f64>().ok());
    let kernel = read("/proc/sys/kernel/osrelease");
    format!(
        "{} cores ({processor}), {:.1} GiB, Linux {}",
        threads(),
        memory.unwrap_or(0.0) / 1024.0 / 1024.0,
        kernel.trim()
    )
}
