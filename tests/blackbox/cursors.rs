//! Cursors: what a socket gets that follows a feed from one.

use serde_json::json;

use crate::one_instance_only;
use crate::support::{Message, Socket, TestServer, text};

/// Counts the events a socket gets, up to and with the one that says `last`.
async fn bodies_until(socket: &mut Socket, last: &str) -> Vec<String> {
    let mut bodies = Vec::new();
    while bodies.last().is_none_or(|body| body != last) {
        let event = socket.wait_for("event").await;
        bodies.push(Message::of(&event["event"]["message"]).body);
    }
    bodies
}

async fn last_cursor(socket: &mut Socket, posted: &Message) -> String {
    let event = socket
        .expect("the post", |received| {
            received["event"]["message"]["id"] == posted.id.as_str()
        })
        .await;
    event["cursor"].as_str().expect("a cursor").to_owned()
}

#[tokio::test]
async fn resume_sends_exactly_missed_frames() {
    one_instance_only!("frames are kept by the instances that sent them");
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
            back.wait_for("event").await["topic"]
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
        back.subscribe(&bob.feed("room/general"), Some(&cursor))
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
        socket.subscribe(&feed, Some(&within)).await["type"],
        "subscribed",
        "sixteen frames are kept"
    );
    assert_eq!(bodies_until(&mut socket, "16").await.len(), 16);
    let instance = socket.instance.clone();
    for cursor in [
        &oldest,
        "99999999999999999",
        &format!("+{within}"),
        &format!("{instance}.{within}"),
        "18446744073709551616",
        "nonsense",
        "",
        ".",
    ] {
        assert_eq!(
            socket.subscribe(&feed, Some(cursor)).await["type"],
            "refresh",
            "{cursor:?}"
        );
    }
    // Not followed any more: another socket's frame proves that this one gets none.
    let mut witness = ann.following("room/general").await;
    ann.post("general", "unheard").await;
    witness.wait_for("event").await;
    assert!(socket.drain().await.is_empty());
    server.restart().await;
    let mut socket = ann.socket().await;
    assert_ne!(socket.instance, instance);
    assert_eq!(
        socket.subscribe(&feed, Some(&within)).await["type"],
        "refresh"
    );
    socket.follow(&feed).await;
    ann.post("general", "heard").await;
    bodies_until(&mut socket, "heard").await;
}

#[tokio::test]
async fn html_and_json_sockets_share_cursors() {
    one_instance_only!("compares cursors of volatile feeds, which each instance numbers");
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (mut data, mut page) = (ann.socket().await, ann.html_socket().await);
    assert_eq!(data.instance, page.instance);
    let feed = ann.feed("room/general");
    assert_eq!(data.follow(&feed).await, page.follow(&feed).await);
    ann.post("general", "hi").await;
    let (event, frame) = (data.wait_for("event").await, page.wait_for("frame").await);
    assert_eq!(
        (&event["feed"], &event["cursor"]),
        (&frame["feed"], &frame["cursor"])
    );
}

#[tokio::test]
async fn page_cursors_bring_later_frames() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let page = ann.page(&format!("/rooms/{}", ann.room("general"))).await;
    let feeds: Vec<_> = text::attributes(&page, "data-feeds")
        .join(" ")
        .split(' ')
        .map(str::to_owned)
        .collect();
    let families = ["room/", "account/", "space/"];
    assert!(
        families
            .iter()
            .all(|family| feeds.iter().any(|feed| feed.starts_with(family))),
        "{feeds:?}"
    );
    let message = ann.post("general", "a moment later").await;
    let query: Vec<_> = feeds.iter().map(|feed| format!("feed={feed}")).collect();
    let mut socket = ann
        .socket_at(&format!("/live/data?{}", query.join("&")))
        .await;
    assert_eq!(socket.next_change().await.1, message);
    let history = ann
        .act("chat.history", json!({ "room": ann.room("general") }))
        .await
        .done();
    let second = ann.post("general", "and another").await;
    let mut socket = ann.socket().await;
    socket
        .subscribe(&ann.feed("room/general"), history["cursor"].as_str())
        .await;
    assert_eq!(
        socket.next_change().await.1,
        second,
        "exactly what came after"
    );
}

#[tokio::test]
async fn page_that_missed_nothing_is_not_refreshed_by_a_restart() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    ann.post("general", "before").await;
    let page = ann.page(&format!("/rooms/{}", ann.room("general"))).await;
    let feeds = text::attributes(&page, "data-feeds").join(" ");
    let query: Vec<_> = feeds
        .split_whitespace()
        .map(|feed| format!("feed={feed}"))
        .collect();
    let address = format!("/live/data?{}", query.join("&"));
    server.restart().await;
    let mut socket = ann.socket_at(&address).await;
    for _ in &query {
        let answer = socket
            .expect("an answer", |received| {
                received["type"] == "subscribed" || received["type"] == "refresh"
            })
            .await;
        assert_eq!(answer["type"], "subscribed", "{answer}");
    }
    let after = ann.post("general", "after").await;
    assert_eq!(socket.next_change().await.1, after);
}

#[tokio::test]
async fn page_that_missed_a_message_is_refreshed_after_a_restart() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let feed = ann.feed("room/general");
    let cursor = ann.socket().await.follow(&feed).await;
    ann.post("general", "missed").await;
    server.restart().await;
    let mut socket = ann.socket().await;
    let answer = socket.subscribe(&feed, Some(&cursor)).await;
    assert_eq!(answer["type"], "refresh");
    // Frames since the restart are kept while somebody follows.
    let cursor = socket.follow(&feed).await;
    ann.post("general", "kept").await;
    let mut other = ann.socket().await;
    let answer = other.subscribe(&feed, Some(&cursor)).await;
    assert_eq!(answer["type"], "subscribed");
    assert_eq!(bodies_until(&mut other, "kept").await.len(), 1);
}
