//! Rooms that are named in a message.

use serde_json::json;

use crate::support::{TestServer, eventually};

#[tokio::test]
async fn named_room_is_linked_unless_it_is_private() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let garden = ann.create_room("Garden party").await;
    ann.create_room("secret").private().await;
    let mut page = bob.html_socket().await;
    page.follow(&bob.feed("room/general")).await;
    ann.post(
        "general",
        "come to #garden party, not to #secret or `#general`",
    )
    .await;
    let link = format!("<a href=\"/rooms/{garden}\">#garden party</a>, not to #secret or");
    page.frame(&link).await;
    let general = format!("/rooms/{}", bob.room("general"));
    assert!(bob.page(&general).await.contains(&link));
    // Its old name is a text again, also on pages that were kept.
    let renamed = json!({ "room": garden, "name": "Orchard" });
    ann.act("community.change-room", renamed).await.done();
    eventually("a page without the link", || async {
        (!bob.page(&general).await.contains(&link)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn room_is_linked_in_any_script() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let page = format!("/rooms/{}", ann.room("general"));
    for name in ["港口", "कमरा", "ห้องครัว", "قهوة", "Кухня", "🌊 море"]
    {
        let room = ann.create_room(name).await;
        ann.post("general", &format!("see #{name}")).await;
        let link = format!("<a href=\"/rooms/{room}\">#{name}</a>");
        let shown = ann.page(&page).await;
        assert!(shown.contains(&link), "{link}: {shown}");
    }
}
