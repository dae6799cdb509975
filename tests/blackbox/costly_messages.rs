//! Messages that are written to cost the server time cost others nothing.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use crate::support::{TestServer, new_key};

/// The grammar of makefiles tries a million steps for each line: seconds for each block.
fn costly_code() -> String {
    let line = format!("{}\n", "a\u{301}\u{301}\u{301}\u{301}".repeat(50));
    format!("```make\n{}```\n", line.repeat(11)).repeat(3)
}

#[tokio::test]
async fn costly_code_takes_little_time_once() {
    const POSTS: u32 = 8;
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let general = format!("/rooms/{}", ann.room("general"));
    let code = costly_code();
    let before = server.cpu_time();
    let posts = (0..POSTS).map(|_| async {
        let answer = bob.try_post("general", &code, &new_key()).await;
        answer.expect(200);
    });
    join_all(posts).await;
    // 0.2 s each and 0.4 for the grammar; without a limit it is a second for each.
    let took = server.cpu_time() - before;
    assert!(took < Duration::from_millis(300) * POSTS, "{took:?}");
    let log = ann.page(&general).await;

    server.restart().await;
    let before = server.cpu_time();
    let again = ann.page(&general).await;
    let took = server.cpu_time() - before;
    assert!(took < Duration::from_millis(600), "{took:?}");
    let posted = 3 * POSTS as usize;
    assert_eq!(log.matches("language-make").count(), posted);
    assert_eq!(again.matches("language-make").count(), posted);
}

#[tokio::test]
async fn highlighted_code_is_stored_and_edited() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let general = format!("/rooms/{}", ann.room("general"));
    let message = ann
        .post("general", "```rust\nlet first_words = 1;\n```")
        .await;
    let edited = ann
        .edit(&message, "```rust\nlet second_words = 2;\n```")
        .await;
    server.restart().await;
    let page = ann.page(&general).await;
    assert!(page.contains("<span class=\"hl-keyword\">let"));
    assert!(page.contains("second_words") && !page.contains("first_words"));
    ann.act("chat.edit", json!({ "message": edited.id, "body": "gone" }))
        .await
        .expect(200);
    let page = ann.page(&general).await;
    assert!(page.contains("gone") && !page.contains("hl-keyword"));
}

/// Fields of an action, among them unknown ones of seven bytes each, which take ninety times as
/// many as values in memory.
fn many_values(bytes: usize) -> String {
    let values = vec!["{\"\":0}"; (bytes - 200) / 7].join(",");
    format!("{{\"room\":\"12\",\"body\":\"x\",\"key\":\"key-0001\",\"more\":[{values}]}}")
}

#[tokio::test]
async fn many_json_values_take_little_memory() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let mut socket = ann.socket().await;
    let before = server.peak_memory();
    let send = |status| {
        let request = ann.request("POST", "/act/chat.post");
        let request = request.header("content-type", "application/json");
        let sent = ann.send(request.body(many_values(384 << 10)));
        async move { sent.await.expect(status) }
    };
    join_all((0..8).map(|_| send(404))).await;
    let fields = many_values(63 << 10);
    let act = "{\"type\":\"act\",\"id\":\"1\",\"action\":\"chat.post\",\"fields\":";
    socket.send_text(&format!("{act}{fields}}}")).await;
    assert_eq!(socket.wait_for("error").await["error"]["code"], "not_found");
    let grown = server.peak_memory().saturating_sub(before);
    assert!(grown < 12 << 20, "{} KiB", grown >> 10);
}

#[tokio::test]
async fn form_with_too_many_fields_is_refused() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let fields = format!("room={}&body=hi&key=key-0001", ann.room("general"));
    let send = |more: usize| {
        let request = ann.request("POST", "/act/chat.post");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        ann.send(request.body(format!("{fields}{}", "&a".repeat(more))))
    };
    send(190_000).await.expect(422);
    send(1_997).await.expect(303);
    assert_eq!(ann.history("general").await.len(), 1);
}
