//! Connections: how many there may be, and how long their heads may take.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::one_instance_only;
use crate::support::{HEALTH_REQUEST, POLL_INTERVAL, RawConnection, TestServer, WAIT_TIMEOUT};

#[tokio::test]
async fn unfinished_head_closes_connection() {
    let server = TestServer::with(&[("TIDEPOOL_HEAD_SECONDS", "1")]).await;
    let (mut silent, mut half, mut idle) = (
        RawConnection::to(&server).await,
        RawConnection::to(&server).await,
        RawConnection::connect_until_served(&server).await,
    );
    half.send("GET /health/live HTTP/1.1\r\nhost: he").await;
    let (mut reading, mut writing) = TcpStream::connect(server.address())
        .await
        .expect("a connection")
        .into_split();
    let drip = tokio::spawn(async move {
        let mut sent = writing.write_all(b"GET / HTTP/1.1\r\nx: ").await;
        // Ends with the connection, or when the test aborts it.
        while sent.is_ok() {
            sleep(POLL_INTERVAL).await;
            sent = writing.write_all(b"x").await;
        }
    });
    for connection in [&mut silent, &mut half, &mut idle] {
        assert_eq!(connection.read_until_closed().await, "");
    }
    let mut received = Vec::new();
    let end = timeout(WAIT_TIMEOUT, reading.read_to_end(&mut received)).await;
    assert!(
        end.is_ok() && received.is_empty(),
        "a byte now and then buys no time"
    );
    drip.abort();
    RawConnection::connect_until_served(&server).await;
}

#[tokio::test]
async fn head_over_limit_is_refused() {
    let server = TestServer::start().await;
    for headers in [
        format!("x: {}\r\n", "x".repeat(48 << 10)),
        "x: y\r\n".repeat(200),
    ] {
        let mut connection = RawConnection::to(&server).await;
        connection
            .send(&format!(
                "GET /health/live HTTP/1.1\r\nhost: here\r\n{headers}\r\n"
            ))
            .await;
        let mut answer = [0; 12];
        connection
            .0
            .read_exact(&mut answer)
            .await
            .expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 431");
    }
    let mut connection = RawConnection::to(&server).await;
    connection
        .send(&format!(
            "GET /health/live HTTP/1.1\r\nhost: here\r\nx: {}\r\nconnection: close\r\n\r\n",
            "x".repeat(6 << 10)
        ))
        .await;
    assert!(
        connection
            .read_until_closed()
            .await
            .starts_with("HTTP/1.1 200")
    );
}

/// Fills the server up to a bound, looks at what the next one is told, and that a place is given
/// back.
async fn bound(setting: &str, bound: usize, status: &str, why: &str) {
    let server = TestServer::with(&[(setting, &bound.to_string())]).await;
    let mut connections = Vec::new();
    for _ in 0..bound {
        let mut connection = RawConnection::to(&server).await;
        assert!(connection.is_served().await, "there is a place");
        connections.push(connection);
    }
    for says_nothing in [true, false] {
        let mut refused = RawConnection::to(&server).await;
        if !says_nothing {
            refused.send(HEALTH_REQUEST).await;
        }
        let answer = refused.read_until_closed().await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} "))
                && answer.contains("retry-after: 5\r\n"),
            "{answer}"
        );
        assert!(answer.ends_with(".\n"), "it says why: {answer}");
        assert!(
            answer.contains("x-content-type-options: nosniff"),
            "{answer}"
        );
    }
    for connection in &mut connections {
        assert!(connection.is_served().await, "the others are served");
    }
    connections.truncate(bound - 2);
    connections.push(RawConnection::connect_until_served(&server).await);
    drop(connections);
    drop(RawConnection::connect_until_served(&server).await);
    server
        .metric_reaches(
            &format!("tidepool_refused_total{{why=\"{why}\"}}"),
            |count| count >= 2.0,
        )
        .await;
}

#[tokio::test]
async fn connections_are_limited_by_setting() {
    bound("TIDEPOOL_MAX_CONNECTIONS", 8, "503", "connections").await;
}

#[tokio::test]
async fn connections_per_address_are_limited() {
    bound(
        "TIDEPOOL_MAX_CONNECTIONS_PER_ADDRESS",
        3,
        "429",
        "connections_of_address",
    )
    .await;
}

#[tokio::test]
async fn proxy_address_has_no_connection_limit() {
    let server = TestServer::with(&[
        ("TIDEPOOL_MAX_CONNECTIONS_PER_ADDRESS", "1"),
        ("TIDEPOOL_BEHIND_PROXY", "true"),
    ])
    .await;
    let mut connections = [
        RawConnection::to(&server).await,
        RawConnection::to(&server).await,
        RawConnection::to(&server).await,
    ];
    for connection in &mut connections {
        assert!(connection.is_served().await);
    }
}

#[tokio::test]
async fn socket_holds_its_connection_slot() {
    one_instance_only!("each instance counts for itself");
    const SLOTS: usize = 6;
    let settings = [
        ("TIDEPOOL_MAX_CONNECTIONS_PER_ADDRESS", "6"),
        // Longer than the test: a line that is kept must not end by itself.
        ("TIDEPOOL_HEAD_SECONDS", "300"),
    ];
    let server = TestServer::with(&settings).await;
    let ann = server.owner("ann").await;
    // Has the server close the connection that the person's client keeps.
    let closing = ann
        .request("GET", "/health/live")
        .header("connection", "close");
    ann.send(closing).await.expect(200);
    let mut sockets = Vec::new();
    while sockets.len() < SLOTS - 1 {
        sockets.push(ann.socket().await);
    }
    let mut last = RawConnection::connect_until_served(&server).await;
    // One place is left for all that is no socket.
    let refused = RawConnection::to(&server).await.read_until_closed().await;
    assert!(refused.starts_with("HTTP/1.1 429"), "{refused}");
    assert!(last.is_served().await);
    for mut socket in sockets.drain(1..) {
        socket.follow(&ann.feed("room/general")).await;
        socket.close().await;
    }
    let mut connections = Vec::new();
    while connections.len() < SLOTS - 2 {
        connections.push(RawConnection::connect_until_served(&server).await);
    }
    assert_eq!(
        sockets[0].drain().await,
        Vec::<serde_json::Value>::new(),
        "the one that stayed lives"
    );
}
