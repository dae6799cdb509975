//! History: endless both ways, without moving what is read.

use super::driver::acquire_browsers;
use super::session::Browser;
use crate::support::{Message, Person, TestServer};

struct LongHistory {
    server: TestServer,
    ann: Person,
    bob_browser: Browser,
    posted: Vec<Message>,
}

/// Bob signed in where Ann has posted 180 messages.
async fn long() -> LongHistory {
    let server = TestServer::with(&[("TIDEPOOL_WRITES_PER_10_SECONDS", "100000")]).await;
    let ann = server.owner("Ann").await;
    let bob = server.member("Bob").await;
    let mut posted = Vec::new();
    for number in 1..=180 {
        posted.push(ann.post("general", &format!("message {number}")).await);
    }
    let bob_browser = Browser::signed_in(&bob, &server.base()).await;
    LongHistory {
        server,
        ann,
        bob_browser,
        posted,
    }
}

impl LongHistory {
    /// The log holds every message once, in order.
    async fn assert_log_is_complete(&self, bob_browser: &Browser) {
        let ids: Vec<String> = self
            .posted
            .iter()
            .map(|message| format!("m-{}", message.id))
            .collect();
        bob_browser.wait_until(&format!(
            "JSON.stringify([...document.querySelectorAll('.log > .msg')].map((one) => one.id)) \
                === '{}'",
            serde_json::json!(ids)
        ))
        .await;
    }
}

#[tokio::test]
async fn scrolling_up_keeps_scroll_position() {
    let _browsers = acquire_browsers(1).await;
    let long = long().await;
    let bob_browser = &long.bob_browser;
    bob_browser.open_room(&long.ann.room("general")).await;
    assert_eq!(bob_browser.count(".log > .msg").await, 50);
    while bob_browser.count(".older a").await > 0 {
        bob_browser
            .wait_until("!document.querySelector('.htmx-request')")
            .await;
        let (before, shown) = (
            bob_browser.first_visible_message().await,
            bob_browser.count(".log > .msg").await,
        );
        // Far enough for the next stretch to be fetched, and not so far that what was seen leaves
        // the page.
        bob_browser
            .js("(document.querySelector('.scroller').scrollTop = 400, true)")
            .await;
        let held = bob_browser.first_visible_message().await;
        bob_browser
            .wait_until(&format!(
                "document.querySelectorAll('.log > .msg').length > {shown} \
            || !document.querySelector('.older a')"
            ))
            .await;
        let now = bob_browser.offset_of_message(&held.0).await;
        assert!(
            (now - held.1).abs() < 2.0,
            "what was read moved from {} to {now} (before: {before:?})",
            held.1
        );
    }
    long.assert_log_is_complete(bob_browser).await;
    long.bob_browser.close().await;
}

#[tokio::test]
async fn permalink_leads_back_to_present() {
    let _browsers = acquire_browsers(1).await;
    let long = long().await;
    let bob_browser = &long.bob_browser;
    let target = &long.posted[59].id;
    bob_browser.go(&format!("/messages/{target}")).await;
    bob_browser.wait_live().await;
    bob_browser
        .wait_visible(&format!("#m-{target}.highlight"))
        .await;
    let (top, height) = (
        bob_browser.offset_of_message(&format!("m-{target}")).await,
        bob_browser
            .js("document.querySelector('.scroller').clientHeight")
            .await,
    );
    assert!(
        top > 0.0 && top < height.as_f64().expect("a height"),
        "the message is in view"
    );
    assert_eq!(
        bob_browser.count(".log[data-live]").await,
        0,
        "this is the past"
    );

    // What is said meanwhile is not put after messages of the past.
    long.ann.post("general", "in the present").await;
    bob_browser.wait_text(".pill-new", "1 new").await;
    assert_eq!(
        bob_browser
            .js(
                "[...document.querySelectorAll('.log > .msg .body')].some((one) => \
            one.textContent === 'in the present')"
            )
            .await,
        false
    );
    bob_browser
        .wait_until(
            "(document.querySelector('.scroller').scrollTop += 400, \
        document.querySelector('.log[data-live]') !== null)",
        )
        .await;
    bob_browser.wait_message("in the present").await;
    bob_browser
        .js("(document.querySelector('.scroller').scrollTop = 1e9, true)")
        .await;
    bob_browser.wait_hidden(".pill-new").await;
    long.ann.post("general", "live again").await;
    bob_browser.wait_message("live again").await;
    long.bob_browser.close().await;
}

#[tokio::test]
async fn message_link_in_page_shows_message() {
    let _browsers = acquire_browsers(1).await;
    let long = long().await;
    let bob_browser = &long.bob_browser;
    long.ann
        .post(
            "general",
            &format!("see {}/messages/{}", long.server.base(), long.posted[20].id),
        )
        .await;
    bob_browser.open_room(&long.ann.room("general")).await;
    bob_browser.click(".msg:last-child .body a").await;
    bob_browser
        .wait_visible(&format!("#m-{}.highlight", long.posted[20].id))
        .await;
    long.bob_browser.close().await;
}

#[tokio::test]
async fn unread_pill_counts_and_scrolls_down() {
    let _browsers = acquire_browsers(1).await;
    let long = long().await;
    let bob_browser = &long.bob_browser;
    bob_browser.open_room(&long.ann.room("general")).await;
    bob_browser.scroll_up_to(100).await;
    let (id, offset) = bob_browser.first_visible_message().await;
    long.ann.post("general", "one below").await;
    bob_browser.wait_text(".pill-new", "1 new").await;
    long.ann.post("general", "two below").await;
    bob_browser.wait_text(".pill-new", "2 new").await;
    assert!(
        (bob_browser.offset_of_message(&id).await - offset).abs() < 2.0,
        "what was read has moved"
    );
    bob_browser.click(".pill-new").await;
    bob_browser.wait_hidden(".pill-new").await;
    bob_browser
        .wait_until(
            "(() => { const s = document.querySelector('.scroller'); return \
        s.scrollHeight - s.scrollTop - s.clientHeight < 2; })()",
        )
        .await;
    bob_browser.wait_message("two below").await;
    // Someone at the bottom stays there.
    long.ann.post("general", "three").await;
    bob_browser
        .wait_until(
            "(() => { const s = document.querySelector('.scroller'); return \
        s.textContent.includes('three') && s.scrollHeight - s.scrollTop - s.clientHeight < 2; })()",
        )
        .await;
    long.bob_browser.close().await;
}
