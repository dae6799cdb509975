//! How many sockets, feeds and messages one account or socket may have.

use std::time::Instant;

use serde_json::json;

use crate::one_instance_only;
use crate::support::{Person, TestServer, refused_status};

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
    let refused = socket.subscribe(&feeds[64], None).await;
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
async fn sockets_per_account_are_limited() {
    one_instance_only!("each instance counts for itself");
    let server = TestServer::with(&[
        ("TIDEPOOL_MAX_SOCKETS_PER_ACCOUNT", "3"),
        ("TIDEPOOL_MAX_SOCKETS", "5"),
    ])
    .await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let cem = server.member("cem").await;
    server
        .metric_reaches("tidepool_sockets", |open| open == 0.0)
        .await;
    let mut open = Vec::new();
    for person in [&ann, &ann, &ann, &bob, &bob] {
        open.push(person.socket().await);
    }
    let cookies = |person: &Person| person.cookies();
    assert_eq!(
        refused_status(&server, "/live", &[("cookie", &cookies(&cem))]).await,
        503
    );
    open.pop().expect("one is open").close().await;
    server
        .metric_reaches("tidepool_sockets", |open| open == 4.0)
        .await;
    assert_eq!(
        refused_status(&server, "/live", &[("cookie", &cookies(&ann))]).await,
        429
    );
    cem.socket().await;
}

#[tokio::test]
async fn flooding_socket_is_refused_then_closed() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let mut socket = ann.socket().await;
    let mut received = Vec::new();
    let started = Instant::now();
    loop {
        // One after the other: what a closing server has not read would cost us its reason.
        socket.send(json!({ "type": "ping" })).await;
        let Some(answer) = socket.next().await else {
            break;
        };
        received.push(answer);
        assert!(received.len() < 5_000, "nothing is too much");
    }
    assert_eq!(socket.closed, Some(1008));
    // Ten more in a second, so a slow machine gets more of them answered.
    let most = 101 + 10 * (started.elapsed().as_secs() as usize + 1);
    let pongs = received.iter().filter(|one| one["type"] == "pong").count();
    let refusals: Vec<_> = received
        .iter()
        .filter(|one| one["type"] == "error")
        .collect();
    assert!((100..=most).contains(&pongs), "{pongs} of {most}");
    assert_eq!(refusals.len(), 100);
    assert!(
        refusals.iter().all(|one| one["error"]["code"] == "too_many"
            && one["error"]["retry_after"].as_u64() >= Some(1))
    );
    ann.socket().await;
}
