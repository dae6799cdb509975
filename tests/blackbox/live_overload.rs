//! What sockets are told when there are more of them, or more to tell, than the server can serve
//! at once.

use serde_json::json;

use crate::support::TestServer;

const SUBSCRIPTIONS: usize = 95; // of a socket: 100 messages in ten seconds are its limit

const ATTEMPTS: usize = 20; // a busy machine may spread the subscriptions by itself

#[tokio::test]
async fn refresh_of_few_sockets_is_immediate() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let feed = ann.feed("room/general");
    let answer = ann.socket().await.subscribe(&feed, Some("another.1")).await;
    assert_eq!(
        answer,
        json!({ "type": "refresh", "feed": feed, "within": 0 })
    );
}

#[tokio::test]
async fn refresh_of_many_sockets_names_a_window() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let feed = ann.feed("room/general");
    let mut widest = 0;
    for _ in 0..ATTEMPTS {
        let mut socket = ann.socket().await;
        for _ in 0..SUBSCRIPTIONS {
            socket
                .send(json!({ "type": "subscribe", "feed": feed, "cursor": "another.1" }))
                .await;
        }
        for _ in 0..SUBSCRIPTIONS {
            let refresh = socket.wait_for("refresh").await;
            widest = widest.max(refresh["within"].as_u64().expect("milliseconds"));
        }
        if widest > 0 {
            return;
        }
    }
    panic!(
        "{} refreshes, and all of them at once",
        ATTEMPTS * SUBSCRIPTIONS
    );
}

#[tokio::test]
async fn address_with_lost_cursors_names_one_window() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let feeds = [
        ann.feed("room/general"),
        format!("account/{}", ann.id),
        format!("space/{}", ann.space),
    ];
    let query: Vec<_> = feeds
        .iter()
        .map(|feed| format!("feed={feed}@another.1"))
        .collect();
    let mut socket = ann
        .socket_at(&format!("/live/data?{}", query.join("&")))
        .await;
    for feed in feeds {
        let refresh = socket.wait_for("refresh").await;
        assert_eq!(
            refresh,
            json!({ "type": "refresh", "feed": feed, "within": 0 })
        );
    }
}

#[tokio::test]
async fn posts_to_followed_room_do_not_wait() {
    let server = TestServer::with(&[("TIDEPOOL_FEED_FRAMES", "16")]).await;
    let ann = server.owner("ann").await;
    let mut following = ann.following("room/general").await;
    for number in 0..40 {
        ann.post("general", &format!("post {number}")).await;
        // Once it is here, the round of the post before has ended on every shard.
        following.event("chat.message.posted").await;
    }
    assert_eq!(server.metric("tidepool_feed_waits_total").await, 0.0);
}

#[tokio::test]
async fn stalled_socket_delays_nobody() {
    let server = TestServer::with(&[("TIDEPOOL_WRITES_PER_10_SECONDS", "1000")]).await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut stalled = bob.following("room/general").await;
    stalled.pause_reading();
    let mut reading = bob.following("room/general").await;
    // Two megabytes, in fewer seconds than a socket may stay silent.
    let text = "🏳️‍🌈".repeat(1_100);
    for _ in 0..140 {
        ann.post("general", &text).await;
    }
    let last = ann.post("general", "the end").await;
    reading
        .expect("the last", |received| {
            received["event"]["message"]["id"] == last.id.as_str()
        })
        .await;
    stalled.resume_reading();
    // Either it gets every event, or it is told to refetch; never a gap.
    let mut events = 0;
    loop {
        let received = stalled.next().await.expect("still open");
        match received["type"].as_str() {
            Some("event") => events += 1,
            Some("refresh") => break,
            other => panic!("{other:?}"),
        }
        if received["event"]["message"]["id"] == last.id.as_str() {
            assert_eq!(events, 141);
            break;
        }
    }
}
