//! A TCP connection to the server, without an HTTP client that would do things by itself.

use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

use super::{POLL_INTERVAL, TestServer, WAIT_TIMEOUT};

pub const HEALTH_REQUEST: &str = "GET /health/live HTTP/1.1\r\nhost: here\r\n\r\n";

/// A connection without a client that would do things by itself.
pub struct RawConnection(pub TcpStream);

impl RawConnection {
    pub async fn to(server: &TestServer) -> Self {
        Self(
            TcpStream::connect(server.address())
                .await
                .expect("a connection"),
        )
    }

    /// A connection from this address of the machine, such as `127.0.0.2`.
    pub async fn from_address(server: &TestServer, address: &str) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        let address = format!("{address}:0").parse().expect("an address");
        socket.bind(address).expect("an address of this machine");
        let to = server.address().parse().expect("an address");
        Self(socket.connect(to).await.expect("a connection"))
    }

    /// Sends; what is closed swallows it.
    pub async fn send(&mut self, text: &str) {
        let _ = self.0.write_all(text.as_bytes()).await;
    }

    /// All that comes until the server closes.
    pub async fn read_until_closed(&mut self) -> String {
        let mut received = Vec::new();
        let end = timeout(WAIT_TIMEOUT, self.0.read_to_end(&mut received))
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
            match timeout(WAIT_TIMEOUT, self.0.read_buf(&mut received))
                .await
                .expect("an answer in time")
            {
                Ok(0) | Err(_) => return false,
                Ok(_) => {}
            }
        }
        true
    }

    /// A connection that is served, once there is a place.
    pub async fn connect_until_served(server: &TestServer) -> Self {
        let until = Instant::now() + WAIT_TIMEOUT;
        loop {
            let mut connection = Self::to(server).await;
            if connection.is_served().await {
                return connection;
            }
            assert!(Instant::now() < until, "no place is given back");
            sleep(POLL_INTERVAL).await;
        }
    }
}
