//! History: endless both ways, without moving what is read.

use super::driver::reserve_browsers;
use super::session::Browser;
use crate::support::{Message, Person, TestServer};

struct Long {
    server: TestServer,
    ann: Person,
    bobs: Browser,
    posted: Vec<Message>,
}

/// Bob signed in where Ann has posted 180 messages.
async fn long() -> Long {
    let server = TestServer::with(&[("TIDEPOOL_WRITES_PER_10_SECONDS", "100000")]).await;
    let ann = server.owner("Ann").await;
    let bob = server.member("Bob").await;
    let mut posted = Vec::new();
    for number in 1..=180 {
        posted.push(ann.post("general", &format!("message {number}")).await);
    }
    let bobs = Browser::signed_in(&bob, &server.base()).await;
    Long {
        server,
        ann,
        bobs,
        posted,
    }
}

impl Long {
    /// The log holds every message once, in order.
    async fn wait_for_all_messages(&self, bobs: &Browser) {
        let ids: Vec<String> = self
            .posted
            .iter()
            .map(|message| format!("m-{}", message.id))
            .collect();
        bobs.until(&format!(
            "JSON.stringify([...document.querySelectorAll('.log > .msg')].map((one) => \
             one.id)) === '{}'",
            serde_json::json!(ids)
        ))
        .await;
    }
}

#[tokio::test]
async fn scrolling_up_keeps_scroll_position() {
    let _permit = reserve_browsers(1).await;
    let long = long().await;
    let bobs = &long.bobs;
    bobs.open_room(&long.ann.room("general")).await;
    assert_eq!(bobs.count(".log > .msg").await, 50);
    while bobs.count(".older a").await > 0 {
        bobs.until("!document.querySelector('.htmx-request')").await;
        let (before, shown) = (
            bobs.first_visible_message().await,
            bobs.count(".log > .msg").await,
        );
        // Far enough for the next stretch to be fetched, and not so far that what was seen leaves
        // the page.
        bobs.js("(document.querySelector('.scroller').scrollTop = 400, true)")
            .await;
        let held = bobs.first_visible_message().await;
        bobs.until(&format!(
            "document.querySelectorAll('.log > .msg').length > {shown} \
            || !document.querySelector('.older a')"
        ))
        .await;
        let now = bobs.offset_of(&held.0).await;
        assert!(
            (now - held.1).abs() < 2.0,
            "what was read moved from {} to {now} (before: {before:?})",
            held.1
        );
    }
    long.wait_for_all_messages(bobs).await;
    long.bobs.close().await;
}

#[tokio::test]
async fn permalink_leads_back_to_present() {
    let _permit = reserve_browsers(1).await;
    let long = long().await;
    let bobs = &long.bobs;
    let target = &long.posted[59].id;
    bobs.go(&format!("/messages/{target}")).await;
    bobs.wait_for_socket().await;
    bobs.wait_for_visible(&format!("#m-{target}.highlight"))
        .await;
    let (top, height) = (
        bobs.offset_of(&format!("m-{target}")).await,
        bobs.js("document.querySelector('.scroller').clientHeight")
            .await,
    );
    assert!(
        top > 0.0 && top < height.as_f64().expect("a height"),
        "the message is before the eyes"
    );
    assert_eq!(bobs.count(".log[data-live]").await, 0, "this is the past");

    // What is said meanwhile is not put after messages of the past.
    long.ann.post("general", "in the present").await;
    bobs.wait_for_text(".pill-new", "1 new").await;
    assert_eq!(
        bobs.js(
            "[...document.querySelectorAll('.log > .msg .body')].some((one) => \
            one.textContent === 'in the present')"
        )
        .await,
        false
    );
    bobs.until(
        "(document.querySelector('.scroller').scrollTop += 400, \
        document.querySelector('.log[data-live]') !== null)",
    )
    .await;
    bobs.wait_for_message("in the present").await;
    bobs.js("(document.querySelector('.scroller').scrollTop = 1e9, true)")
        .await;
    bobs.wait_for_hidden(".pill-new").await;
    long.ann.post("general", "live again").await;
    bobs.wait_for_message("live again").await;
    long.bobs.close().await;
}

#[tokio::test]
async fn message_link_in_page_shows_message() {
    let _permit = reserve_browsers(1).await;
    let long = long().await;
    let bobs = &long.bobs;
    long.ann
        .post(
            "general",
            &format!("see {}/messages/{}", long.server.base(), long.posted[20].id),
        )
        .await;
    bobs.open_room(&long.ann.room("general")).await;
    bobs.click(".msg:last-child .body a").await;
    bobs.wait_for_visible(&format!("#m-{}.highlight", long.posted[20].id))
        .await;
    long.bobs.close().await;
}

#[tokio::test]
async fn unread_pill_counts_and_scrolls_down() {
    let _permit = reserve_browsers(1).await;
    let long = long().await;
    let bobs = &long.bobs;
    bobs.open_room(&long.ann.room("general")).await;
    bobs.scroll_up_to(100).await;
    let (id, offset) = bobs.first_visible_message().await;
    long.ann.post("general", "one below").await;
    bobs.wait_for_text(".pill-new", "1 new").await;
    long.ann.post("general", "two below").await;
    bobs.wait_for_text(".pill-new", "2 new").await;
    assert!(
        (bobs.offset_of(&id).await - offset).abs() < 2.0,
        "what was read has moved"
    );
    bobs.click(".pill-new").await;
    bobs.wait_for_hidden(".pill-new").await;
    bobs.until(
        "(() => { const s = document.querySelector('.scroller'); \
        return s.scrollHeight - s.scrollTop - s.clientHeight < 2; })()",
    )
    .await;
    bobs.wait_for_message("two below").await;
    // Someone at the bottom stays there.
    long.ann.post("general", "three").await;
    bobs.until(
        "(() => { const s = document.querySelector('.scroller'); \
        return s.textContent.includes('three') && s.scrollHeight - s.scrollTop - s.clientHeight < \
        2; })()",
    )
    .await;
    long.bobs.close().await;
}
