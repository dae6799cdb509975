//! What a client may send over a socket, and how it is refused.

use serde_json::json;

use crate::support::TestServer;

#[tokio::test]
async fn malformed_messages_get_error() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    for path in ["/live", "/live/data"] {
        let mut socket = ann.socket_at(path).await;
        for nonsense in [
            "",
            "{",
            "null",
            "[]",
            "42",
            "{\"type\":\"dance\"}",
            "{\"type\":\"subscribe\"}",
            "{\"type\":\"act\",\"id\":1}",
            "語\u{0}",
        ] {
            socket.send_text(nonsense).await;
            let answer = socket.wait_for("error").await;
            assert_eq!(answer["error"]["code"], "invalid", "{nonsense}");
            assert!(answer.get("id").is_none(), "{answer}");
        }
        assert_eq!(
            socket.act("chat.dance", json!({})).await["error"]["code"],
            "not_found"
        );
        assert_eq!(
            socket.act("chat.post", json!({ "room": 12 })).await["error"]["code"],
            "invalid"
        );
        assert_eq!(
            socket.act("chat.post", json!("hello")).await["error"]["code"],
            "invalid"
        );
        socket
            .send(json!({ "type": "act", "id": "x".repeat(200), "action": "chat.post" }))
            .await;
        assert_eq!(socket.wait_for("error").await["error"]["code"], "invalid");
        assert!(socket.drain().await.is_empty(), "it goes on");
    }
}

#[tokio::test]
async fn large_and_cjk_messages_are_accepted() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let mut socket = ann.following("room/general").await;
    let body = "語".repeat(4_000);
    socket
        .act(
            "chat.post",
            json!({ "room": ann.room("general"), "body": body, "key": "key-0001" }),
        )
        .await;
    let again = ann.post("general", &body).await;
    socket
        .expect("the other", |received| {
            received["event"]["message"]["id"] == again.id.as_str()
        })
        .await;
    let padding = " ".repeat((64 << 10) - 20);
    socket
        .send_text(&format!("{{\"type\":\"ping\"}}{padding}"))
        .await;
    socket.wait_for("pong").await;
}

#[tokio::test]
async fn oversized_or_binary_message_closes_socket() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let mut socket = ann.socket().await;
    socket.send_bytes(b"{\"type\":\"ping\"}").await;
    assert_eq!(socket.close_code().await, Some(1003));
    let mut socket = ann.socket().await;
    socket
        .send_text(&format!("{{\"type\":\"ping\"}}{}", " ".repeat(64 << 10)))
        .await;
    assert!(
        socket.read_until_closed().await.is_empty(),
        "it is not answered"
    );
}
