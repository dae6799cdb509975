//! Spaces: managing, renaming and leaving them.

use serde_json::json;

use crate::support::TestServer;

#[tokio::test]
async fn members_cannot_manage_and_owner_stays() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let general = bob.room("general");
    for (action, fields) in [
        ("community.create-space", json!({ "name": "Mine" })),
        (
            "community.rename-space",
            json!({ "space": bob.space, "name": "Mine" }),
        ),
        (
            "community.create-room",
            json!({ "space": bob.space, "name": "mine" }),
        ),
        (
            "community.change-room",
            json!({ "room": general, "name": "mine" }),
        ),
        (
            "community.archive-room",
            json!({ "room": general, "archive": "yes" }),
        ),
        (
            "community.remove-member",
            json!({ "space": bob.space, "account": cem.id }),
        ),
        (
            "community.remove-member",
            json!({ "space": bob.space, "account": ann.id }),
        ),
    ] {
        assert_eq!(
            bob.act(action, fields).await.expect(403).code(),
            "forbidden",
            "{action}"
        );
    }
    assert_eq!(
        ann.act(
            "community.remove-member",
            json!({ "space": ann.space, "account": ann.id })
        )
        .await
        .code(),
        "conflict"
    );
}

#[tokio::test]
async fn space_rename_reaches_open_pages() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut socket = bob.following(&format!("space/{}", bob.space)).await;
    ann.act(
        "community.rename-space",
        json!({ "space": ann.space, "name": "Orangery" }),
    )
    .await
    .done();
    assert_eq!(
        socket.event("community.space.changed").await["event"]["name"],
        "Orangery"
    );
    assert!(
        bob.page(&format!("/spaces/{}", bob.space))
            .await
            .contains("Orangery")
    );
}

#[tokio::test]
async fn leaving_space_leaves_its_rooms() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let secret = ann.create_room("whisper").private().with(&[&bob]).await;
    bob.page(&format!("/rooms/{secret}")).await;
    bob.act(
        "community.remove-member",
        json!({ "space": bob.space, "account": bob.id }),
    )
    .await
    .done();
    for path in [
        format!("/rooms/{secret}"),
        format!("/rooms/{}", bob.room("general")),
        format!("/spaces/{}", bob.space),
    ] {
        bob.get(&path).await.expect(404);
    }
    // Invited again, they are in the space but not in the private room.
    bob.submit(&ann.invite().await, &json!({})).await.done();
    bob.page(&format!("/rooms/{}", bob.room("general"))).await;
    bob.get(&format!("/rooms/{secret}")).await.expect(404);
}
