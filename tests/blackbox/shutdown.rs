//! Stopping the server: what it closes, and what it finishes first.

use serde_json::json;

use crate::support::{RawConnection, TestServer};

#[tokio::test]
async fn stop_closes_idle_connections() {
    let mut server = TestServer::start().await;
    let (mut silent, mut idle) = (
        RawConnection::to(&server).await,
        RawConnection::connect_until_served(&server).await,
    );
    server.stop().await;
    for connection in [&mut silent, &mut idle] {
        assert_eq!(connection.read_until_closed().await, "");
    }
    assert!(
        !server.log().contains("did not end in time"),
        "{}",
        server.log()
    );
}

#[tokio::test]
async fn restart_closes_sockets_with_1012() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (mut data, mut page) = (ann.following("room/general").await, ann.html_socket().await);
    server.stop().await;
    assert_eq!(data.close_code().await, Some(1012));
    assert_eq!(page.close_code().await, Some(1012));
    server.start_again().await;
    ann.following("room/general").await;
}

#[tokio::test]
async fn stop_closes_open_sockets() {
    let (mut server, ann) = TestServer::start_with_owner().await;
    let mut sockets = Vec::new();
    for _ in 0..20 {
        sockets.push(ann.following("room/general").await);
    }
    ann.post("general", "hi").await;
    server.stop().await;
    assert!(
        !server.log().contains("did not end in time"),
        "{}",
        server.log()
    );
    for mut socket in sockets {
        assert_eq!(socket.close_code().await, Some(1012));
    }
    server.assert_undamaged();
    if let Some(file) = server.database_file() {
        let log = std::fs::metadata(file.with_extension("sqlite-wal"));
        assert!(
            log.is_ok_and(|log| log.len() == 0),
            "everything is in the database file"
        );
    }
}

#[tokio::test]
async fn stop_finishes_requests_in_progress() {
    let (mut server, ann) = TestServer::start_with_owner().await;
    let posts: Vec<_> = (0..20)
        .map(|number| {
            let ann = ann.clone();
            tokio::spawn(async move {
                let fields = json!({
                    "room": ann.room("general"), "body": "x", "key": format!("last-{number:04}"),
                });
                let request = ann
                    .request("POST", "/act/chat.post")
                    .header("Content-Type", "application/json");
                request
                    .header("Accept", "application/json")
                    .body(fields.to_string())
                    .send()
                    .await
                    .map(|response| response.status().as_u16())
            })
        })
        .collect();
    server
        .metric_reaches("tidepool_actions_total{action=\"chat.post\"}", |count| {
            count >= 1.0
        })
        .await;
    server.stop().await;
    let mut acknowledged = 0;
    for post in posts {
        if let Ok(status) = post.await.expect("it ends") {
            assert_eq!(status, 200);
            acknowledged += 1;
        }
    }
    server.start_again().await;
    assert!(ann.history("general").await.len() >= acknowledged);
}
