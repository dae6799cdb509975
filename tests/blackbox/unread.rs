//! Unread marks and the divider above new messages.

use std::collections::BTreeSet;
use std::time::Instant;

use serde_json::json;

use crate::support::{TestServer, eventually, text};

/// A notice of the inbox that is not read.
const UNREAD_NOTICE: &str = "class=\"unread\"><a href=\"/inbox/";

#[tokio::test]
async fn read_mark_clears_unread_in_all_tabs() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let account = format!("account/{}/unread", bob.id);
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
        text::tag_with_id(page, &format!("unread-{room}")).to_owned()
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
    let mut bobs = bob.following(&format!("account/{}/unread", bob.id)).await;
    let mut rooms = BTreeSet::new();
    for number in 0..12 {
        rooms.insert(ann.create_room(&format!("room {number}")).await);
    }
    let started = Instant::now();
    let (mut frames, mut named) = (0, BTreeSet::new());
    let mut posted = rooms.iter();
    while named != rooms {
        // The first frame comes before the other posts, which then share the next.
        for room in posted
            .by_ref()
            .take(if frames == 0 { 1 } else { rooms.len() })
        {
            ann.post(room, "hi").await;
        }
        let event = bobs.event("chat.unread.changed").await["event"].take();
        let changed = event["rooms"].as_array().expect("a list of rooms").iter();
        named.extend(changed.map(|room| room.as_str().expect("an id").to_owned()));
        frames += 1;
        assert!(named.is_subset(&rooms), "{event}");
    }
    // One at once and then one a second, however slow the posts are.
    let most = 1 + started.elapsed().as_secs();
    assert!(frames <= most, "{frames} frames of {most} for 12 rooms");
}

#[tokio::test]
async fn own_messages_are_not_unread() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut anns = ann.following(&format!("account/{}/unread", ann.id)).await;
    let mut bobs = bob.following(&format!("account/{}/unread", bob.id)).await;
    ann.post("general", "hi").await;
    bobs.event("chat.unread.changed").await;
    let drained = anns.drain().await;
    assert!(drained.is_empty(), "{drained:?}");
}

#[tokio::test]
async fn visit_without_scripts_marks_room_read() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut tab = bob.following(&format!("account/{}/unread", bob.id)).await;
    let message = ann.post("general", "hi").await;
    bob.page(&format!("/rooms/{}", bob.room("general"))).await;
    assert_eq!(
        tab.event("chat.room.read").await["event"]["message"],
        message.id.as_str()
    );
}

#[tokio::test]
async fn new_divider_precedes_first_unread_message() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let room = format!("/rooms/{}", bob.room("general"));
    let mut marks = bob.following(&format!("account/{}/unread", bob.id)).await;
    ann.post("general", "seen").await;
    bob.page(&room).await;
    // A busy server answers a page before it has stored that it was read.
    marks.event("chat.room.read").await;
    bob.post("general", "my own is never new").await;
    let unread = ann.post("general", "unseen").await;
    ann.post("general", "unseen too").await;
    let page = bob.page(&room).await;
    let lines: Vec<_> = page
        .match_indices("class=\"new\"")
        .map(|(at, _)| at)
        .collect();
    assert_eq!(lines.len(), 1, "{page}");
    let after = text::messages(&page[lines[0]..]);
    assert_eq!(after[0], unread.id);
    eventually("page without a divider", || async {
        let page = bob.page(&room).await;
        (text::count(&page, "class=\"new\"") == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn marks_are_sent_after_a_restart() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let feed = format!("account/{}/unread", bob.id);
    let cursor = bob.socket().await.follow(&feed).await;
    ann.post("general", "missed").await;
    server.restart().await;
    let mut back = bob.socket().await;
    let answer = back.subscribe(&feed, Some(&cursor)).await;
    assert_eq!(answer["type"], "subscribed", "it need not refetch");
    let rooms = back.event("chat.unread.changed").await["event"]["rooms"].clone();
    assert_eq!(rooms, json!([bob.room("general")]));
}

#[tokio::test]
async fn all_rooms_are_read_at_once_in_one_frame() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let account = format!("account/{}/unread", bob.id);
    let mut tab = bob.following(&account).await;
    let rooms = ["garden", "港", "حديقة"];
    for room in rooms {
        ann.create_room(room).await;
        bob.remember_room(room, &ann.room(room));
        ann.post(room, "@bob hello").await;
    }
    let direct = ann.direct(&[&bob]).await;
    ann.post(&direct, "hi").await;
    ann.create_room("cellar").private().await;
    ann.post("cellar", "secret").await;
    let mut told = BTreeSet::new();
    while told.len() < 4 {
        let event = tab.event("chat.unread.changed").await;
        let rooms = event["event"]["rooms"].as_array().expect("rooms").clone();
        told.extend(rooms.iter().map(ToString::to_string));
    }
    eventually("notices of the mentions", async || {
        let page = bob.page("/inbox").await;
        (page.matches(UNREAD_NOTICE).count() >= 4).then_some(())
    })
    .await;
    // Those of a space alone first, as a form.
    let (here, space) = (format!("/rooms/{}", bob.room("garden")), bob.space.clone());
    let fields = [("space", space.as_str()), ("here", here.as_str())];
    let answer = bob.form("/act/chat.read-all", &fields).await;
    assert_eq!(answer.location(), here);
    let read = tab.event("chat.rooms.read").await["event"]["rooms"].clone();
    assert_eq!(read.as_array().expect("rooms").len(), 3, "{read}");
    let page = bob.page(&format!("/rooms/{}", bob.room("general"))).await;
    assert!(!page.contains("<i class=\"sr\">, unread"), "{page}");
    let done = bob.act("chat.read-all", json!({})).await.done();
    assert_eq!(done["rooms"], 1, "the conversation is left");
    assert_eq!(bob.act("chat.read-all", json!({})).await.done()["rooms"], 0);
    let inbox = bob.page("/inbox").await;
    assert!(!inbox.contains(UNREAD_NOTICE), "{inbox}");
    // Another page than one of this server is not come back to.
    let fields = [("here", "//example.org/")];
    let answer = bob.form("/act/chat.read-all", &fields).await;
    assert_eq!(answer.location(), "/");
    // What comes after it is unread again.
    ann.post("garden", "and another").await;
    let event = tab.event("chat.unread.changed").await;
    assert_eq!(event["event"]["rooms"], json!([bob.room("garden")]));
}
