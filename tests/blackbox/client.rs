//! The documentation of the live sockets: its client runs, and its tables name all there is.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{PASSWORD, TestServer};

#[tokio::test(flavor = "multi_thread")]
async fn documented_client_follows_and_posts() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/client.py");
    let lines = std::fs::read_to_string(script)
        .expect("it is there")
        .lines()
        .count();
    assert!(lines <= 40, "it is to be short, not {lines} lines");
    let mut socket = bob.following("room/general").await;
    let mut child = Command::new("python3")
        .args([
            script,
            &server.base(),
            "ann",
            PASSWORD,
            &ann.room("general"),
            "Hello from Python",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 runs");
    let posted = socket.event("chat.message.posted").await;
    assert_eq!(posted["event"]["message"]["body"], "Hello from Python");
    assert_eq!(posted["event"]["message"]["author"], ann.id.as_str());
    let long = "语".repeat(4_000);
    bob.post("general", &long).await;
    let output = child.stdout.take().expect("it is piped");
    let (mut received, mut answered) = (Vec::new(), false);
    for line in BufReader::new(output).lines() {
        let message: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        answered |= message["type"] == "reply";
        received.push(message);
        if answered
            && received
                .last()
                .is_some_and(|message| message["event"]["message"]["body"] == long.as_str())
        {
            break;
        }
    }
    child.kill().expect("it runs still");
    child.wait().expect("it ends");
    assert_eq!(
        (&received[0]["type"], &received[1]["type"]),
        (&"hello".into(), &"subscribed".into()),
        "{received:#?}"
    );
    assert!(answered, "{received:#?}");
}

#[tokio::test]
async fn docs_name_every_action_feed_and_code() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/live.md"))
        .expect("it is there");
    let feeds = [
        "room/{room}",
        "room/{room}/typing",
        "space/{space}",
        "space/{space}/presence",
        "account/{account}",
        "server/jobs",
    ];
    let actions = [
        "chat.post",
        "chat.edit",
        "chat.delete",
        "chat.history",
        "chat.read",
        "chat.type",
        "presence.active",
    ];
    let codes = [
        "not_found",
        "sign_in_first",
        "forbidden",
        "invalid",
        "conflict",
        "too_large",
        "full",
        "too_many",
        "unavailable",
        "internal",
    ];
    let messages = [
        "hello",
        "subscribed",
        "event",
        "refresh",
        "refused",
        "revoked",
        "reply",
        "error",
        "pong",
    ];
    let closes = ["1012", "1003", "1008", "4401"];
    for word in feeds.iter().chain(&actions).chain(&codes).chain(&closes) {
        assert!(
            text.contains(&format!("`{word}`")),
            "{word} is not explained"
        );
    }
    for kind in messages {
        assert!(
            text.contains(&format!("{{\"type\":\"{kind}\"")),
            "{kind} is not explained"
        );
    }
}
