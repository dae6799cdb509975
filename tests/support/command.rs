//! Processes that tests start: their environment, signals and ports.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};

/// The program, untouched by the settings of whoever runs the tests.
pub fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TIDEPOOL_") || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command
}

/// Sends a signal, such as `TERM`.
pub fn signal(pid: u32, name: &str) {
    let done = Command::new("kill")
        .args([format!("-{name}"), pid.to_string()])
        .status()
        .expect("kill runs");
    assert!(done.success(), "SIG{name} reaches {pid}");
}

/// A port nobody listens on, below those the kernel gives to outgoing connections: nothing can take
/// it while a server restarts.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 10_000 + ((std::process::id() % 1_000) as u16 * 20 + number) % 20_000;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
