//! What messages said before they were edited.

use serde_json::json;

use crate::support::TestServer;

#[tokio::test]
async fn earlier_texts_are_shown_to_readers_until_the_message_is_deleted() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let message = ann.post("general", "Um drei").await;
    let path = format!("/messages/{}/history", message.id);
    for text in ["四点见", "Um fünf"] {
        ann.act("chat.edit", json!({ "message": message.id, "body": text }))
            .await
            .done();
    }
    let page = bob.page(&path).await;
    for text in ["Um drei", "四点见", "Um fünf"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    ann.act("chat.delete", json!({ "message": message.id }))
        .await
        .done();
    assert_eq!(bob.get(&path).await.status, 404);
}
