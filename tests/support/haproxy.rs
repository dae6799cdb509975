//! Debian's HAProxy in front of a server's instances, with the configuration that hosts get.

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use super::command::free_port;
use super::endpoints::Endpoint;
use super::{POLL_INTERVAL, WAIT_TIMEOUT, reaper};

/// `deploy/haproxy.cfg`.
const CONFIGURATION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/haproxy.cfg");

/// A running proxy. It ends with the test program at the latest.
pub struct Haproxy {
    port: u16,
    child: Child,
}

impl Haproxy {
    /// One in front of three instances at these addresses of host and port.
    pub fn start(instances: [&str; 3]) -> Self {
        for _ in 0..10 {
            if let Some(proxy) = Self::launch(free_port(), instances) {
                return proxy;
            }
        }
        panic!("HAProxy does not start");
    }

    /// Starts it and waits until it listens. None when it ends instead.
    fn launch(port: u16, instances: [&str; 3]) -> Option<Self> {
        let mut command = Command::new("haproxy");
        command
            .args(["-db", "-q", "-f", CONFIGURATION])
            .env("LISTEN", format!("127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        for (number, address) in (1..).zip(instances) {
            command.env(format!("TIDEPOOL_{number}"), address);
        }
        let mut child = command
            .spawn()
            .expect("haproxy is installed: tests/run does it");
        reaper::register(&child, "KILL");
        let deadline = Instant::now() + WAIT_TIMEOUT;
        loop {
            if child.try_wait().expect("it can be waited for").is_some() {
                reaper::release(&child);
                return None;
            }
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(Self { port, child });
            }
            assert!(Instant::now() < deadline, "HAProxy does not listen");
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    /// Where it answers, as an instance would.
    pub fn endpoint(&self) -> Endpoint {
        let base = format!("http://127.0.0.1:{}", self.port);
        Endpoint::running(base.parse().expect("an address"))
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        reaper::release(&self.child);
    }
}
