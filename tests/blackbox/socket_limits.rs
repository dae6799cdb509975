//! Limits of an open socket: feeds, messages, writes and unread frames.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{TestServer, until_refused};

/// How long a socket may answer no ping, as in `src/engine/live/keepalive.rs`, less the second of a
/// tick.
const READ_TIMEOUT: Duration = Duration::from_secs(15);

#[tokio::test]
async fn feeds_per_socket_are_limited() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let mut feeds = vec![
        format!("space/{}", ann.space),
        format!("account/{}", ann.id),
    ];
    for number in 0..32 {
        let room = ann.create_room(&format!("room {number}")).await;
        feeds.push(format!("room/{room}"));
        feeds.push(format!("room/{room}/typing"));
    }
    let mut socket = ann.socket().await;
    for feed in &feeds[..64] {
        socket.follow(feed).await;
    }
    let refused = socket.try_follow(&feeds[64], None).await;
    assert_eq!(
        (&refused["type"], &refused["code"]),
        (&json!("refused"), &json!("too_many"))
    );
    socket.follow(&feeds[0]).await;
    socket
        .send(json!({ "type": "unsubscribe", "feed": feeds[0] }))
        .await;
    socket.follow(&feeds[64]).await;
}

#[tokio::test]
async fn flooding_socket_is_refused_then_closed() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let mut socket = ann.socket().await;
    let mut said = Vec::new();
    let started = Instant::now();
    // Fast until shortly before the end, because the allowance refills meanwhile. Then one after
    // the other: a socket that is closed with unread messages may lose its close frame.
    let is_refusal = |answer: &&Value| answer["type"] == "error";
    'open: for _ in 0..100 {
        let burst = if said.iter().filter(is_refusal).count() < 80 {
            20
        } else {
            1
        };
        for _ in 0..burst {
            socket.send(json!({ "type": "ping" })).await;
        }
        for _ in 0..burst {
            let Some(answer) = socket.next().await else {
                break 'open;
            };
            said.push(answer);
        }
    }
    assert_eq!(socket.closed, Some(1008));
    let pongs = said.iter().filter(|one| one["type"] == "pong").count();
    let refusals: Vec<_> = said.iter().filter(is_refusal).collect();
    let refilled = started.elapsed().as_secs_f64() * 10.0; // 100 in ten seconds
    assert!(
        pongs >= 100 && pongs as f64 <= 101.0 + refilled,
        "{pongs} were answered"
    );
    assert_eq!(refusals.len(), 100);
    assert!(
        refusals.iter().all(|one| one["error"]["code"] == "too_many"
            && one["error"]["retry_after"].as_u64() >= Some(1))
    );
    ann.socket().await;
}

#[tokio::test]
async fn writes_are_limited_across_sockets() {
    let server = TestServer::with(&[("TIDEPOOL_WRITES_PER_10_SECONDS", "5")]).await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut sockets = [bob.socket().await, bob.socket().await];
    // The allowance refills while a slow machine posts: more than one post beyond it.
    let mut refused = None;
    for number in 0..100 {
        let fields =
            json!({ "room": bob.room("general"), "body": "x", "key": format!("key-{number:04}") });
        let answer = sockets[number % 2].act("chat.post", fields).await;
        if answer["type"] == "error" {
            assert_eq!(answer["error"]["code"], "too_many");
            refused = Some(number);
            break;
        }
    }
    assert!(refused.is_some_and(|number| number >= 5), "{refused:?}");
    let mut keys = (0..).map(|number| format!("key-over-http-{number}"));
    let (_, answer) = until_refused(|| {
        let (bob, key) = (&bob, keys.next().expect("keys never end"));
        async move { bob.try_post("general", "x", &key).await }
    })
    .await;
    assert!(
        answer
            .header("retry-after")
            .parse::<u64>()
            .is_ok_and(|seconds| seconds >= 1)
    );
    ann.post("general", "others may").await;
}

#[tokio::test]
async fn stalled_socket_delays_nobody() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut stalled = bob.stalled_socket().await;
    stalled.follow(&bob.feed("room/general")).await;
    let mut reading = bob.following("room/general").await;
    let text = "x".repeat(4_000);
    let started = Instant::now();
    for _ in 0..10 {
        // Together, because a socket that stalls too long is closed.
        join_all((0..30).map(|_| ann.post("general", &text))).await;
    }
    let last = ann.post("general", "the end").await;
    reading
        .expect("the last", |said| {
            said["event"]["message"]["id"] == last.id.as_str()
        })
        .await;
    // Once it reads, either everything is there or it is told to read again; never a gap.
    let mut received = 0;
    loop {
        let Some(said) = stalled.next().await else {
            let stalled_for = started.elapsed();
            assert!(stalled_for > READ_TIMEOUT, "closed after {stalled_for:?}");
            break;
        };
        match said["type"].as_str() {
            Some("event") => received += 1,
            Some("refresh") => break,
            other => panic!("{other:?}"),
        }
        if said["event"]["message"]["id"] == last.id.as_str() {
            assert_eq!(received, 301);
            break;
        }
    }
}
