//! Threads: rooms inside of rooms, with the rights of their room, and an unread mark for those who
//! follow them.

use serde_json::{Value, json};

use crate::support::{Message, Person, Socket, TestServer, eventually, new_key};

/// The thread of a message, which this begins.
pub(crate) async fn thread_of(person: &Person, message: &Message) -> String {
    let begun = person.act("chat.thread", json!({ "message": message.id }));
    let thread = begun.await.done()["thread"].take();
    thread.as_str().expect("a thread").to_owned()
}

/// Replies in the thread of a message.
async fn reply(person: &Person, message: &Message, body: &str) -> Message {
    let fields = json!({ "message": message.id, "body": body, "key": new_key() });
    Message::of(&person.act("chat.thread", fields).await.done()["message"])
}

/// The threads that a person is told to be unread.
async fn unread_threads(person: &Person) -> Vec<String> {
    let unread = person.get("/unread").await.json();
    let rooms = unread.as_array().cloned().unwrap_or_default();
    let threads = rooms.iter().filter(|one| one["thread"] == true);
    let ids = threads.map(|one| one["room"].as_str().expect("a room").to_owned());
    ids.collect()
}

/// Waits until a message shows that its thread has so many replies.
async fn wait_for_replies(socket: &mut Socket, replies: i64) {
    let has = |received: &Value| {
        received["topic"] == "chat.thread.changed" && received["event"]["replies"] == replies
    };
    socket.expect("the number of replies", has).await;
}

#[tokio::test]
async fn message_has_one_thread_however_many_begin_it() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let root = ann.post("general", "**Frost** tonight? 今晚有霜吗").await;
    let (one, other) = tokio::join!(thread_of(&ann, &root), thread_of(&bob, &root));
    assert_eq!(one, other);
    assert_eq!(thread_of(&bob, &root).await, one);
    bob.remember_room("frost", &one);
    let first = reply(&bob, &root, "ใช่ หนาวมาก").await;
    assert_eq!(first.room, one);
    bob.post("frost", "نعم").await;
    assert_eq!(bob.history("frost").await.len(), 2);
    let page = ann.page(&format!("/rooms/{one}")).await;
    for part in [
        "Frost tonight? 今晚有霜吗",
        "ใช่ หนาวมาก",
        &format!("id=\"root-{}\"", root.id),
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    // None grows in it.
    let refused = bob.act("chat.thread", json!({ "message": first.id })).await;
    assert_eq!(refused.code(), "conflict");
    let deleted = ann.post("general", "a mistake").await;
    ann.delete(&deleted).await;
    let refused = bob
        .act("chat.thread", json!({ "message": deleted.id }))
        .await;
    assert_eq!(refused.code(), "conflict");
}

#[tokio::test]
async fn line_of_replies_is_live_and_coalesced() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let root = ann.post("general", "who waters?").await;
    let general = ann.room("general");
    let feed = format!("room/{general}");
    let mut data = bob.following(&feed).await;
    let mut page = bob.html_socket().await;
    page.follow(&feed).await;
    let thread = thread_of(&ann, &root).await;
    reply(&ann, &root, "I do").await;
    wait_for_replies(&mut data, 1).await;
    let frame = page.frame(&format!("id=\"t-{}\"", root.id)).await;
    assert!(frame.contains("1 reply"), "{frame}");
    assert!(frame.contains(&format!("/rooms/{thread}")), "{frame}");
    let mut last = None;
    for n in 0..20 {
        last = Some(reply(&bob, &root, &format!("reply {n}")).await);
    }
    wait_for_replies(&mut data, 21).await;
    let all = page.frame("21 replies").await;
    assert!(all.contains(&format!("#t-{}", root.id)), "{all}");
    let shown = ann.page(&format!("/rooms/{general}")).await;
    assert!(shown.contains("21 replies"), "{shown}");
    // An edit of the message keeps its line, and what was deleted does not count.
    ann.edit(&root, "who waters tomorrow?").await;
    let edited = page.frame("waters tomorrow").await;
    assert!(edited.contains("21 replies"), "{edited}");
    bob.delete(&last.expect("a reply")).await;
    wait_for_replies(&mut data, 20).await;
    // The message goes, its thread stays.
    ann.delete(&root).await;
    let gone = page.frame("data-deleted").await;
    assert!(gone.contains("20 replies"), "{gone}");
    eventually("its text is gone from the title, too", async || {
        let shown = bob.page(&format!("/rooms/{thread}")).await;
        (!shown.contains("who waters")).then_some(())
    })
    .await;
    reply(&bob, &root, "still here").await;
    wait_for_replies(&mut data, 21).await;
    server.assert_undamaged();
}

#[tokio::test]
async fn root_in_an_open_thread_follows_its_message() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let root = ann.post("general", "at five").await;
    let thread = thread_of(&ann, &root).await;
    let mut page = bob.html_socket().await;
    page.follow(&format!("room/{thread}")).await;
    ann.edit(&root, "at six").await;
    let frame = page.frame(&format!("#root-{}", root.id)).await;
    assert!(frame.contains("at six"), "{frame}");
    assert!(frame.contains(&format!("#title-{thread}")), "{frame}");
    let rename = json!({ "thread": thread, "name": "  Meeting\u{202e} 会议 " });
    let refused = bob.act("chat.rename-thread", rename.clone()).await;
    assert_eq!(refused.code(), "forbidden");
    ann.act("chat.rename-thread", rename).await.done();
    page.frame(&format!("#title-{thread}")).await;
    let shown = bob.page(&format!("/rooms/{thread}")).await;
    assert!(shown.contains("Meeting 会议"), "{shown}");
    let blank = json!({ "thread": thread, "name": " " });
    let refused = ann.act("chat.rename-thread", blank).await;
    assert!(refused.problem("name").is_some());
}

#[tokio::test]
async fn thread_is_unread_for_its_followers_only() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let dan = server.member("dan").await;
    let root = ann.post("general", "lunch?").await;
    let general = ann.room("general");
    for person in [&bob, &cem, &dan] {
        let read = json!({ "room": general, "message": root.id });
        person.act("chat.read", read).await.done();
    }
    let feed = |person: &Person| format!("account/{}/unread", person.id);
    let (mut anns, mut cems) = (
        ann.following(&feed(&ann)).await,
        cem.following(&feed(&cem)).await,
    );
    let first = reply(&bob, &root, "yes, @cem?").await;
    let thread = first.room.clone();
    // Ann wrote the message, cem is mentioned, dan neither; bob wrote the reply.
    for socket in [&mut anns, &mut cems] {
        let told = |received: &Value| {
            received["topic"] == "chat.unread.changed"
                && received["event"]["threads"] == json!([thread])
        };
        let event = socket.expect("an unread thread", told).await;
        assert_eq!(event["event"]["rooms"], json!([]), "the room is not marked");
    }
    for (person, expected) in [(&ann, 1), (&cem, 1), (&bob, 0), (&dan, 0)] {
        assert_eq!(
            unread_threads(person).await.len(),
            expected,
            "{}",
            person.name
        );
        let page = person.page("/find").await;
        let (_, link) = page.split_once("id=\"unread-threads\">").expect("a link");
        assert_eq!(link.starts_with("<i"), expected == 1, "{}", person.name);
    }
    let unread = cem.get("/unread").await.json();
    assert_eq!(unread[0]["mentions"], 1, "{unread}");
    // Reading takes the mark away, on every device.
    let read = json!({ "room": thread, "message": first.id });
    cem.act("chat.read", read).await.done();
    cems.event("chat.room.read").await;
    assert_eq!(unread_threads(&cem).await.len(), 0);
    // Dan follows by choice, cem no more.
    let follow = json!({ "thread": thread, "follow": "yes" });
    dan.act("chat.follow-thread", follow).await.done();
    let unfollow = json!({ "thread": thread, "follow": "no" });
    cem.act("chat.follow-thread", unfollow).await.done();
    reply(&ann, &root, "at one").await;
    assert_eq!(unread_threads(&dan).await, [thread.as_str()]);
    assert_eq!(unread_threads(&cem).await.len(), 0);
    let list = dan.page("/threads").await;
    assert!(
        list.contains(&format!("id=\"unread-{thread}\"><i")),
        "{list}"
    );
    assert!(!cem.page("/threads").await.contains(&thread));
    assert!(
        cem.page(&format!("/rooms/{general}/threads"))
            .await
            .contains(&thread)
    );
}

#[tokio::test]
async fn threads_are_listed_by_pages_unread_first() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let general = ann.room("general");
    let mut threads = Vec::new();
    for n in 0..35 {
        let root = ann.post("general", &format!("topic {n}")).await;
        let first = reply(&bob, &root, "a reply").await;
        threads.push(first.room.clone());
        // Of the first five ann has read all.
        if n < 5 {
            let read = json!({ "room": first.room, "message": first.id });
            ann.act("chat.read", read).await.done();
        }
    }
    let order = |page: &str| {
        let mut found: Vec<(usize, usize)> = Vec::new();
        for (n, thread) in threads.iter().enumerate() {
            let at = page.find(&format!("id=\"unread-{thread}\""));
            found.extend(at.map(|at| (at, n)));
        }
        found.sort_unstable();
        found.into_iter().map(|(_, n)| n).collect::<Vec<_>>()
    };
    let first = ann.page("/threads").await;
    assert_eq!(order(&first), (5..35).rev().collect::<Vec<_>>());
    let (_, next) = first
        .split_once("href=\"/threads?from=")
        .expect("a next page");
    let next = next.split('"').next().unwrap_or_default();
    let second = ann.page(&format!("/threads?from={next}")).await;
    assert_eq!(order(&second), (0..5).rev().collect::<Vec<_>>());
    let of_room = bob.page(&format!("/rooms/{general}/threads")).await;
    assert_eq!(order(&of_room), (5..35).rev().collect::<Vec<_>>());
    let (_, next) = of_room.split_once("threads?before=").expect("a next page");
    let next = next.split('"').next().unwrap_or_default();
    let rest = bob
        .page(&format!("/rooms/{general}/threads?before={next}"))
        .await;
    assert_eq!(order(&rest), (0..5).rev().collect::<Vec<_>>());
    bob.get("/threads?from=nonsense").await.expect(404);
}

#[tokio::test]
async fn rights_in_a_thread_are_those_of_its_room() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let den = ann.create_room("den").await;
    let root = ann.post(&den, "plans").await;
    let thread = thread_of(&bob, &root).await;
    reply(&cem, &root, "mine").await;
    cem.remember_room("plans", &thread);
    let feed = format!("room/{thread}");
    let (mut bobs, mut cems) = (bob.following(&feed).await, cem.following(&feed).await);
    // Private: only its members read the thread, open sockets at once.
    let private = json!({ "room": den, "name": "den", "private": "yes", "members": [bob.id] });
    ann.act("community.change-room", private).await.done();
    cems.wait_for("revoked").await;
    eventually("cem reads it no more", async || {
        (cem.get(&format!("/rooms/{thread}/log")).await.status == 404).then_some(())
    })
    .await;
    let refused = cem.try_post("plans", "again", &new_key()).await;
    assert_eq!(refused.code(), "not_found");
    assert_eq!(unread_threads(&cem).await.len(), 0);
    assert!(!cem.page("/threads").await.contains(&thread));
    bob.remember_room("plans", &thread);
    bob.post("plans", "only us").await;
    // Archived: nobody writes.
    ann.act(
        "community.archive-room",
        json!({ "room": den, "archive": "yes" }),
    )
    .await
    .done();
    eventually("nobody writes", async || {
        let refused = bob.try_post("plans", "too late", &new_key()).await;
        (refused.status == 409).then_some(())
    })
    .await;
    // It has no settings of its own.
    ann.get(&format!("/rooms/{thread}/settings"))
        .await
        .expect(404);
    let change = json!({ "room": thread, "name": "mine", "members": [] });
    assert_eq!(
        ann.act("community.change-room", change).await.code(),
        "not_found"
    );
    for action in ["community.archive-room", "community.delete-room"] {
        let fields = json!({ "room": thread, "archive": "yes" });
        let refused = ann.act(action, fields).await;
        assert_eq!(refused.code(), "not_found", "{action}");
    }
    // Deleted with its room: gone at once, and told where it went.
    ann.act("community.delete-room", json!({ "room": den }))
        .await
        .done();
    bobs.wait_for("revoked").await;
    eventually("it is closed", async || {
        (bob.get(&format!("/rooms/{thread}/log")).await.status == 404).then_some(())
    })
    .await;
    let to = bob.get(&format!("/rooms/{thread}")).await.expect(303);
    assert_eq!(to.location(), format!("/rooms/{den}/closed"));
}

#[tokio::test]
async fn banned_member_loses_open_threads() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let root = ann.post("general", "hello").await;
    let thread = thread_of(&bob, &root).await;
    let mut bobs = bob.following(&format!("room/{thread}")).await;
    let ban = json!({ "space": ann.space, "account": bob.id, "reason": "" });
    ann.act("community.ban", ban).await.done();
    bobs.wait_for("revoked").await;
    eventually("bob reads it no more", async || {
        (bob.get(&format!("/rooms/{thread}/log")).await.status == 404).then_some(())
    })
    .await;
}

#[tokio::test]
async fn thread_permission_is_needed_to_begin_one() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let general = ann.room("general");
    let (one, other) = (
        ann.post("general", "one").await,
        ann.post("general", "other").await,
    );
    thread_of(&ann, &one).await;
    let deny = json!({ "room": general, "subject": "everyone", "chat.thread": "deny" });
    ann.act("community.set-room-permissions", deny).await.done();
    eventually("bob begins none", async || {
        let refused = bob.act("chat.thread", json!({ "message": other.id })).await;
        (refused.status == 403).then_some(())
    })
    .await;
    // In one that there is he writes as in the room.
    reply(&bob, &one, "here").await;
}

#[tokio::test]
async fn slow_mode_counts_a_room_with_its_threads() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let root = ann.post("general", "slowly").await;
    let slow = json!({ "room": ann.room("general"), "seconds": "3600" });
    ann.act("community.set-slow-mode", slow).await.done();
    eventually("the room is slow", async || {
        let page = bob.page(&format!("/rooms/{}", bob.room("general"))).await;
        page.contains("data-slow=\"3600\"").then_some(())
    })
    .await;
    let first = reply(&bob, &root, "one").await;
    bob.remember_room("thread", &first.room);
    for room in ["thread", "general"] {
        let refused = bob.try_post(room, "two", &new_key()).await;
        assert_eq!(refused.status, 429, "{room}: {}", refused.body);
    }
    let page = bob.page(&format!("/rooms/{}", first.room)).await;
    assert!(page.contains("data-slow-until"), "{page}");
}

#[tokio::test]
async fn threads_are_no_rooms_in_lists_and_are_found_by_search() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let root = ann.post("general", "zebracrossing").await;
    let thread = thread_of(&ann, &root).await;
    let answer = reply(&bob, &root, "over there, 斑马线").await;
    for path in [
        format!("/spaces/{}", ann.space),
        format!("/spaces/{}/rooms", ann.space),
        "/find?q=zebra".to_owned(),
        format!("/spaces/{}/settings", ann.space),
    ] {
        let page = ann.page(&path).await;
        assert!(!page.contains(&format!("/rooms/{thread}\"")), "{path}");
    }
    // A room may have the same name.
    ann.create_room("zebracrossing").await;
    eventually("the reply is found", async || {
        let answer = bob.act("search.find", json!({ "q": "斑马" })).await.done();
        let place = answer["found"][0]["place"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        (place == "general › zebracrossing").then_some(())
    })
    .await;
    let found = bob
        .act("search.find", json!({ "q": "斑马 in:general" }))
        .await
        .done();
    assert_eq!(found["found"].as_array().map(Vec::len), Some(1), "{found}");
    let to = bob
        .get(&format!("/messages/{}", answer.id))
        .await
        .expect(303);
    assert!(to.location().starts_with(&format!("/rooms/{thread}?at=")));
    // Who is no member finds nothing.
    let eve = server.stranger("eve").await;
    let none = eve.act("search.find", json!({ "q": "斑马" })).await.done();
    assert_eq!(none["found"].as_array().map(Vec::len), Some(0), "{none}");
}

#[tokio::test]
async fn threads_of_conversations_belong_to_their_people() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let talk = ann.direct(&[&bob]).await;
    let root = ann.post(&talk, "between us").await;
    let thread = thread_of(&bob, &root).await;
    reply(&bob, &root, "yes").await;
    assert_eq!(unread_threads(&ann).await, [thread.as_str()]);
    cem.get(&format!("/rooms/{thread}")).await.expect(404);
    let refused = cem.act("chat.thread", json!({ "message": root.id })).await;
    assert_eq!(refused.code(), "not_found");
    // A block closes the thread with the conversation.
    let block = json!({ "account": ann.id, "kind": "block" });
    bob.act("community.block", block).await.done();
    ann.remember_room("thread", &thread);
    eventually("it is closed", async || {
        let refused = ann.try_post("thread", "hello?", &new_key()).await;
        (refused.status == 409).then_some(())
    })
    .await;
    server.assert_undamaged();
}

#[tokio::test]
async fn thread_is_begun_and_followed_without_scripts() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let root = ann.post("general", "Kuchen?").await;
    let path = format!("/messages/{}/thread", root.id);
    let form = bob.page(&path).await;
    assert!(
        form.contains("Kuchen?") && form.contains("/act/chat.thread"),
        "{form}"
    );
    let long = "x".repeat(4001);
    let long = [("message", root.id.as_str()), ("body", long.as_str())];
    let refused = bob.form_from(&path, "/act/chat.thread", &long).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(
        refused.body.contains(&"x".repeat(4001)),
        "what was written is kept"
    );
    let fields = [("message", root.id.as_str()), ("body", "ja, gern")];
    let to = bob
        .form_from(&path, "/act/chat.thread", &fields)
        .await
        .expect(303);
    let thread = to
        .location()
        .split(['/', '#'])
        .nth(2)
        .unwrap_or_default()
        .to_owned();
    // Sent twice, it is posted once.
    bob.form_from(&path, "/act/chat.thread", &fields)
        .await
        .expect(303);
    bob.remember_room("thread", &thread);
    assert_eq!(bob.history("thread").await.len(), 1);
    bob.get(&path).await.expect(303);
    let page = bob.page(&format!("/rooms/{thread}")).await;
    for part in [
        "ja, gern",
        "Unfollow",
        "/act/chat.follow-thread",
        "Back to the message",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let stop = [("thread", thread.as_str()), ("follow", "no")];
    bob.form("/act/chat.follow-thread", &stop).await.expect(303);
    let page = bob.page(&format!("/rooms/{thread}")).await;
    assert!(page.contains(">Follow<"), "{page}");
    // The same thread beside its room; one of another room is left out.
    let general = ann.room("general");
    let beside = bob.page(&format!("/rooms/{general}?thread={thread}")).await;
    assert!(beside.contains("class=\"pane thread\""), "{beside}");
    let den = ann.create_room("den").await;
    let none = bob.page(&format!("/rooms/{den}?thread={thread}")).await;
    assert!(!none.contains("class=\"pane thread\""), "{none}");
}

#[tokio::test]
async fn erased_room_takes_its_threads_along() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let den = ann.create_room("den").await;
    let root = ann.post(&den, "old plans").await;
    reply(&ann, &root, "older answer").await;
    ann.act("community.delete-room", json!({ "room": den }))
        .await
        .done();
    super::deletion::pass_a_week(&mut server, &["rooms"]).await;
    let left = "SELECT (SELECT COUNT(*) FROM chat_threads) + \
        (SELECT COUNT(*) FROM chat_thread_followers) + \
        (SELECT COUNT(*) FROM messages WHERE body LIKE 'old%') + \
        (SELECT COUNT(*) FROM rooms WHERE parent_id IS NOT NULL)";
    super::deletion::wait_until_erased(&server, left).await;
    server.assert_undamaged();
}
