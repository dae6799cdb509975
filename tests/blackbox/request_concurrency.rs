//! Limits of requests and of writes that are in progress at once.

use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use tokio::task::JoinSet;

use crate::support::{RawConnection, TestServer, text};

#[tokio::test]
async fn request_over_concurrency_limit_is_refused() {
    let server = TestServer::with(&[("TIDEPOOL_MAX_REQUESTS", "8")]).await;
    let ann = server.owner("ann").await;
    let page = ann.page("/account").await;
    // As long as a page is answered there is a place: another request that never ends takes it, or
    // is refused itself.
    let mut stalled = Vec::new();
    let answer = loop {
        let mut line = RawConnection::to(&server).await;
        line.send(
            "POST /sign-in HTTP/1.1\r\nhost: here\r\naccept: application/json\r\n\
            connection: close\r\ncontent-length: 1\r\n\r\n",
        )
        .await;
        stalled.push(line);
        let answer = ann.get("/account").await;
        if answer.status != 200 {
            break answer;
        }
        assert!(stalled.len() < 100, "nothing is too much");
    };
    assert!(
        answer.status == 503
            && answer.body.contains("<html")
            && answer.header("retry-after") == "1",
        "{}",
        answer.body
    );
    let data = ann
        .act("chat.history", json!({ "room": ann.room("general") }))
        .await
        .expect(503);
    assert_eq!(
        (data.code().as_str(), &data.json()["error"]["retry_after"]),
        ("unavailable", &json!(1))
    );
    assert!(
        !ann.fragment("/sidebar")
            .await
            .expect(503)
            .body
            .contains("<html")
    );
    ann.get("/health/ready").await.expect(200);
    let asset = text::attributes(&page, "src")
        .into_iter()
        .find(|path| path.starts_with("/assets/"))
        .expect("an asset");
    ann.get(&asset).await.expect(200);
    assert!(server.metric("tidepool_refused_total{why=\"busy\"}").await >= 3.0);
    let mut finished = 0;
    for line in &mut stalled {
        line.send("x").await;
        finished += usize::from(line.until_closed().await.starts_with("HTTP/1.1 422"));
    }
    assert_eq!(finished, 8, "what was in work is finished");
    ann.page("/account").await;
}

#[tokio::test]
async fn refused_sender_holds_no_request_slot() {
    let server = TestServer::with(&[("TIDEPOOL_MAX_REQUESTS", "8")]).await;
    let ann = server.owner("ann").await;
    let mut sending = Vec::new();
    for path in ["/health/live", "/nowhere"].into_iter().cycle().take(32) {
        let mut line = RawConnection::to(&server).await;
        line.send(&format!(
            "POST {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-type: \
             multipart/form-data; boundary=x\r\ncontent-length: 100\r\n\r\n"
        ))
        .await;
        sending.push(line);
        ann.get("/account").await.expect(200);
    }
}

#[tokio::test]
async fn full_write_queue_refuses_writes_only() {
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
    // Another program holds the file's one lock: the writer has to wait for it.
    let file = server.data().join("tidepool.sqlite");
    let mut other = SqliteConnection::connect(&format!("sqlite://{}", file.display()))
        .await
        .expect("it opens");
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .expect("the lock is free");
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
    sqlx::query("ROLLBACK")
        .execute(&mut other)
        .await
        .expect("the lock is given back");
    while let Some(kept) = posts.join_next().await {
        kept.expect("it is answered").expect(200);
    }
    assert_eq!(bob.history("general").await.len(), 1 + WAITING);
    ann.post("general", "after").await;
    socket
        .expect("the newest", |said| {
            said["event"]["message"]["body"] == "after"
        })
        .await;
}
