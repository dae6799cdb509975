//! Messages that are forwarded to other rooms, and previews of links to messages.

use serde_json::{Value, json};

use crate::support::{Answer, Message, Person, TestServer};

async fn forward(person: &Person, message: &Message, room: &str) -> Answer {
    let fields = json!({ "message": message.id, "room": person.room(room) });
    person.act("chat.forward", fields).await
}

#[tokio::test]
async fn forwarded_message_is_a_copy_that_names_its_author() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    ann.create_room("cellar").private().await;
    ann.create_room("plans").await;
    bob.remember_room("plans", &ann.room("plans"));
    let message = ann.post("cellar", "@bob 明日の **plan**").await;
    assert_eq!(forward(&bob, &message, "plans").await.code(), "not_found");
    let mut html = bob.html_socket().await;
    html.follow(&bob.feed("room/plans")).await;
    let done = forward(&ann, &message, "plans").await.done();
    let copy = Message::of(&done["message"]);
    assert_eq!(copy.body, message.body);
    let frame = html.frame("明日の").await;
    assert!(
        frame.contains("Forwarded from") && frame.contains("<bdi>ann</bdi>"),
        "{frame}"
    );
    assert!(
        frame.contains(&format!("href=\"/messages/{}\"", message.id)),
        "{frame}"
    );
    // It calls nobody again, and leads only those who may read it to the first one.
    assert!(!bob.page("/mentions").await.contains("明日の"));
    assert_eq!(
        bob.get(&format!("/messages/{}", message.id)).await.status,
        404
    );
    // Editing or deleting the first one does not change it.
    ann.edit(&message, "the secret plan").await;
    ann.delete(&message).await;
    let page = bob.page(&format!("/rooms/{}", bob.room("plans"))).await;
    assert!(
        page.contains("明日の") && !page.contains("secret"),
        "{page}"
    );
    // Forwarded on, it still names who wrote it.
    let on = forward(&bob, &copy, "general").await.done();
    assert_eq!(
        on["message"]["forwarded"]["from"],
        Value::from(message.id.as_str())
    );
}

#[tokio::test]
async fn forwarded_files_outlive_the_first_message() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    ann.create_room("cellar").private().await;
    let file = ann.attach("cellar", "notes.txt", b"some notes").await;
    let posted = ann
        .post_files("cellar", "see", &[file.as_str()], &["の"])
        .await;
    let message = Message::of(&posted.done()["message"]);
    let done = forward(&ann, &message, "general").await.done();
    ann.delete(&message).await;
    let copy = &done["message"]["files"][0];
    assert_ne!(copy["id"], Value::from(file.as_str()));
    assert_eq!(copy["caption"], "の");
    let path = format!("/files/{}/notes.txt", copy["id"].as_str().expect("an id"));
    assert_eq!(bob.get(&path).await.body, "some notes");
    ann.delete(&Message::of(&done["message"])).await;
    assert_eq!(bob.get(&path).await.status, 404);
}

#[tokio::test]
async fn what_cannot_be_forwarded_is_refused() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    ann.create_room("news").await;
    bob.remember_room("news", &ann.room("news"));
    let message = ann.post("general", "hello").await;
    let fields = json!({ "room": ann.room("news"), "archive": "yes" });
    ann.act("community.archive-room", fields).await.done();
    assert_eq!(forward(&bob, &message, "news").await.code(), "conflict");
    let fields = json!({ "room": bob.room("general"), "body": "?", "answers": ["a", "b"] });
    let poll = Message::of(&bob.act("chat.poll", fields).await.done()["message"]);
    assert_eq!(forward(&bob, &poll, "general").await.code(), "conflict");
    ann.delete(&message).await;
    assert_eq!(forward(&bob, &message, "general").await.code(), "conflict");
    assert_eq!(
        bob.get(&format!("/messages/{}/forward", message.id))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn form_lists_rooms_one_may_write_in_and_forwards_once() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    ann.create_room("cellar").private().await;
    ann.create_room("計画").await;
    let message = ann.post("general", "hello").await;
    let path = format!("/messages/{}/forward", message.id);
    let page = bob.page(&path).await;
    assert!(page.contains("計画") && !page.contains("cellar"), "{page}");
    let found = bob.page(&format!("{path}?q=%E8%A8%88")).await;
    assert!(found.contains("Forward to 計画"), "{found}");
    assert!(!found.contains("Forward to general"), "{found}");
    let room = ann.room("計画");
    let fields = [
        ("message", message.id.as_str()),
        ("room", room.as_str()),
        ("seen", "5"),
    ];
    for _ in 0..2 {
        let answer = bob.form_from(&path, "/act/chat.forward", &fields).await;
        assert!(answer.location().starts_with(&format!("/rooms/{room}#m-")));
    }
    let page = bob.page(&format!("/rooms/{room}")).await;
    assert_eq!(page.matches("Forwarded from").count(), 1, "{page}");
    // From the same page it goes to another room, too.
    let general = bob.room("general");
    let other = [("room", general.as_str()), fields[0], fields[2]];
    let answer = bob.form_from(&path, "/act/chat.forward", &other).await;
    assert!(
        answer
            .location()
            .starts_with(&format!("/rooms/{general}#m-"))
    );
}

#[tokio::test]
async fn preview_is_for_who_may_read_the_message() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    ann.create_room("cellar").private().await;
    let secret = ann.post("cellar", "مرحبا ||uncovered||").await;
    let path = format!("/messages/{}/preview", secret.id);
    assert_eq!(bob.get(&path).await.status, 404);
    let preview = ann.page(&path).await;
    assert!(
        preview.contains("مرحبا") && !preview.contains("uncovered"),
        "{preview}"
    );
    ann.delete(&secret).await;
    assert_eq!(ann.get(&path).await.status, 404);
}
