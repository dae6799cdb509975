//! Unread marks of open pages and other sockets.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::TestServer;

#[tokio::test]
async fn read_mark_clears_unread_in_all_tabs() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let account = format!("account/{}", bob.id);
    let (mut one, mut other, mut page) = (
        bob.following(&account).await,
        bob.following(&account).await,
        bob.html_socket().await,
    );
    page.follow(&account).await;
    let room = ann.create_room("garden").await;
    ann.post("garden", "hi").await;
    let last = ann.post("garden", "ho").await;
    for socket in [&mut one, &mut other] {
        assert_eq!(
            socket.event("chat.unread.changed").await["event"]["rooms"],
            json!([room])
        );
    }
    let mark = format!("#unread-{room}");
    let frame = page.frame(&mark).await;
    let unread = |page: &str| {
        crate::support::text::tag_with_id(page, &format!("unread-{room}")).to_owned()
            + page
                .split(&format!("id=\"unread-{room}\""))
                .nth(1)
                .map_or("", |rest| &rest[..60])
    };
    assert!(frame.contains("unread"), "{frame}");
    assert!(unread(&bob.page(&format!("/spaces/{}", bob.space)).await).contains("unread"));
    bob.act("chat.read", json!({ "room": room, "message": last.id }))
        .await
        .done();
    for socket in [&mut one, &mut other] {
        assert_eq!(
            socket.event("chat.room.read").await["event"]["message"],
            last.id.as_str()
        );
    }
    let cleared = page.frame(&mark).await;
    assert!(cleared.contains("innerHTML\"></hx-partial>"), "{cleared}");
    // Reading an older message again moves nothing back.
    let first = &bob.history("garden").await[0];
    bob.act("chat.read", json!({ "room": room, "message": first.id }))
        .await
        .done();
    assert!(one.drain().await.is_empty());
    bob.act(
        "chat.read",
        json!({ "room": bob.room("general"), "message": last.id }),
    )
    .await
    .expect(404);
}

#[tokio::test]
async fn unread_frames_are_coalesced_per_second() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut bobs = bob.following(&format!("account/{}", bob.id)).await;
    let mut rooms = Vec::new();
    for name in ["heron", "otter", "vole"] {
        rooms.push(ann.create_room(name).await);
    }
    // Taken before the first post, so that a late delivery of the first frame does not count.
    let started = Instant::now();
    ann.post("heron", "hi").await;
    let first = bobs.event("chat.unread.changed").await;
    assert_eq!(first["event"]["rooms"], json!([rooms[0]]));
    ann.post("otter", "hi").await;
    ann.post("vole", "hi").await;
    // One frame, unless the machine takes a second for two posts.
    let (mut named, mut later_frames) = (Vec::new(), 0);
    while named.len() < 2 {
        let frame = bobs.event("chat.unread.changed").await;
        let rooms = frame["event"]["rooms"].as_array().expect("a list of rooms");
        named.extend(
            rooms
                .iter()
                .map(|room| room.as_str().expect("an id").to_owned()),
        );
        later_frames += 1;
    }
    named.sort();
    assert_eq!(named, rooms[1..], "each room is named once");
    let elapsed = started.elapsed();
    assert!(
        elapsed >= Duration::from_secs(later_frames),
        "{later_frames} frames after the first in {elapsed:?}"
    );
}

#[tokio::test]
async fn own_messages_are_not_unread() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut anns = ann.following(&format!("account/{}", ann.id)).await;
    let mut bobs = bob.following(&format!("account/{}", bob.id)).await;
    ann.post("general", "hi").await;
    bobs.event("chat.unread.changed").await;
    assert!(anns.drain().await.is_empty());
}

#[tokio::test]
async fn visit_without_scripts_marks_room_read() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut tab = bob.following(&format!("account/{}", bob.id)).await;
    let message = ann.post("general", "hi").await;
    bob.page(&format!("/rooms/{}", bob.room("general"))).await;
    assert_eq!(
        tab.event("chat.room.read").await["event"]["message"],
        message.id.as_str()
    );
}
