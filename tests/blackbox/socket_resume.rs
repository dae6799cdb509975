//! Resuming a feed from a cursor.

use crate::support::{Message, Socket, TestServer};

/// Counts the events a socket gets, up to and with the one that says `last`.
async fn bodies_until(socket: &mut Socket, last: &str) -> Vec<String> {
    let mut bodies = Vec::new();
    while bodies.last().is_none_or(|body| body != last) {
        let event = socket.message_of_type("event").await;
        bodies.push(Message::of(&event["event"]["message"]).body);
    }
    bodies
}

async fn last_cursor(socket: &mut Socket, posted: &Message) -> String {
    let event = socket
        .expect("the post", |said| {
            said["event"]["message"]["id"] == posted.id.as_str()
        })
        .await;
    event["cursor"].as_str().expect("a cursor").to_owned()
}

#[tokio::test]
async fn resume_sends_exactly_missed_frames() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut socket = bob.following("room/general").await;
    let seen = ann.post("general", "seen").await;
    let cursor = last_cursor(&mut socket, &seen).await;
    socket.close().await;
    let missed = ann.post("general", "missed").await;
    ann.edit(&seen, "seen, edited").await;
    ann.delete(&missed).await;
    let mut back = bob
        .socket_at(&format!(
            "/live/data?feed={}@{cursor}",
            bob.feed("room/general")
        ))
        .await;
    let mut topics = Vec::new();
    for _ in 0..3 {
        topics.push(
            back.message_of_type("event").await["topic"]
                .as_str()
                .expect("a topic")
                .to_owned(),
        );
    }
    assert_eq!(
        topics,
        [
            "chat.message.posted",
            "chat.message.edited",
            "chat.message.deleted"
        ]
    );
    ann.post("general", "the end").await;
    assert_eq!(
        bodies_until(&mut back, "the end").await,
        ["the end"],
        "nothing twice"
    );
    // The same over a subscription on an open socket: the cursor moves back, and all comes again.
    assert_eq!(
        back.try_follow(&bob.feed("room/general"), Some(&cursor))
            .await["type"],
        "subscribed"
    );
    assert_eq!(
        bodies_until(&mut back, "the end").await,
        ["", "seen, edited", "", "the end"],
        "what was deleted stays so"
    );
}

#[tokio::test]
async fn unknown_cursor_gets_refresh() {
    let mut server = TestServer::with(&[("TIDEPOOL_FEED_FRAMES", "16")]).await;
    let ann = server.owner("ann").await;
    let feed = ann.feed("room/general");
    let mut socket = ann.socket().await;
    let oldest = socket.follow(&feed).await;
    let mut within = String::new();
    for number in 0..17 {
        let message = ann.post("general", &format!("{number}")).await;
        let cursor = last_cursor(&mut socket, &message).await;
        if number == 0 {
            within = cursor;
        }
    }
    assert_eq!(
        socket.try_follow(&feed, Some(&within)).await["type"],
        "subscribed",
        "sixteen frames are kept"
    );
    assert_eq!(bodies_until(&mut socket, "16").await.len(), 16);
    let (instance, _) = within.split_once('.').expect("a cursor has two parts");
    for cursor in [
        &oldest,
        &format!("{instance}.99999999999999999"),
        &format!("{instance}.x"),
        "nonsense",
        "",
        ".",
    ] {
        assert_eq!(
            socket.try_follow(&feed, Some(cursor)).await["type"],
            "refresh",
            "{cursor:?}"
        );
    }
    // Not followed any more: another socket's frame proves that this one gets none.
    let mut witness = ann.following("room/general").await;
    ann.post("general", "unheard").await;
    witness.message_of_type("event").await;
    assert!(socket.drain().await.is_empty());
    server.restart().await;
    let mut socket = ann.socket().await;
    assert_ne!(socket.instance, instance);
    assert_eq!(
        socket.try_follow(&feed, Some(&within)).await["type"],
        "refresh"
    );
    socket.follow(&feed).await;
    ann.post("general", "heard").await;
    bodies_until(&mut socket, "heard").await;
}
