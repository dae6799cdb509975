//! Spaces, rooms and direct conversations.

use serde_json::json;

use crate::support::TestServer;

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
    let page = bob.page(&format!("/rooms/{room}")).await;
    assert!(
        page.contains("greenhouse") && !page.contains("garden") && !page.contains("What grows")
    );
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
    let heard = public.event("community.room.created").await;
    assert_eq!(
        heard["event"]["private"], false,
        "nobody hears of the private one: {heard}"
    );
    assert!(news.1.so_far().await.is_empty());
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
    outside.said("revoked").await;
    assert!(outside.so_far().await.is_empty());
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
        socket.ask(&format!("room/{room}"), None).await["type"],
        "refused"
    );
}

#[tokio::test]
async fn direct_conversation_is_unique_per_people() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let opens: Vec<_> = (0..10)
        .map(|number| {
            let (one, other) = if number % 2 == 0 {
                (ann.clone(), bob.clone())
            } else {
                (bob.clone(), ann.clone())
            };
            tokio::spawn(async move { one.direct(&[&other, &one, &other]).await })
        })
        .collect();
    let mut rooms = Vec::new();
    for open in opens {
        rooms.push(open.await.expect("it opens"));
    }
    rooms.dedup();
    assert_eq!(rooms.len(), 1, "{rooms:?}");
    let three = ann.direct(&[&bob, &cem]).await;
    assert_ne!(three, rooms[0]);
    assert_eq!(cem.direct(&[&ann, &bob]).await, three);
    bob.post(&rooms[0], "between us").await;
    assert!(
        ann.page(&format!("/rooms/{}", rooms[0]))
            .await
            .contains("between us")
    );
    cem.get(&format!("/rooms/{}", rooms[0])).await.expect(404);
    assert_eq!(
        cem.act("chat.history", json!({ "room": rooms[0] }))
            .await
            .code(),
        "not_found"
    );
}

#[tokio::test]
async fn direct_conversation_needs_shared_space() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let eve = server.stranger("eve").await;
    for nobody in [json!([]), json!([bob.id])] {
        bob.act("community.open-direct", json!({ "people": nobody }))
            .await
            .expect(422);
    }
    assert_eq!(
        bob.act("community.open-direct", json!({ "people": [eve.id] }))
            .await
            .code(),
        "not_found"
    );
    assert_eq!(
        bob.act("community.open-direct", json!({ "people": ["1"] }))
            .await
            .code(),
        "not_found"
    );
    let room = bob.direct(&[&ann]).await;
    assert_eq!(
        ann.act(
            "community.archive-room",
            json!({ "room": room, "archive": "yes" })
        )
        .await
        .code(),
        "forbidden"
    );
    ann.get(&format!("/rooms/{room}/settings"))
        .await
        .expect(403);
    let message = bob.post(&room, "mine").await;
    assert_eq!(
        ann.act("chat.delete", json!({ "message": message.id }))
            .await
            .code(),
        "forbidden",
        "nobody moderates here"
    );
}

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
