//! What is sent twice happens once.

use serde_json::json;

use crate::support::{Answer, Message, TestServer, text};

#[tokio::test]
async fn concurrent_same_key_posts_make_one_message() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let mut socket = ann.following("room/general").await;
    let posts: Vec<_> = (0..10)
        .map(|_| {
            let ann = ann.clone();
            tokio::spawn(async move { ann.try_post("general", "once", "key-0001").await.done() })
        })
        .collect();
    let mut answers = Vec::new();
    for post in posts {
        answers.push(post.await.expect("it is answered"));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:#?}");
    assert_eq!(
        ann.history("general").await,
        [Message::of(&answers[0]["message"])]
    );
    ann.post("general", "the end").await;
    assert_eq!(
        socket.event("chat.message.posted").await["event"]["message"]["body"],
        "once"
    );
    assert_eq!(
        socket.event("chat.message.posted").await["event"]["message"]["body"],
        "the end",
        "told once"
    );
}

#[tokio::test]
async fn same_key_on_socket_and_form_posts_once() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let fields = json!({ "room": ann.room("general"), "body": "once", "key": "key-0001" });
    let mut socket = ann.socket().await;
    let first = socket.act("chat.post", fields.clone()).await;
    let second = socket.act("chat.post", fields).await;
    assert_eq!(first["result"], second["result"]);
    assert_eq!(
        ann.try_post("general", "once", "key-0001").await.done(),
        first["result"]
    );
    assert_eq!(ann.history("general").await.len(), 1);
}

#[tokio::test]
async fn keys_are_scoped_to_their_author() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    ann.create_room("whisper").private().await;
    ann.try_post("whisper", "not for bob", "key-0001")
        .await
        .done();
    let answer = bob.try_post("general", "hi", "key-0001").await;
    assert!(!answer.body.contains("not for bob"));
    let message = Message::of(&answer.done()["message"]);
    assert_eq!(
        (message.author.as_str(), message.body.as_str()),
        (bob.id.as_str(), "hi")
    );
    assert_eq!(bob.history("general").await, [message]);
}

#[tokio::test]
async fn key_returns_first_result_after_restart() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    ann.create_room("garden").await;
    let first = ann.try_post("general", "once", "key-0001").await.done();
    assert_eq!(
        ann.try_post("garden", "again", "key-0001").await.done(),
        first
    );
    server.restart().await;
    assert_eq!(
        ann.try_post("general", "once", "key-0001").await.done(),
        first
    );
    assert!(ann.history("garden").await.is_empty());
}

#[tokio::test]
async fn malformed_keys_are_refused() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    for key in [
        "short",
        "a']<script>",
        "with space",
        &"x".repeat(65),
        "ключ-ключ",
    ] {
        assert!(
            ann.try_post("general", "hi", key)
                .await
                .expect(422)
                .problem("key")
                .is_some(),
            "{key}"
        );
    }
    assert!(ann.history("general").await.is_empty());
}

#[tokio::test]
async fn plain_form_sent_twice_posts_once() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let room = ann.room("general");
    let send = async || -> Answer {
        let page = ann.page(&format!("/rooms/{room}")).await;
        let seen = text::field_value(&page, "seen");
        let fields = [
            ("room", room.as_str()),
            ("body", "hello"),
            ("key", ""),
            ("seen", &seen),
        ];
        let first = ann.form("/act/chat.post", &fields).await;
        assert_eq!(
            first.location(),
            ann.form("/act/chat.post", &fields).await.location()
        );
        first
    };
    let (first, second) = (send().await, send().await);
    assert_ne!(
        first.location(),
        second.location(),
        "the same words from a newer page are meant"
    );
    assert_eq!(ann.history("general").await.len(), 2);
}
