//! A connection without a client that would do things by itself.

use sqlx::Connection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::{PATIENCE, POLL_INTERVAL, TestServer};

/// A request that no limit of requests counts.
pub const HEALTH_REQUEST: &str = "GET /health/live HTTP/1.1\r\nhost: here\r\n\r\n";

/// An open TCP connection to a server.
pub struct RawConnection(pub TcpStream);

impl RawConnection {
    /// Connects.
    pub async fn to(server: &TestServer) -> Self {
        Self(
            TcpStream::connect(server.address())
                .await
                .expect("a connection"),
        )
    }

    /// Sends text; an error of a closed connection is ignored.
    pub async fn send(&mut self, text: &str) {
        let _ = self.0.write_all(text.as_bytes()).await;
    }

    /// All that comes until the server closes.
    pub async fn until_closed(&mut self) -> String {
        let mut received = Vec::new();
        let end = timeout(PATIENCE, self.0.read_to_end(&mut received))
            .await
            .expect("the server closes it in time");
        assert!(
            end.is_ok() || !received.is_empty(),
            "closed without an answer: {end:?}"
        );
        String::from_utf8(received).expect("text")
    }

    /// Asks whether the server lives, on a connection that is kept. False when it was refused.
    pub async fn is_served(&mut self) -> bool {
        self.send(HEALTH_REQUEST).await;
        let mut received = Vec::new();
        while !received.ends_with(b"ok\n") {
            match timeout(PATIENCE, self.0.read_buf(&mut received))
                .await
                .expect("an answer in time")
            {
                Ok(0) | Err(_) => return false,
                Ok(_) => {}
            }
        }
        true
    }

    /// A connection that is served, once a slot is free.
    pub async fn served(server: &TestServer) -> Self {
        let until = std::time::Instant::now() + PATIENCE;
        loop {
            let mut line = Self::to(server).await;
            if line.is_served().await {
                return line;
            }
            assert!(std::time::Instant::now() < until, "no slot is released");
            sleep(POLL_INTERVAL).await;
        }
    }
}
