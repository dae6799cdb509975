//! A NATS server for tests.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use super::command::free_port;
use super::{POLL_INTERVAL, WAIT_TIMEOUT, reaper};

/// A running NATS server. It ends with the test program at the latest.
pub struct Nats {
    port: u16,
    child: Option<Child>,
}

impl Nats {
    /// The one that the servers of this test program share, each with a prefix of its own.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Nats> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// One for a single test, which may stop it.
    pub fn start() -> Self {
        for _ in 0..10 {
            let mut nats = Self {
                port: free_port(),
                child: None,
            };
            if nats.launch() {
                return nats;
            }
        }
        panic!("no NATS server starts");
    }

    /// The start of a server's subjects that no other server of this program has.
    pub fn new_prefix() -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        format!("test{}", NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// Its address, as `TIDEPOOL_NATS` takes it.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("NATS runs").id()
    }

    /// The port it listens on, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills it.
    pub fn stop(&mut self) {
        let mut child = self.child.take().expect("NATS runs");
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        reaper::release(&child);
    }

    /// Starts it again on the same port.
    pub fn start_again(&mut self) {
        assert!(self.launch(), "NATS does not come back");
    }

    /// Starts it and waits until it greets. False when it ends instead.
    fn launch(&mut self) -> bool {
        // Whether it is ours that answers at this port is known by its name.
        let name = format!("tidepool-test-{}-{}", std::process::id(), self.port);
        let mut command = Command::new("nats-server");
        command
            .args(["--addr", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--name", &name])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command
            .spawn()
            .expect("nats-server is installed: tests/run does it");
        reaper::register(&child, "KILL");
        let deadline = Instant::now() + WAIT_TIMEOUT;
        loop {
            if child.try_wait().expect("it can be waited for").is_some() {
                reaper::release(&child);
                return false;
            }
            if is_greeted_by(&name, self.port) {
                self.child = Some(child);
                return true;
            }
            assert!(Instant::now() < deadline, "NATS does not answer");
            std::thread::sleep(POLL_INTERVAL);
        }
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.stop();
        }
    }
}

/// Whether the server at this port is the NATS server of this name.
fn is_greeted_by(name: &str, port: u16) -> bool {
    let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let _ = stream.set_read_timeout(Some(WAIT_TIMEOUT));
    let mut line = String::new();
    let read = BufReader::new(stream).read_line(&mut line);
    read.is_ok() && line.starts_with("INFO ") && line.contains(&format!("\"{name}\""))
}
