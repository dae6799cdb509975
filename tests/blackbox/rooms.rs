//! Rooms: creating, changing and archiving them.

use serde_json::json;

use crate::support::{TestServer, eventually};

#[tokio::test]
async fn owner_creates_and_changes_rooms() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let room = ann.create_room("garden").about("What grows").await;
    let page = bob.page(&format!("/rooms/{room}")).await;
    assert!(page.contains("garden") && page.contains("What grows"));
    let mut socket = bob.following(&format!("space/{}", bob.space)).await;
    ann.act(
        "community.change-room",
        json!({ "room": room, "name": "greenhouse", "about": "" }),
    )
    .await
    .done();
    socket.event("community.room.changed").await;
    // Another instance than the one of the socket hears of it a moment later.
    eventually("the new name", async || {
        let page = bob.page(&format!("/rooms/{room}")).await;
        let is_old = page.contains("garden") || page.contains("What grows");
        (page.contains("greenhouse") && !is_old).then_some(())
    })
    .await;
}

#[tokio::test]
async fn room_name_is_validated() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    for (name, about, field) in [
        (" \t ", "", "name"),
        (&*"x".repeat(61), "", "name"),
        ("general", "", "name"),
        (" general ", "", "name"),
        ("tea", &*"x".repeat(201), "about"),
    ] {
        let refused = ann
            .create_room(name)
            .about(about)
            .attempt()
            .await
            .expect(422);
        assert!(
            refused.problem(field).is_some(),
            "{name:?}: {}",
            refused.body
        );
    }
    let room = ann
        .create_room(&"👩‍👩‍👧".repeat(60))
        .about(&"é".repeat(200))
        .await;
    let taken = ann
        .act(
            "community.change-room",
            json!({ "room": room, "name": "general" }),
        )
        .await
        .expect(422);
    assert!(taken.problem("name").is_some());
}

#[tokio::test]
async fn concurrent_room_names_are_unique() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let tries: Vec<_> = (0..10)
        .map(|_| {
            let ann = ann.clone();
            tokio::spawn(async move { ann.create_room("garden").attempt().await.status })
        })
        .collect();
    let mut statuses = Vec::new();
    for attempt in tries {
        statuses.push(attempt.await.expect("the try ends"));
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![200], vec![422; 9]].concat());
}

#[tokio::test]
async fn archived_room_is_read_only() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let room = ann.create_room("garden").await;
    let message = bob.post("garden", "The frost came early").await;
    let archive = async |how: &str| {
        ann.act(
            "community.archive-room",
            json!({ "room": room, "archive": how }),
        )
        .await
    };
    archive("yes").await.done();
    assert_eq!(
        bob.try_post("garden", "late", "key-late-1")
            .await
            .expect(409)
            .code(),
        "conflict"
    );
    assert_eq!(
        bob.act(
            "chat.edit",
            json!({ "message": message.id, "body": "late" })
        )
        .await
        .expect(409)
        .code(),
        "conflict"
    );
    bob.act("chat.type", json!({ "room": room }))
        .await
        .expect(409);
    let page = bob.page(&format!("/rooms/{room}")).await;
    assert!(
        page.contains("The frost came early") && !page.contains("action=\"/act/chat.post\""),
        "{page}"
    );
    assert_eq!(bob.history("garden").await, [message]);
    // Its name is free for another; then it can only come back when that one is gone.
    let second = ann.create_room("garden").await;
    archive("no").await.expect(409);
    ann.act(
        "community.archive-room",
        json!({ "room": second, "archive": "yes" }),
    )
    .await
    .done();
    archive("no").await.done();
    bob.act(
        "chat.post",
        json!({ "room": room, "body": "in time", "key": "key-late-2" }),
    )
    .await
    .done();
}

#[tokio::test]
async fn short_texts_are_bounded_in_bytes_and_marks() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let pile = format!("a{}", "\u{301}".repeat(20_000));
    let joined = format!("a{}", "\u{200d}a".repeat(5_000));
    for text in [&pile, &joined] {
        let room = json!({ "space": ann.space, "name": text });
        ann.act("community.create-room", room).await.expect(422);
        let about = json!({ "space": ann.space, "name": "room", "about": text });
        ann.act("community.create-room", about).await.expect(422);
        let space = json!({ "space": ann.space, "name": text });
        ann.act("community.rename-space", space).await.expect(422);
        ann.act("community.create-space", json!({ "name": text }))
            .await
            .expect(422);
        let emoji = json!({ "space": ann.space, "name": text });
        ann.act("community.add-emoji", emoji).await.expect(422);
    }
}
