//! Feeds: only declared ones exist, and their events have the declared fields.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::TestServer;

#[tokio::test]
async fn undeclared_feeds_are_refused() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let room = ann.room("general");
    let mut socket = ann.socket().await;
    let long = format!("room/{}", "1".repeat(1_000));
    for feed in [
        "",
        "room",
        "room/",
        "room/0",
        "room/x",
        "everything",
        "room/1/secrets",
        &format!("room/+{room}"),
        &format!("room/0{room}"),
        &long,
    ] {
        socket
            .send(json!({ "type": "subscribe", "feed": feed }))
            .await;
        assert_eq!(
            socket.wait_for("refused").await["code"],
            "not_found",
            "{feed}"
        );
    }
}

#[tokio::test]
async fn feed_events_match_declared_topics() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let topics: Vec<Value> =
        serde_json::from_slice(&server.run(&["topics", "--json"]).stdout).expect("JSON");
    let mut socket = bob.socket().await;
    for feed in [
        "room/general",
        "room/general/typing",
        &format!("space/{}", bob.space),
        &format!("space/{}/presence", bob.space),
        &format!("account/{}", bob.id),
        &format!("account/{}/unread", bob.id),
    ] {
        socket.follow(&bob.feed(feed)).await;
    }
    let message = ann.post("general", "hi").await;
    socket.event("chat.unread.changed").await;
    ann.edit(&message, "ho").await;
    ann.act("chat.type", json!({ "room": ann.room("general") }))
        .await
        .done();
    bob.act(
        "chat.read",
        json!({ "room": bob.room("general"), "message": message.id }),
    )
    .await
    .done();
    ann.delete(&message).await;
    ann.create_room("garden").await;
    ann.act(
        "community.rename-space",
        json!({ "space": ann.space, "name": "Orangery" }),
    )
    .await
    .done();
    let cem = server.member("cem").await;
    let _tab = cem.socket().await;
    ann.act(
        "community.archive-room",
        json!({ "room": ann.room("garden"), "archive": "yes" }),
    )
    .await
    .done();
    ann.act(
        "community.remove-member",
        json!({ "space": ann.space, "account": cem.id }),
    )
    .await
    .done();
    let mut seen = BTreeSet::new();
    while !seen.contains("community.member.left") {
        let event = socket.wait_for("event").await;
        let name = event["topic"].as_str().expect("a topic").to_owned();
        let topic = topics
            .iter()
            .find(|topic| topic["topic"] == name.as_str())
            .unwrap_or_else(|| panic!("{name} is not declared"));
        let given: Vec<_> = event["event"]
            .as_object()
            .expect("fields")
            .keys()
            .map(String::as_str)
            .collect();
        let mut declared: Vec<_> = topic["fields"]
            .as_array()
            .expect("fields")
            .iter()
            .map(|field| field["name"].as_str().expect("a name"))
            .collect();
        declared.sort_unstable();
        assert_eq!(given, declared, "{name}");
        seen.insert(name);
    }
    assert!(seen.len() >= 7, "{seen:?}");
}
