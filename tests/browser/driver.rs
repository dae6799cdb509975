//! The driver: one chromedriver for all tests of this process, and a bound on how many browsers run
//! at once.

use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tokio::net::TcpStream;
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};

use crate::support::WAIT_TIMEOUT;

/// Browsers that run at once. A test takes all it needs together, so that no two wait for each
/// other.
const BROWSERS: usize = 4;
static FREE: Semaphore = Semaphore::const_new(BROWSERS);

/// The right to run some browsers.
pub async fn acquire_browsers(count: u32) -> SemaphorePermit<'static> {
    FREE.acquire_many(count).await.expect("the seats stay")
}

/// Where the driver listens.
pub async fn driver() -> String {
    static PORT: OnceLock<u16> = OnceLock::new();
    static READY: OnceCell<()> = OnceCell::const_new();
    let port = *PORT.get_or_init(start);
    let listening = async || {
        let until = tokio::time::Instant::now() + WAIT_TIMEOUT;
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(
                tokio::time::Instant::now() < until,
                "chromedriver does not start"
            );
            tokio::task::yield_now().await;
        }
    };
    READY.get_or_init(listening).await;
    format!("http://127.0.0.1:{port}")
}

/// Starts it so that it ends with this process, however this process ends: it is killed when its
/// input closes.
fn start() -> u16 {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|free| free.local_addr())
        .expect("a port is free")
        .port();
    let script =
        format!("chromedriver --port={port} --log-level=OFF >/dev/null 2>&1 & cat; kill -9 -$$");
    let mut command = Command::new("setsid");
    command
        .args(["sh", "-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let child = command.spawn().expect("chromedriver can be started");
    std::mem::forget(child); // its input stays open as long as this process lives
    port
}
