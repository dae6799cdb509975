//! Private rooms: who sees them, and who may be in them.

use serde_json::json;

use crate::support::TestServer;

#[tokio::test]
async fn private_room_is_hidden_from_others() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let mut news = (
        bob.following(&format!("account/{}", bob.id)).await,
        cem.following(&format!("account/{}", cem.id)).await,
    );
    let mut public = cem.following(&format!("space/{}", cem.space)).await;
    let room = ann.create_room("whisper").private().with(&[&bob]).await;
    news.0.event("community.room.created").await;
    ann.create_room("aloud").await;
    let received = public.event("community.room.created").await;
    assert_eq!(
        received["event"]["private"], false,
        "the private room is not announced: {received}"
    );
    assert!(news.1.drain().await.is_empty());
    assert!(
        bob.page(&format!("/rooms/{room}"))
            .await
            .contains("whisper")
    );
    cem.get(&format!("/rooms/{room}")).await.expect(404);
    assert!(
        !cem.page(&format!("/rooms/{}", cem.room("general")))
            .await
            .contains("whisper")
    );
    assert_eq!(
        cem.try_post("whisper", "hi", "key-cem-1").await.code(),
        "not_found"
    );
}

#[tokio::test]
async fn room_made_private_revokes_others() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let room = ann.create_room("garden").await;
    let (mut inside, mut outside) = (
        bob.following("room/garden").await,
        cem.following("room/garden").await,
    );
    let change = async |private: &str| {
        let fields =
            json!({ "room": room, "name": "garden", "private": private, "members": [bob.id] });
        ann.act("community.change-room", fields).await.done();
    };
    change("yes").await;
    ann.post("garden", "just us").await;
    inside.event("chat.message.posted").await;
    outside.wait_for("revoked").await;
    assert!(outside.drain().await.is_empty());
    cem.get(&format!("/rooms/{room}")).await.expect(404);
    bob.page(&format!("/rooms/{room}")).await;
    change("").await;
    cem.page(&format!("/rooms/{room}")).await;
    outside.follow(&format!("room/{room}")).await;
}

#[tokio::test]
async fn private_room_members_belong_to_space() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let eve = server.stranger("eve").await;
    let room = ann.create_room("whisper").private().with(&[&eve]).await;
    eve.get(&format!("/rooms/{room}")).await.expect(404);
    let mut socket = eve.socket().await;
    assert_eq!(
        socket.subscribe(&format!("room/{room}"), None).await["type"],
        "refused"
    );
}

#[tokio::test]
async fn change_of_members_tells_each_account_of_itself_only() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let room = ann.create_room("whisper").private().with(&[&bob]).await;
    let mut removed = bob.following(&format!("account/{}", bob.id)).await;
    let mut added = cem.following(&format!("account/{}", cem.id)).await;
    let fields = json!({ "room": room, "name": "whisper", "private": "yes", "members": [cem.id] });
    ann.act("community.change-room", fields).await.done();
    for (socket, own) in [(&mut removed, &bob.id), (&mut added, &cem.id)] {
        let told = socket.event("community.room.changed").await;
        assert_eq!(told["event"]["members"], json!([own]));
    }
}
