//! Read receipts in direct conversations.

use serde_json::json;

use crate::support::{Message, Person, TestServer, text};

async fn share(person: &Person, shares_reads: &str) {
    let fields = json!({ "shares_reads": shares_reads });
    person.act("community.set-receipts", fields).await.done();
}

async fn read(person: &Person, message: &Message) {
    let fields = json!({ "room": message.room, "message": message.id });
    person.act("chat.read", fields).await.done();
}

/// The line of a conversation; empty where there is none.
async fn line(person: &Person, room: &str) -> String {
    let page = person.page(&format!("/rooms/{room}")).await;
    let id = format!("receipts-{room}");
    match page.contains(&id) {
        true => text::tag_with_id(&page, &id).to_owned(),
        false => String::new(),
    }
}

#[tokio::test]
async fn receipt_is_shown_if_both_share() {
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let bob = server.member("بوب").await;
    let room = ann.direct(&[&bob]).await;
    let post = ann.post(&room, "今晚见 🌊").await;
    read(&bob, &post).await;
    assert_eq!(line(&ann, &room).await, "", "nobody shares");
    share(&bob, "yes").await;
    assert_eq!(line(&ann, &room).await, "", "one shares");
    share(&bob, "").await;
    share(&ann, "yes").await;
    let own = line(&ann, &room).await;
    assert!(own.contains(" hidden"), "the other one shares: {own}");
    let mut page = ann.html_socket().await;
    page.follow(&format!("account/{}/unread", ann.id)).await;
    let next = ann.post(&room, "and tomorrow?").await;
    // Nothing tells of this, which the next frame shows by what it says.
    read(&bob, &next).await;
    share(&bob, "yes").await;
    let own = line(&ann, &room).await;
    assert!(!own.contains(" hidden"), "{own}");
    let last = ann.post(&room, "or never").await;
    let own = line(&ann, &room).await;
    assert!(own.contains(" hidden"), "not read yet: {own}");
    read(&bob, &last).await;
    let frame = page.frame("data-reader").await;
    let mark = format!("data-reader=\"{}\" data-read=\"{}\"", bob.id, last.id);
    assert!(frame.contains(&mark), "{frame}");
    assert!(frame.contains("بوب"), "{frame}");
    assert!(!line(&ann, &room).await.contains(" hidden"));
    // One's own newest message alone has one.
    let answer = bob.post(&room, "tomorrow").await;
    read(&ann, &answer).await;
    assert!(line(&ann, &room).await.contains(" hidden"));
    assert!(!line(&bob, &room).await.contains(" hidden"));
    // Who is invisible is not seen reading.
    let fields = json!({ "presence": "invisible", "ends": "" });
    ann.act("community.set-presence", fields).await.done();
    assert!(line(&bob, &room).await.contains(" hidden"));
    assert_eq!(line(&ann, &room).await, "");
}

#[tokio::test]
async fn who_is_blocked_sees_no_receipt() {
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let bob = server.member("Bob").await;
    let room = ann.direct(&[&bob]).await;
    share(&ann, "yes").await;
    share(&bob, "yes").await;
    let first = bob.post(&room, "first").await;
    let last = bob.post(&room, "are you there?").await;
    let mut page = bob.html_socket().await;
    page.follow(&format!("account/{}/unread", bob.id)).await;
    read(&ann, &first).await;
    page.frame("data-reader").await;
    let fields = json!({ "account": bob.id, "kind": "block" });
    ann.act("community.block", fields).await.done();
    read(&ann, &last).await;
    let path = format!("/rooms/{room}/receipts");
    assert_eq!(bob.page(&path).await, "");
    assert_eq!(line(&bob, &room).await, "");
    // What comes first after the block tells of what was read after it was lifted.
    let fields = json!({ "account": bob.id });
    ann.act("community.unblock", fields).await.done();
    let newest = bob.post(&room, "and now?").await;
    read(&ann, &newest).await;
    let frame = page.frame("data-reader").await;
    let mark = format!("data-read=\"{}\"", newest.id);
    assert!(frame.contains(&mark), "{frame}");
}

#[tokio::test]
async fn receipts_of_a_group_name_those_who_share() {
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let (bob, cem) = (server.member("Bob").await, server.member("Cem").await);
    let eve = server.member("Eve").await;
    let room = ann.direct(&[&bob, &cem]).await;
    for person in [&ann, &bob, &eve] {
        share(person, "yes").await;
    }
    let post = ann.post(&room, "who comes?").await;
    for person in [&bob, &cem] {
        read(person, &post).await;
    }
    let part = ann.page(&format!("/rooms/{room}/receipts")).await;
    assert!(part.contains("Read by") && part.contains("Bob"), "{part}");
    assert!(!part.contains("Cem"), "{part}");
    // Who does not share sees nothing, and who is not in it not even the room.
    assert_eq!(cem.page(&format!("/rooms/{room}/receipts")).await, "");
    let path = format!("/rooms/{room}/receipts");
    eve.get(&path).await.expect(404);
    // Rooms of a space have none.
    let general = ann.room("general");
    let post = ann.post(&general, "hello").await;
    read(&bob, &post).await;
    assert_eq!(line(&ann, &general).await, "");
}

#[tokio::test]
async fn reading_all_sends_receipts_and_the_copy_has_the_choice() {
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let bob = server.member("Bob").await;
    let room = ann.direct(&[&bob]).await;
    share(&ann, "yes").await;
    share(&bob, "yes").await;
    let mut page = ann.html_socket().await;
    page.follow(&format!("account/{}/unread", ann.id)).await;
    let post = ann.post(&room, "สวัสดี").await;
    bob.act("chat.read-all", json!({})).await.done();
    let frame = page.frame("data-reader").await;
    assert!(
        frame.contains(&format!("data-read=\"{}\"", post.id)),
        "{frame}"
    );
    let copy = super::account_data::copy_of(&ann).await;
    assert_eq!(copy["account"]["shares_reads"], true, "{copy}");
    assert_eq!(copy["account"]["writers"], "spaces");
    assert_eq!(copy["account"]["presence"], "automatic");
}
