//! Commands in messages, and spoilers.

use serde_json::{Value, json};

use crate::support::{Answer, Person, TestServer, eventually};

async fn post(person: &Person, body: &str, key: &str) -> Answer {
    let fields = json!({ "room": person.room("general"), "body": body, "key": key });
    person.act("chat.post", fields).await
}

/// The text that a message is stored with.
async fn posted(person: &Person, body: &str, key: &str) -> String {
    let done = post(person, body, key).await.done();
    done["message"]["body"].as_str().expect("a text").to_owned()
}

#[tokio::test]
async fn command_changes_text_before_it_is_posted() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    for (number, (written, stored)) in [
        ("/shrug やれやれ", r"やれやれ ¯\\\_(ツ)\_/¯"),
        ("/shrug", r"¯\\\_(ツ)\_/¯"),
        ("/me تلوّح بيدها", "*تلوّح بيدها*"),
        ("/spoiler one\n\ntwo", "||one||\n\n||two||"),
        ("//shrug is a command", "/shrug is a command"),
        ("/etc/hosts is a file", "/etc/hosts is a file"),
        ("see /shrug", "see /shrug"),
    ]
    .into_iter()
    .enumerate()
    {
        let key = format!("command-{number}");
        assert_eq!(posted(&ann, written, &key).await, stored, "{written}");
    }
    let page = ann.page(&format!("/rooms/{}", ann.room("general"))).await;
    assert!(page.contains(r"やれやれ ¯\_(ツ)_/¯"), "{page}");
    assert!(page.contains("<span class=\"spoiler\" tabindex=\"0\">one</span>"));
}

#[tokio::test]
async fn unknown_or_empty_command_posts_nothing() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    for (number, written) in [
        "/remidn me",
        "/nothing",
        "/me",
        "/spoiler  ",
        "/poll",
        "/poll Tea?",
    ]
    .into_iter()
    .enumerate()
    {
        let answer = post(&bob, written, &format!("unknown-{number}")).await;
        assert_eq!(answer.status, 422, "{written}");
    }
    let page = ann.page(&format!("/rooms/{}", ann.room("general"))).await;
    assert!(!page.contains("remidn"), "{page}");
    // A form without scripts gets its text back, with what to do.
    let (room, path) = (
        bob.room("general"),
        format!("/rooms/{}", bob.room("general")),
    );
    let fields = [("room", room.as_str()), ("body", "/remidn me")];
    let page = bob.form_from(&path, "/act/chat.post", &fields).await.body;
    assert!(page.contains("/remidn me</textarea>"), "{page}");
    assert!(page.contains("There is no such command"), "{page}");
}

#[tokio::test]
async fn command_needs_right_to_write_in_room() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    ann.create_room("cellar").private().await;
    let secret = ann.room("cellar");
    let fields = json!({ "room": secret, "body": "/shrug", "key": "in-the-cellar" });
    assert_eq!(bob.act("chat.post", fields).await.status, 404);
    assert_eq!(
        bob.get(&format!("/rooms/{secret}/commands")).await.status,
        404
    );
    let listed = ann.get(&format!("/rooms/{secret}/commands")).await.json();
    let names: Vec<_> = listed
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert!(names.contains(&&Value::from("topic")), "{names:?}");
    let general = bob.room("general");
    let listed = bob.get(&format!("/rooms/{general}/commands")).await.json();
    let names: Vec<_> = listed
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert!(names.contains(&&Value::from("poll")), "{names:?}");
    assert!(!names.contains(&&Value::from("topic")), "{names:?}");
}

#[tokio::test]
async fn topic_is_set_live_by_who_manages_rooms() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    let path = format!("/rooms/{}", bob.room("general"));
    assert_eq!(post(&bob, "/topic mine", "topic-of-bob").await.status, 403);
    let topic = "周末計画 🏳️‍🌈";
    let done = post(&ann, &format!("/topic {topic}"), "topic-of-ann")
        .await
        .done();
    assert_eq!(done["topic"], topic);
    assert!(bob.page(&path).await.contains(topic));
    let audit = ann.page(&format!("/spaces/{}/audit", ann.space)).await;
    assert!(audit.contains(topic), "{audit}");
    let long = "長".repeat(201);
    assert_eq!(
        post(&ann, &format!("/topic {long}"), "topic-long")
            .await
            .status,
        422
    );
    post(&ann, "/topic", "topic-none").await.done();
    assert!(!bob.page(&path).await.contains(topic));
}

#[tokio::test]
async fn spoiler_is_covered_in_lists_notices_and_search() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    let message = ann
        .post(
            "general",
            "@bob the killer is ||the **butler**|| 犯人は||執事||",
        )
        .await;
    for path in ["/mentions", "/inbox"] {
        eventually("the mention", async || {
            let page = bob.page(path).await;
            (page.contains("the killer is") || page.contains("▒▒▒")).then_some(())
        })
        .await;
    }
    let inbox = bob.page("/inbox").await;
    assert!(
        inbox.contains("▒▒▒") && !inbox.contains("butler"),
        "{inbox}"
    );
    eventually("the message is found", async || {
        let page = bob.page("/search?q=killer").await;
        page.contains("▒▒▒").then_some(())
    })
    .await;
    let found = bob.page("/search?q=killer").await;
    assert!(
        !found.contains("butler") && !found.contains("執事"),
        "{found}"
    );
    let quoted = bob
        .page(&format!("/rooms/{}?reply={}", message.room, message.id))
        .await;
    let (_, replying) = quoted.split_once("class=\"replying\"").expect("the line");
    let (replying, _) = replying.split_once("</p>").expect("its end");
    assert!(!replying.contains("butler"), "{replying}");
}
