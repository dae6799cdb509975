//! A list in a request is counted before anything else is done with it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::TestServer;

/// As many ids as fit into a form.
fn ids() -> Vec<String> {
    (0..47_000).map(|id| format!("{id}")).collect()
}

#[tokio::test]
async fn long_lists_are_refused_at_once() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (room, space) = (ann.room("general"), &ann.space);
    let key = "key-00000001";
    let inputs: [(&str, Value, &str); 6] = [
        (
            "chat.post",
            json!({ "room": room, "body": "x", "key": key }),
            "files",
        ),
        (
            "chat.post",
            json!({ "room": room, "body": "x", "key": key }),
            "captions",
        ),
        (
            "community.create-room",
            json!({ "space": space, "name": "x", "private": "yes" }),
            "members",
        ),
        (
            "community.change-room",
            json!({ "room": room, "name": "x", "private": "yes" }),
            "members",
        ),
        ("community.open-direct", json!({}), "people"),
        ("community.set-emblem", json!({ "space": space }), "files"),
    ];
    for (action, mut fields, list) in inputs {
        fields[list] = json!(ids());
        let before = server.cpu_time();
        ann.act(action, fields).await.expect(422);
        let took = server.cpu_time() - before;
        // To read the body takes a tenth of it; to compare all pairs took ten times as long.
        assert!(
            took < Duration::from_millis(600),
            "{action} {list}: {took:?}"
        );
    }
}
