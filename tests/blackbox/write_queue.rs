//! Writes that wait for the database: more than a bound are refused, and reading goes on.

use serde_json::json;
use tokio::task::JoinSet;

use crate::one_instance_only;
use crate::support::TestServer;

#[tokio::test]
async fn full_write_queue_refuses_writes_only() {
    one_instance_only!("each instance has a queue of its own");
    const POSTS: usize = 40;
    const WAITING: usize = 16 + 1; // and one in work
    let settings = [
        ("TIDEPOOL_MAX_WAITING_WRITES", "16"),
        ("TIDEPOOL_WRITE_BATCH", "1"),
        ("TIDEPOOL_WRITES_PER_10_SECONDS", "100000"),
    ];
    let server = TestServer::with(&settings).await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    ann.post("general", "before").await;
    let mut socket = bob.following("room/general").await;
    let lock = server.lock_messages().await;
    let mut posts = JoinSet::new();
    for number in 0..POSTS {
        let ann = ann.clone();
        posts.spawn(async move {
            ann.try_post("general", "x", &format!("held-{number:04}"))
                .await
        });
    }
    for _ in WAITING..POSTS {
        let refused = posts
            .join_next()
            .await
            .expect("a post")
            .expect("it is answered")
            .expect(503);
        assert_eq!(
            (refused.code().as_str(), refused.header("retry-after")),
            ("unavailable", "1")
        );
        assert_eq!(refused.json()["error"]["retry_after"], 1);
    }
    // Reading goes on, also where it would leave a mark, and so does what writes nothing.
    assert_eq!(bob.history("general").await.len(), 1);
    assert!(
        bob.page(&format!("/rooms/{}", bob.room("general")))
            .await
            .contains("before")
    );
    assert_eq!(
        socket
            .act("chat.type", json!({ "room": bob.room("general") }))
            .await["type"],
        "reply"
    );
    let refused = socket
        .act(
            "chat.post",
            json!({ "room": bob.room("general"), "body": "x", "key": "held-by-socket" }),
        )
        .await;
    assert_eq!(
        (&refused["error"]["code"], &refused["error"]["retry_after"]),
        (&json!("unavailable"), &json!(1))
    );
    let form = ann
        .form(
            "/act/chat.post",
            &[
                ("room", &ann.room("general")),
                ("body", "x"),
                ("key", "held-by-form"),
            ],
        )
        .await
        .expect(503);
    assert!(form.body.contains("<html") && form.header("retry-after") == "1");
    assert!(
        server
            .metric("tidepool_refused_total{why=\"writes\"}")
            .await
            >= (POSTS - WAITING) as f64
    );
    lock.release().await;
    while let Some(kept) = posts.join_next().await {
        kept.expect("it is answered").expect(200);
    }
    assert_eq!(bob.history("general").await.len(), 1 + WAITING);
    ann.post("general", "after").await;
    socket
        .expect("the newest", |received| {
            received["event"]["message"]["body"] == "after"
        })
        .await;
}
