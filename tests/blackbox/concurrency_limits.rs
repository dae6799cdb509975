//! Requests in work at once, and slow senders that must not hold a slot.

use serde_json::json;

use crate::support::{RawConnection, TestServer, text};

#[tokio::test]
async fn request_over_concurrency_limit_is_refused() {
    let server = TestServer::with(&[("TIDEPOOL_MAX_REQUESTS", "8")]).await;
    let ann = server.owner("ann").await;
    let page = ann.page("/account").await;
    // As long as a page is answered there is a place: another request that never ends takes it, or
    // is refused itself.
    let mut stalled = Vec::new();
    let answer = loop {
        let mut connection = RawConnection::to(&server).await;
        connection
            .send(
                "POST /sign-in HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n\
            connection: close\r\ncontent-length: 1\r\n\r\n",
            )
            .await;
        stalled.push(connection);
        let answer = ann.get("/account").await;
        if answer.status != 200 {
            break answer;
        }
        assert!(stalled.len() < 100, "nothing is too much");
    };
    assert!(
        answer.status == 503
            && answer.body.contains("<html")
            && answer.header("retry-after") == "1",
        "{}",
        answer.body
    );
    let data = ann
        .act("chat.history", json!({ "room": ann.room("general") }))
        .await
        .expect(503);
    assert_eq!(
        (data.code().as_str(), &data.json()["error"]["retry_after"]),
        ("unavailable", &json!(1))
    );
    assert!(
        !ann.fragment("/sidebar")
            .await
            .expect(503)
            .body
            .contains("<html")
    );
    ann.get("/health/ready").await.expect(200);
    let asset = text::attributes(&page, "src")
        .into_iter()
        .find(|path| path.starts_with("/assets/"))
        .expect("an asset");
    ann.get(&asset).await.expect(200);
    assert!(server.metric("tidepool_refused_total{why=\"busy\"}").await >= 3.0);
    let mut finished = 0;
    for connection in &mut stalled {
        connection.send("x").await;
        finished += usize::from(
            connection
                .read_until_closed()
                .await
                .starts_with("HTTP/1.1 422"),
        );
    }
    assert_eq!(finished, 8, "what was in work is finished");
    ann.page("/account").await;
}

#[tokio::test]
async fn refused_sender_holds_no_request_slot() {
    let server = TestServer::with(&[("TIDEPOOL_MAX_REQUESTS", "8")]).await;
    let ann = server.owner("ann").await;
    let mut sending = Vec::new();
    for path in ["/health/live", "/nowhere"].into_iter().cycle().take(32) {
        let mut connection = RawConnection::to(&server).await;
        connection
            .send(&format!(
                "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: \
                multipart/form-data; boundary=x\r\ncontent-length: 100\r\n\r\n"
            ))
            .await;
        sending.push(connection);
        ann.get("/account").await.expect(200);
    }
}
