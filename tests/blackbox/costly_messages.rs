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
