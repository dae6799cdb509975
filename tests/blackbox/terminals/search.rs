//! Searching what a terminal has shown.

use std::fmt::Write;

use crate::support::{Sharer, TestServer, eventually};

#[tokio::test]
async fn search_finds_what_has_scrolled_away() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let room = ann.room("general");
    let token = ann.terminal_token().await;
    let sharing = Sharer::begin(&server, &token, Sharer::hello(&room)).await;
    let mut sharer = sharing.expect("it is shared");
    let mut output = "a \x1b[31mpe\x1b[1marl <b>\x1b[0m\r\n".to_owned();
    for number in 0..2_000 {
        let _ = write!(output, "line {number}\r\n");
    }
    output += "Pearl 真珠 and \x1b[7mpearl\x1b[0m";
    sharer.write(&output).await;
    sharer.until_acknowledged().await;
    let text = format!("/rooms/{room}/terminals/{}/text", sharer.terminal);
    let find = async |query: &str| {
        eventually("it is searched", || async {
            let page = bob.page(&format!("{text}?q={query}")).await;
            page.contains("lines were searched").then_some(page)
        })
        .await
    };
    let found = find("pearl").await;
    assert!(found.contains("3 hits"), "{found}");
    assert!(found.contains("a <mark>pearl</mark> "), "{found}");
    assert!(
        found.contains("<mark>Pearl</mark> 真珠 and <mark>pearl</mark>"),
        "{found}"
    );
    let in_line = "<li value=\"2002\">";
    assert!(found.contains(in_line), "{found}");
    assert!(
        !found.contains("arl <b>"),
        "what is written is text: {found}"
    );
    assert!(find("line 123").await.contains("11 hits"));
    assert!(find("真珠").await.contains("One hit"));
    assert!(find("Pearl").await.contains("One hit"));
    assert!(find("oyster").await.contains("Nothing was found"));
    let plain = bob.page(&format!("{text}?q=%20")).await;
    assert!(!plain.contains("were searched"), "{plain}");
}
