//! Who is typing.

use serde_json::json;

use crate::support::TestServer;

#[tokio::test]
async fn typing_is_published_and_not_stored() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut data = ann.following("room/general/typing").await;
    let mut page = ann.html_socket().await;
    page.follow(&ann.feed("room/general/typing")).await;
    bob.act("chat.type", json!({ "room": bob.room("general") }))
        .await
        .done();
    let event = data.event("chat.typing.started").await["event"].clone();
    assert_eq!(
        event,
        json!({ "room": bob.room("general"), "account": bob.id, "name": "bob", "ttl_ms": 6000 })
    );
    assert!(page.frame("data-typing").await.contains("bob"));
    assert!(
        !ann.page(&format!("/rooms/{}", ann.room("general")))
            .await
            .contains(&format!("data-typing=\"{}\"", bob.id))
    );
}

#[tokio::test]
async fn typing_is_not_replayed() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut watch = ann.following("room/general/typing").await;
    let feed = ann.feed("room/general/typing");
    let cursor = watch.follow(&feed).await;
    bob.act("chat.type", json!({ "room": bob.room("general") }))
        .await
        .done();
    watch.event("chat.typing.started").await;
    let mut late = ann.socket().await;
    for old in [cursor.as_str(), "another.1"] {
        assert_eq!(late.subscribe(&feed, Some(old)).await["type"], "subscribed");
    }
    assert!(
        late.drain()
            .await
            .iter()
            .all(|received| received["type"] != "event")
    );
    bob.act("chat.type", json!({ "room": bob.room("general") }))
        .await
        .done();
    late.event("chat.typing.started").await;
}
