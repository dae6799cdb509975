//! Mentions: whom a message calls, who counts it, and who is offered by the completion.

use serde_json::{Value, json};

use super::roles::role;
use crate::support::{Person, Socket, TestServer, text};

/// Waits until an account is told that so many unread messages of a room mention it.
async fn wait_for_count(socket: &mut Socket, room: &str, count: i64) {
    loop {
        let event = socket.event("chat.unread.changed").await["event"].take();
        let counts = event["mentions"].as_array().expect("a list of counts");
        let found = counts.iter().find(|one| one["room"] == room);
        if found.is_some_and(|one| one["count"] == count) {
            return;
        }
    }
}

/// The number of unread mentions that a person's sidebar shows beside a room; empty for none.
async fn shown_count(person: &Person, room: &str) -> String {
    let page = person.page("/find").await;
    let (_, rest) = page
        .split_once(&format!("id=\"mentions-{room}\">"))
        .expect("a place for the number");
    let rest = rest.split("</a>").next().expect("an end");
    match rest.split_once("aria-hidden=\"true\">") {
        Some((_, number)) => number.split('<').next().unwrap_or_default().to_owned(),
        None => String::new(),
    }
}

/// The message as others see it in the room's page.
async fn shown(person: &Person, room: &str, id: &str) -> String {
    let page = person.page(&format!("/rooms/{}", person.room(room))).await;
    let (_, rest) = page
        .split_once(&format!("id=\"m-{id}\""))
        .expect("the message");
    rest.split("</li>").next().unwrap_or_default().to_owned()
}

async fn set_role(by: &Person, to: &Person, role: &str) {
    let fields = json!({ "space": by.space, "account": to.id, "role": role, "give": "yes" });
    by.act("community.give-role", fields).await.done();
}

#[tokio::test]
async fn mention_counts_until_edited_deleted_or_read() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let general = bob.room("general");
    let feed = format!("account/{}/unread", bob.id);
    let (mut phone, mut laptop) = (bob.following(&feed).await, bob.following(&feed).await);
    let mut page = bob.html_socket().await;
    page.follow(&feed).await;
    let first = ann.post("general", "hi @bob").await;
    for socket in [&mut phone, &mut laptop] {
        wait_for_count(socket, &general, 1).await;
    }
    let frame = page.frame(&format!("#mentions-{general}")).await;
    assert!(frame.contains("1 mention"), "{frame}");
    let second = ann.post("general", "and @BOB, too").await;
    wait_for_count(&mut phone, &general, 2).await;
    assert_eq!(shown_count(&bob, &general).await, "2");
    assert_eq!(shown_count(&ann, &general).await, "");
    ann.edit(&second, "and nobody").await;
    wait_for_count(&mut phone, &general, 1).await;
    ann.delete(&first).await;
    wait_for_count(&mut phone, &general, 0).await;
    assert_eq!(shown_count(&bob, &general).await, "");
    let last = ann.edit(&second, "@bob after all").await;
    wait_for_count(&mut phone, &general, 1).await;
    assert_eq!(shown_count(&bob, &general).await, "1");
    let read = json!({ "room": general, "message": last.id });
    bob.act("chat.read", read).await.done();
    phone.event("chat.room.read").await;
    assert_eq!(shown_count(&bob, &general).await, "");
    let unread = bob.get("/unread").await.json();
    assert_eq!(unread, json!([]));
}

#[tokio::test]
async fn names_of_any_script_and_with_spaces_are_mentioned() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let mut people = Vec::new();
    for name in ["王小明", "Zoë Lind", "محمد", "Наталия", "นก", "O'Neil"] {
        people.push(server.member(name).await);
    }
    let body = "你好@王小明在吗, @zoë lind! @محمد @наталия (@นก) @O'Neil's me@ann `@Наталия`";
    let message = ann.post("general", body).await;
    let html = shown(&ann, "general", &message.id).await;
    for person in &people {
        let link = format!(
            "data-account=\"{}\" href=\"/people/{}\"",
            person.id, person.id
        );
        assert_eq!(html.matches(&link).count(), 1, "{}: {html}", person.name);
        assert_eq!(shown_count(person, &ann.room("general")).await, "1");
    }
    assert_eq!(html.matches("class=\"mention\"").count(), people.len());
    // The name that is shown is the present one.
    let profile = json!({ "display_name": "Snow" });
    people[3].act("community.set-profile", profile).await.done();
    let html = shown(&ann, "general", &message.id).await;
    assert!(html.contains(">@Snow</a>"), "{html}");
}

#[tokio::test]
async fn who_cannot_read_the_room_is_not_mentioned() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, eve) = (server.member("bob").await, server.member("eve").await);
    let den = ann.create_room("den").private().with(&[&bob]).await;
    let message = ann.post(&den, "@bob and @eve").await;
    bob.remember_room("den", &den);
    let html = shown(&bob, "den", &message.id).await;
    assert!(
        html.contains(&format!("data-account=\"{}\"", bob.id)),
        "{html}"
    );
    assert!(html.contains("and @eve"), "{html}");
    let offered = async |query: &str| {
        let path = format!("/rooms/{den}/mentionable?q={query}");
        ann.get(&path).await.json()
    };
    assert!(!offered("e").await.to_string().contains("\"eve\""));
    assert_eq!(offered("bo").await[0]["name"], "bob");
    eve.get(&format!("/rooms/{den}/mentionable"))
        .await
        .expect(404);
    assert!(!eve.page("/mentions").await.contains("@bob"));
}

#[tokio::test]
async fn many_are_mentioned_only_with_the_permission() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let general = ann.room("general");
    let gardeners = role(&ann, "Gardeners", &[]).await;
    set_role(&ann, &bob, &gardeners).await;
    let group = json!({ "space": ann.space, "name": "Night owls", "open": "yes" });
    let group = ann.act("community.create-group", group).await.done()["group"].take();
    let join = json!({ "space": ann.space, "group": group, "join": "yes" });
    bob.act("community.join-group", join).await.done();
    let body = "@gardeners @Night Owls @here @room";
    let refused = cem.post("general", body).await;
    let html = shown(&ann, "general", &refused.id).await;
    assert!(!html.contains("class=\"mention\""), "{html}");
    assert_eq!(shown_count(&bob, &general).await, "");
    let offered = cem
        .get(&format!("/rooms/{general}/mentionable"))
        .await
        .json();
    let kinds = |found: &Value| -> Vec<String> {
        let found = found.as_array().expect("a list").iter();
        found
            .map(|one| one["kind"].as_str().expect("a kind").to_owned())
            .collect()
    };
    assert!(
        kinds(&offered).iter().all(|kind| kind == "account"),
        "{offered}"
    );
    let offered = ann
        .get(&format!("/rooms/{general}/mentionable"))
        .await
        .json();
    for kind in ["account", "role", "group", "everyone"] {
        assert!(
            kinds(&offered).iter().any(|one| one == kind),
            "{kind}: {offered}"
        );
    }
    ann.post("general", "@Gardeners: rain").await;
    assert_eq!(shown_count(&bob, &general).await, "1");
    assert_eq!(shown_count(&cem, &general).await, "");
    ann.post("general", "@night owls wake up").await;
    assert_eq!(shown_count(&bob, &general).await, "2");
    let message = ann.post("general", "@room: tea").await;
    assert_eq!(shown_count(&bob, &general).await, "3");
    assert_eq!(shown_count(&cem, &general).await, "1");
    let html = shown(&cem, "general", &message.id).await;
    assert!(
        html.contains("<span class=\"mention\" data-everyone"),
        "{html}"
    );
    // The roles and groups by which pages mark what mentions the reader.
    let page = bob.page(&format!("/spaces/{}", bob.space)).await;
    let side = text::tag_with_id(&page, "sidebar").to_owned();
    assert!(side.contains(&format!("role-{gardeners} group-")), "{side}");
}

#[tokio::test]
async fn here_mentions_those_who_are_present() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let general = ann.room("general");
    let feed = format!("space/{}/presence", ann.space);
    let mut watch = ann.following(&feed).await;
    let _tab = bob.socket().await;
    loop {
        let event = watch.event("presence.people.changed").await;
        if event["event"]["people"].to_string().contains(&bob.id) {
            break;
        }
    }
    // Each instance of a server is told.
    crate::support::eventually("count of @here", async || {
        ann.post("general", "@here").await;
        (!shown_count(&bob, &general).await.is_empty()).then_some(())
    })
    .await;
    assert_eq!(shown_count(&cem, &general).await, "");
}

#[tokio::test]
async fn mentions_of_blocked_people_and_past_twenty_do_not_count() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let general = ann.room("general");
    let ignore = json!({ "account": ann.id, "kind": "ignore" });
    bob.act("community.block", ignore.clone()).await.done();
    ann.post("general", "hello @bob").await;
    assert_eq!(shown_count(&bob, &general).await, "");
    assert!(!bob.page("/mentions").await.contains("hello"));
    bob.act("community.unblock", ignore).await.done();
    assert_eq!(shown_count(&bob, &general).await, "1");
    // The body names 21 people, of whom the last stays text.
    let mut names = Vec::new();
    for number in 0..20 {
        names.push(server.member(&format!("person{number}")).await.name);
    }
    let body: String = names.iter().map(|name| format!("@{name} ")).collect();
    let message = ann.post("general", &format!("{body}@bob")).await;
    let html = shown(&ann, "general", &message.id).await;
    assert_eq!(html.matches("class=\"mention\"").count(), 20, "{html}");
    assert_eq!(shown_count(&bob, &general).await, "1");
}

#[tokio::test]
async fn mentions_page_lists_newest_first_and_pages() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    assert!(
        bob.page("/mentions")
            .await
            .contains("Nobody has mentioned you")
    );
    for number in 0..32 {
        ann.post("general", &format!("@bob number {number}.")).await;
    }
    bob.post("general", "@bob myself").await;
    let page = bob.page("/mentions").await;
    let (newest, oldest) = (page.find("number 31."), page.find("number 2."));
    assert!(newest < oldest && newest.is_some(), "{page}");
    assert!(!page.contains("number 1.") && !page.contains("myself"));
    let next = text::attributes(&page, "href");
    let next = next
        .iter()
        .find(|href| href.starts_with("/mentions?before="));
    let older = bob.page(next.expect("a next page")).await;
    assert!(
        older.contains("number 1.") && older.contains("number 0."),
        "{older}"
    );
    assert!(!older.contains("/mentions?before="));
    // What one may no longer read is not listed.
    let den = ann.create_room("den").private().with(&[&bob]).await;
    ann.post(&den, "@bob secret").await;
    assert!(bob.page("/mentions").await.contains("secret"));
    let change = json!({ "room": den, "name": "den", "private": "yes" });
    ann.act("community.change-room", change).await.done();
    assert!(!bob.page("/mentions").await.contains("secret"));
}
