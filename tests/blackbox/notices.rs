//! Notices: who is told of what, the inbox, the number in every page, levels and quiet hours.

use serde_json::{Value, json};

use super::roles::role;
use super::threads::thread_of;
use crate::support::{Person, Socket, TestServer, eventually, text};

/// A JSON socket that is told when somebody's inbox changes.
async fn watching(person: &Person) -> Socket {
    person
        .following(&format!("account/{}/inbox", person.id))
        .await
}

/// Waits until so many notices are unread; the event.
async fn wait_for_unread(socket: &mut Socket, unread: i64) -> Value {
    loop {
        let event = socket.event("notices.inbox.changed").await["event"].take();
        if event["unread"] == unread {
            return event;
        }
    }
}

/// The texts of the inbox, newest first, each with whether it is unread.
async fn inbox(person: &Person) -> Vec<(String, bool)> {
    let list = person.fragment("/inbox/list").await.body;
    let mut found = Vec::new();
    for item in list.split("<li id=\"notice-").skip(1) {
        let item = item.split("</li>").next().expect("an end");
        let text = item.split("<span class=\"text\" dir=\"auto\">").nth(1);
        let text = text.map_or("", |rest| rest.split("</span>").next().expect("an end"));
        let is_unread = item.split('>').next().expect("a tag").contains("unread");
        found.push((text.to_owned(), is_unread));
    }
    found
}

async fn texts(person: &Person) -> Vec<String> {
    let inbox = inbox(person).await.into_iter();
    inbox.map(|(text, _)| text).collect()
}

/// The number beside the inbox in the sidebar; empty for none.
async fn shown_number(person: &Person) -> String {
    let page = person.page("/find").await;
    let (_, rest) = page.split_once("id=\"mentions-inbox\">").expect("a place");
    let rest = rest.split("</a>").next().expect("an end");
    match rest.split_once("aria-hidden=\"true\">") {
        Some((_, number)) => number.split('<').next().unwrap_or_default().to_owned(),
        None => String::new(),
    }
}

async fn set_level(person: &Person, scope: (&str, &str), level: &str) {
    let (kind, id) = scope;
    let fields = json!({ kind: id, "level": level });
    person.act("notices.set-level", fields).await.done();
}

/// The id of the newest unread notice.
async fn newest(person: &Person) -> String {
    let list = person.fragment("/inbox/list").await.body;
    let (_, rest) = list
        .split_once("name=\"notice\" value=\"")
        .expect("a notice");
    rest.split('"').next().expect("an id").to_owned()
}

#[tokio::test]
async fn mention_is_told_and_read_on_every_device() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let (mut phone, mut laptop) = (watching(&bob).await, watching(&bob).await);
    let mut page = bob.html_socket().await;
    page.follow(&format!("account/{}/unread", bob.id)).await;
    let message = ann.post("general", "hi @bob").await;
    for socket in [&mut phone, &mut laptop] {
        wait_for_unread(socket, 1).await;
    }
    let frame = page.frame("#mentions-inbox").await;
    assert!(frame.contains("1 unread notice"), "{frame}");
    assert_eq!(inbox(&bob).await, [("hi @bob".to_owned(), true)]);
    assert_eq!(shown_number(&bob).await, "1");
    let list = bob.page("/inbox").await;
    assert!(list.contains("ann mentioned you"), "{list}");
    assert!(list.contains("1 unread notice"), "{list}");
    let opened = format!("/inbox/{}", newest(&bob).await);
    assert!(list.contains(&format!("href=\"{opened}\"")), "{list}");
    ann.get(&opened).await.expect(404);
    // Nobody is told of their own.
    assert_eq!(inbox(&ann).await, []);
    let read = json!({ "room": bob.room("general"), "message": message.id });
    bob.act("chat.read", read).await.done();
    for socket in [&mut phone, &mut laptop] {
        wait_for_unread(socket, 0).await;
    }
    assert_eq!(inbox(&bob).await, [("hi @bob".to_owned(), false)]);
    assert_eq!(shown_number(&bob).await, "");
    server.assert_undamaged();
}

#[tokio::test]
async fn levels_decide_what_of_a_room_is_told() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let general = ann.room("general");
    let gardeners = role(&ann, "Gardeners", &[]).await;
    let give = json!({ "space": ann.space, "account": bob.id, "role": gardeners, "give": "yes" });
    ann.act("community.give-role", give).await.done();
    let group = json!({ "space": ann.space, "name": "Owls", "open": "yes" });
    let group = ann.act("community.create-group", group).await.done()["group"].take();
    let join = json!({ "space": ann.space, "group": group, "join": "yes" });
    bob.act("community.join-group", join).await.done();
    let mut socket = watching(&bob).await;
    eventually("bob is here", async || {
        let people = ann.page(&format!("/spaces/{}/people", ann.space)).await;
        let tag = text::tag_with_id(&people, &format!("person-{}-{}", ann.space, bob.id));
        tag.contains("data-state=\"here\"").then_some(())
    })
    .await;
    let calls = ["@bob", "@gardeners", "@Owls", "@here", "@room"];
    let plain = "nobody";
    let (room, space) = (("room", &*general), ("space", &*bob.space));
    // Levels of the space and of the room, and whether calls and plain messages are told.
    for (of_space, of_room, is_called, is_all) in [
        ("", "", true, false),
        ("", "all", true, true),
        ("", "mentions", true, false),
        ("", "nothing", false, false),
        ("", "hidden", false, false),
        ("all", "", true, true),
        ("all", "mentions", true, false),
        ("nothing", "", false, false),
        ("nothing", "all", true, true),
    ] {
        let what = format!("{of_space:?} {of_room:?}");
        bob.act("notices.read-all", json!({})).await.done();
        set_level(&bob, space, of_space).await;
        set_level(&bob, room, of_room).await;
        let mut expected = Vec::new();
        for body in calls.into_iter().chain([plain]) {
            ann.post("general", body).await;
            if (body == plain && is_all) || (body != plain && is_called) {
                expected.push(body.to_owned());
            }
        }
        // What is told in any case comes last.
        let conversation = ann.direct(&[&bob]).await;
        ann.post(&conversation, &format!("done {what}")).await;
        wait_for_unread(&mut socket, expected.len() as i64 + 1).await;
        let mut told = texts(&bob).await;
        told.truncate(expected.len() + 1);
        assert_eq!(told.remove(0), format!("done {what}").replace('"', "&#34;"));
        told.reverse();
        assert_eq!(told, expected, "{what}");
        let read = ann.history(&conversation).await;
        let read = json!({ "room": conversation, "message": read.last().expect("one").id });
        bob.act("chat.read", read).await.done();
        bob.act("notices.read-all", json!({})).await.done();
        wait_for_unread(&mut socket, 0).await;
    }
}

#[tokio::test]
async fn threads_have_the_level_of_their_room() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    ann.create_room("garden").await;
    let root = ann.post("general", "who waters what").await;
    let thread = thread_of(&ann, &root).await;
    ann.remember_room("waters", &thread);
    let mut socket = watching(&bob).await;
    set_level(&bob, ("room", &bob.room("general")), "nothing").await;
    ann.post("waters", "@bob in a thread of a muted room").await;
    ann.post("garden", "@bob in a room").await;
    wait_for_unread(&mut socket, 1).await;
    assert_eq!(texts(&bob).await, ["@bob in a room"]);
}

#[tokio::test]
async fn conversation_is_told_unless_its_level_is_less() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let conversation = ann.direct(&[&bob]).await;
    let room = ("room", &*conversation);
    let mut socket = watching(&bob).await;
    ann.post(&conversation, "one").await;
    wait_for_unread(&mut socket, 1).await;
    let list = bob.page("/inbox").await;
    assert!(list.contains("ann wrote to you"), "{list}");
    set_level(&bob, room, "mentions").await;
    ann.post(&conversation, "two").await;
    ann.post(&conversation, "three, @bob").await;
    wait_for_unread(&mut socket, 2).await;
    set_level(&bob, room, "nothing").await;
    ann.post(&conversation, "four, @bob").await;
    ann.post("general", "five, @bob").await;
    wait_for_unread(&mut socket, 3).await;
    assert_eq!(texts(&bob).await, ["five, @bob", "three, @bob", "one"]);
}

#[tokio::test]
async fn quiet_hours_and_busy_draw_no_attention() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut socket = watching(&bob).await;
    let hours = async |from: &str, to: &str| {
        let fields = json!({ "from": from, "to": to });
        bob.act("notices.set-quiet-hours", fields).await
    };
    for (from, to) in [("22", "07:00"), ("", "07:00"), ("22:00", "24:00")] {
        hours(from, to).await.expect(422);
    }
    // Of a whole day, in whatever zone.
    hours("08:30", "08:30").await.done();
    let page = bob.page("/account/notices").await;
    assert!(page.contains("value=\"08:30\""), "{page}");
    ann.post("general", "@bob sleeps").await;
    let event = wait_for_unread(&mut socket, 1).await;
    assert_eq!(event["newest"], 0, "{event}");
    assert_eq!(bob.get("/inbox/newest").await.json(), json!([]));
    assert_eq!(shown_number(&bob).await, "1");
    hours("", "").await.done();
    let busy = json!({ "presence": "busy", "ends": "" });
    bob.act("community.set-presence", busy).await.done();
    ann.post("general", "@bob works").await;
    let event = wait_for_unread(&mut socket, 2).await;
    assert_eq!(event["newest"], 0, "{event}");
    let free = json!({ "presence": "automatic", "ends": "" });
    bob.act("community.set-presence", free).await.done();
    ann.post("general", "@bob is up").await;
    let event = wait_for_unread(&mut socket, 3).await;
    let newest = bob.get("/inbox/newest").await.json();
    let newest = newest.as_array().expect("a list");
    assert_eq!(newest.len(), 1, "{newest:?}");
    assert_eq!(newest[0]["title"], "ann mentioned you");
    assert_eq!(newest[0]["body"], "@bob is up");
    assert_eq!(newest[0]["id"], event["newest"].to_string());
    let after = format!("/inbox/newest?after={}", event["newest"]);
    assert_eq!(bob.get(&after).await.json(), json!([]));
}

#[tokio::test]
async fn who_is_blocked_or_ignored_tells_nobody() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let mut socket = watching(&bob).await;
    for kind in ["block", "ignore"] {
        let fields = json!({ "account": cem.id, "kind": kind });
        bob.act("community.block", fields).await.done();
        cem.post("general", "@bob, hey").await;
    }
    ann.post("general", "@bob, tea?").await;
    wait_for_unread(&mut socket, 1).await;
    assert_eq!(texts(&bob).await, ["@bob, tea?"]);
}

#[tokio::test]
async fn lost_access_takes_notices_away() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let den = ann.create_room("den").private().with(&[&bob, &cem]).await;
    let (mut of_bob, mut of_cem) = (watching(&bob).await, watching(&cem).await);
    ann.post(&den, "@bob, before").await;
    wait_for_unread(&mut of_bob, 1).await;
    // Bob is out when the second one is delivered, or soon after.
    ann.post(&den, "@room, secret").await;
    let change = json!({ "room": den, "name": "den", "private": "yes", "members": [cem.id] });
    ann.act("community.change-room", change).await.done();
    wait_for_unread(&mut of_cem, 1).await;
    ann.post("general", "@bob, tea?").await;
    loop {
        let found = texts(&bob).await;
        assert!(
            !found.iter().any(|text| text.contains("secret")),
            "{found:?}"
        );
        assert!(
            !found.iter().any(|text| text.contains("before")),
            "{found:?}"
        );
        if found == ["@bob, tea?"] {
            break;
        }
        of_bob.event("notices.inbox.changed").await;
    }
    eventually("one is left", async || {
        (shown_number(&bob).await == "1").then_some(())
    })
    .await;
    assert_eq!(texts(&cem).await, ["@room, secret"]);
    assert!(!bob.get("/inbox/newest").await.body.contains("secret"));
}

#[tokio::test]
async fn deleted_message_leaves_inboxes_and_edited_is_current() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut socket = watching(&bob).await;
    let first = ann.post("general", "@bob one").await;
    wait_for_unread(&mut socket, 1).await;
    let second = ann.post("general", "two").await;
    ann.edit(&second, "two, @bob").await;
    wait_for_unread(&mut socket, 2).await;
    // Told once, with the text as it is now.
    ann.edit(&first, "@bob 1").await;
    assert_eq!(texts(&bob).await, ["two, @bob", "@bob 1"]);
    ann.delete(&second).await;
    wait_for_unread(&mut socket, 1).await;
    assert_eq!(texts(&bob).await, ["@bob 1"]);
}

#[tokio::test]
async fn notices_are_marked_as_read_one_by_one_or_all() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let mut socket = watching(&bob).await;
    for text in ["one @bob", "two @bob", "three @bob"] {
        ann.post("general", text).await;
    }
    wait_for_unread(&mut socket, 3).await;
    let id = newest(&bob).await;
    // Nobody marks those of others.
    cem.act("notices.read", json!({ "notice": id }))
        .await
        .done();
    let answer = bob.form("/act/notices.read", &[("notice", &id)]).await;
    assert_eq!(answer.location(), "/inbox");
    wait_for_unread(&mut socket, 2).await;
    let unread = inbox(&bob).await;
    let flags: Vec<bool> = unread.iter().map(|(_, is_unread)| *is_unread).collect();
    assert_eq!(flags, [false, true, true]);
    bob.form("/act/notices.read-all", &[]).await;
    wait_for_unread(&mut socket, 0).await;
    // Opening one marks it, too.
    ann.post("general", "four @bob").await;
    wait_for_unread(&mut socket, 1).await;
    let opened = bob.get(&format!("/inbox/{}", newest(&bob).await)).await;
    assert!(opened.location().starts_with("/messages/"));
    wait_for_unread(&mut socket, 0).await;
    // The messages themselves are still unread in their room.
    assert_eq!(bob.get("/unread").await.json()[0]["mentions"], 4);
}

#[tokio::test]
async fn inbox_comes_in_pages() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut socket = watching(&bob).await;
    for number in 1..=31 {
        ann.post("general", &format!("@bob {number}")).await;
    }
    wait_for_unread(&mut socket, 31).await;
    assert_eq!(texts(&bob).await.len(), 30);
    let page = bob.page("/inbox").await;
    let (_, next) = page
        .split_once("href=\"/inbox?before=")
        .expect("a next page");
    let next = next.split('"').next().expect("an id");
    let last = bob.page(&format!("/inbox?before={next}")).await;
    assert!(last.contains(">@bob 1</span>"), "{last}");
    assert!(!last.contains("/inbox?before="), "{last}");
}

#[tokio::test]
async fn answer_to_an_application_is_told() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let dan = server.stranger("dan").await;
    let mut socket = watching(&dan).await;
    let mode = json!({ "space": ann.space, "mode": "approval", "password": "" });
    ann.act("community.set-joining", mode).await.done();
    let apply = json!({ "space": ann.space, "words": "" });
    dan.act("community.apply", apply).await.done();
    let page = ann
        .page(&format!("/spaces/{}/applications", ann.space))
        .await;
    let (_, rest) = page.split_once("id=\"application-").expect("one");
    let request = rest.split('"').next().expect("an id");
    let accept = json!({ "space": ann.space, "request": request, "accept": "yes", "answer": "" });
    ann.act("community.answer-application", accept).await.done();
    wait_for_unread(&mut socket, 1).await;
    let page = dan.page("/inbox").await;
    assert!(page.contains("You were accepted into a space"), "{page}");
    assert!(
        !page.contains("data-account"),
        "who did it is not told: {page}"
    );
}

#[tokio::test]
async fn muted_rooms_are_marked_and_hidden_ones_listed_when_they_call() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let garden = ann.create_room("garden").await;
    let link = format!("id=\"room-link-{garden}\"");
    let (space, general) = (format!("/spaces/{}", bob.space), bob.room("general"));
    let sidebar = async || {
        bob.fragment(&format!("/sidebar?here=/rooms/{general}"))
            .await
            .body
    };
    bob.page(&space).await;
    assert!(sidebar().await.contains(&link));
    set_level(&bob, ("room", &garden), "nothing").await;
    let muted = format!("{link} data-room=\"{garden}\"\n  data-muted");
    assert!(sidebar().await.contains(&muted));
    ann.post(&garden, "the frost came").await;
    let unread = bob.get("/unread").await.json();
    assert!(!unread.to_string().contains(&garden), "{unread}");
    set_level(&bob, ("room", &garden), "hidden").await;
    assert!(!sidebar().await.contains(&link));
    let page = bob.page("/account/notices").await;
    assert!(
        page.contains(&format!("href=\"/rooms/{garden}/notices\"")),
        "{page}"
    );
    let message = ann.post(&garden, "@bob, look").await;
    assert!(sidebar().await.contains(&link));
    assert!(texts(&bob).await.is_empty());
    let read = json!({ "room": garden, "message": message.id });
    bob.act("chat.read", read).await.done();
    assert!(!sidebar().await.contains(&link));
    set_level(&bob, ("room", &garden), "").await;
    assert!(sidebar().await.contains(&link));
    for level in ["some", "ALL"] {
        let fields = json!({ "room": garden, "level": level });
        bob.act("notices.set-level", fields).await.expect(422);
    }
    let both = json!({ "room": garden, "space": bob.space, "level": "all" });
    bob.act("notices.set-level", both).await.expect(422);
}

#[tokio::test]
async fn notices_in_every_script_are_whole() {
    let server = TestServer::start().await;
    let ann = server.owner("田中").await;
    let names = ["王小明", "محمد", "สมชาย", "Наталия", "हरिदास"];
    let texts_of = [
        "你好，今天下雨",
        "مرحبا، كيف حالك",
        "สวัสดีตอนเช้า",
        "привет, как дела",
        "नमस्ते 🌧️👩‍🌾",
    ];
    for (name, text) in names.into_iter().zip(texts_of) {
        let person = server.member(name).await;
        let mut socket = watching(&person).await;
        let text = format!("@{name} {text}");
        ann.post("general", &text).await;
        wait_for_unread(&mut socket, 1).await;
        assert_eq!(texts(&person).await, std::slice::from_ref(&text));
        let newest = person.get("/inbox/newest").await.json();
        assert_eq!(newest[0]["title"], "田中 mentioned you");
        assert_eq!(newest[0]["body"], text);
    }
    // A long text ends between characters.
    let bob = server.member("bob").await;
    let mut socket = watching(&bob).await;
    ann.post("general", &format!("@bob {}", "雨".repeat(500)))
        .await;
    wait_for_unread(&mut socket, 1).await;
    let newest = bob.get("/inbox/newest").await.json();
    let body = newest[0]["body"].as_str().expect("a text");
    assert!(body.len() <= 300 && body.ends_with('雨'), "{body}");
}

#[tokio::test]
async fn old_notices_and_those_past_a_thousand_are_deleted() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut socket = watching(&bob).await;
    ann.post("general", "@bob, now").await;
    wait_for_unread(&mut socket, 1).await;
    let db = server.database();
    // One from 2024, and more than a thousand of the last days.
    db.execute(
        "INSERT INTO notices (id, kind, item, href, text, recipients) \
         SELECT 1, 'community.join-declined', 1, '/', 'old', '[]'; ",
    )
    .await;
    db.execute(&format!(
        "INSERT INTO notice_recipients (account_id, item, notice_id, is_quiet) \
         VALUES ({}, 1, 1, FALSE)",
        bob.id
    ))
    .await;
    let before = "(SELECT MIN(item) FROM notices WHERE item > 1)";
    db.execute(&format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200) \
         INSERT INTO notices (id, kind, item, href, text, recipients) \
         SELECT {before} - i, 'community.join-declined', {before} - i, '/', 'x', '[]' FROM n"
    ))
    .await;
    db.execute(&format!(
        "INSERT INTO notice_recipients (account_id, item, notice_id, is_quiet) \
         SELECT {}, item, id, FALSE FROM notices WHERE text = 'x'",
        bob.id
    ))
    .await;
    db.execute("UPDATE job_schedules SET next_at = 0 WHERE name = 'notices.trim'")
        .await;
    server.restart().await;
    let db = server.database();
    let count = "SELECT COUNT(*) FROM notice_recipients";
    eventually("a trimmed inbox", async || {
        let old = db.number("SELECT COUNT(*) FROM notices WHERE id = 1").await;
        let is_trimmed = db.number(count).await == Some(1000) && old == Some(0);
        is_trimmed.then_some(())
    })
    .await;
    assert_eq!(texts(&bob).await[0], "@bob, now");
}

#[tokio::test]
async fn room_call_of_five_thousand_tells_each_once() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let db = server.database();
    let copied = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)";
    db.execute(&format!(
        "{copied} INSERT INTO accounts (id, name, name_key, email, email_key, password, created_at) \
         SELECT i, 'crowd' || i, 'crowd' || i, 'c' || i, 'c' || i, '', 0 FROM n"
    ))
    .await;
    db.execute(&format!(
        "{copied} INSERT INTO members (space_id, account_id, role, joined_at) \
         SELECT {}, i, 'member', 0 FROM n",
        ann.space
    ))
    .await;
    server.restart().await;
    let mut socket = watching(&bob).await;
    let begun = std::time::Instant::now();
    ann.post("general", "@room, rain").await;
    let took = begun.elapsed();
    wait_for_unread(&mut socket, 1).await;
    let db = server.database();
    let told = "SELECT COUNT(*) FROM notice_recipients";
    eventually("5,001 who are told", async || {
        (db.number(told).await == Some(5_001)).then_some(())
    })
    .await;
    eprintln!(
        "the post took {took:?}, all were told after {:?}",
        begun.elapsed()
    );
    assert_eq!(db.number("SELECT COUNT(*) FROM notices").await, Some(1));
    // Several calls in a row are one frame, and a second one counts them all.
    for _ in 0..5 {
        ann.post("general", "@bob").await;
    }
    wait_for_unread(&mut socket, 6).await;
}
