//! Outage for a while: what the page shows afterwards is exactly what happened.

use std::time::{Duration, Instant};

use serde_json::json;

use super::driver::acquire_browsers;
use super::proxy::Proxy;
use super::session::Browser;
use crate::support::{Message, POLL_INTERVAL, Person, TestServer, WAIT_TIMEOUT};

const DRAFT: &str = "half a thought";

/// Bob behind a link that can fail, in a room with some messages.
struct Outage {
    server: TestServer,
    proxy: Proxy,
    ann: Person,
    bob: Person,
    bob_browser: Browser,
    posted: Vec<Message>,
}

impl Outage {
    async fn start(overrides: &[(&str, &str)], messages: usize) -> Self {
        let mut all = vec![("TIDEPOOL_WRITES_PER_10_SECONDS", "100000")];
        all.extend(overrides);
        let server = TestServer::with(&all).await;
        let ann = server.owner("Ann").await;
        let bob = server.member("Bob").await;
        let mut posted = Vec::new();
        for number in 1..=messages {
            posted.push(ann.post("general", &format!("message {number}")).await);
        }
        let proxy = Proxy::start(server.address()).await;
        let bob_browser = Browser::signed_in(&bob, &proxy.base()).await;
        bob_browser.open_room(&ann.room("general")).await;
        Self {
            server,
            proxy,
            ann,
            bob,
            bob_browser,
            posted,
        }
    }

    /// Ann posts, edits and deletes.
    async fn make_changes(&self, posts: usize) {
        for number in 1..=posts {
            self.ann
                .post("general", &format!("meanwhile {number}"))
                .await;
        }
        let last = self.posted.len() - 1;
        self.ann.edit(&self.posted[last - 1], "said better").await;
        self.ann.delete(&self.posted[last]).await;
    }

    /// The page says that it is alone, but not at once.
    async fn assert_notice_is_delayed(&self, since: Instant) {
        self.bob_browser.wait_visible("#connection").await;
        assert!(
            since.elapsed() > Duration::from_millis(1500),
            "a short break is not worth a word"
        );
    }

    /// Bob's page ends with what a fresh page shows, with the draft where it was.
    async fn assert_equals_fresh_page(self) {
        self.bob_browser.wait_hidden("#connection").await;
        let fresh = Browser::signed_in(&self.bob, &self.server.base()).await;
        fresh.open_room(&self.ann.room("general")).await;
        let expected = fresh.log().await;
        let from = expected[0][0].clone();
        let deadline = Instant::now() + WAIT_TIMEOUT;
        loop {
            let log = self.bob_browser.log().await;
            let all = log.as_array().expect("a list");
            // Bob may have paged further up than a fresh page reaches.
            let start = all
                .iter()
                .position(|message| message[0] == from)
                .unwrap_or(0);
            let shown = json!(all[start..]);
            if shown == expected && self.bob_browser.count("[data-pending]").await == 0 {
                break;
            }
            assert!(
                Instant::now() < deadline,
                "Bob sees {shown:#}\ninstead of {expected:#}"
            );
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        assert_eq!(
            self.bob_browser
                .js("document.querySelector('.compose textarea').value")
                .await,
            DRAFT
        );
        assert_eq!(
            self.bob_browser
                .js(
                    "new Set([...document.querySelectorAll('[id]')].map((one) => one.id)).size === \
                        document.querySelectorAll('[id]').length"
                )
                .await,
            true
        );
        fresh.close().await;
        self.bob_browser.close_after_network_errors().await;
    }
}

#[tokio::test]
async fn reconnect_shows_each_message_once() {
    let _browsers = acquire_browsers(2).await;
    let outage = Outage::start(&[], 8).await;
    let cut = Instant::now();
    outage.proxy.cut();
    outage.bob_browser.send_message("sent while away").await;
    outage
        .bob_browser
        .wait_visible("[data-pending][data-waiting]")
        .await;
    outage
        .bob_browser
        .type_into(".compose textarea", DRAFT)
        .await;
    outage.make_changes(5).await;
    outage.assert_notice_is_delayed(cut).await;
    outage.proxy.restore();
    outage.bob_browser.wait_message("sent while away").await;
    assert_eq!(
        outage
            .ann
            .history("general")
            .await
            .iter()
            .filter(|message| message.body == "sent while away")
            .count(),
        1
    );
    outage.assert_equals_fresh_page().await;
}

#[tokio::test]
async fn reconnect_keeps_scroll_position() {
    let _browsers = acquire_browsers(2).await;
    let outage = Outage::start(&[], 120).await;
    outage
        .bob_browser
        .type_into(".compose textarea", DRAFT)
        .await;
    outage.bob_browser.scroll_up_to(100).await;
    let cut = Instant::now();
    outage.proxy.cut();
    let (id, offset) = outage.bob_browser.first_visible_message().await;
    outage.make_changes(5).await;
    outage.assert_notice_is_delayed(cut).await;
    outage.proxy.restore();
    outage.bob_browser.wait_message("meanwhile 5").await;
    assert!(
        (outage.bob_browser.offset_of_message(&id).await - offset).abs() < 2.0,
        "what was read has moved"
    );
    outage.assert_equals_fresh_page().await;
}

#[tokio::test]
async fn restart_shows_each_message_once() {
    let _browsers = acquire_browsers(2).await;
    let mut outage = Outage::start(&[], 8).await;
    let cut = Instant::now();
    outage.server.stop().await;
    outage.bob_browser.send_message("sent while away").await;
    outage
        .bob_browser
        .wait_visible("[data-pending][data-waiting]")
        .await;
    outage
        .bob_browser
        .type_into(".compose textarea", DRAFT)
        .await;
    outage.assert_notice_is_delayed(cut).await;
    outage.server.start_again().await;
    outage.make_changes(5).await;
    outage.bob_browser.wait_message("sent while away").await;
    // Who writes is heard again too.
    let mut typist = outage.ann.socket().await;
    let deadline = Instant::now() + WAIT_TIMEOUT;
    while !outage
        .bob_browser
        .js("document.querySelector('.typing').textContent")
        .await
        .to_string()
        .contains("Ann")
    {
        typist
            .act("chat.type", json!({ "room": outage.ann.room("general") }))
            .await;
        assert!(Instant::now() < deadline, "nobody is seen writing");
        // Two a second, well below the limit of messages of one socket.
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    outage.assert_equals_fresh_page().await;
}

#[tokio::test]
async fn silent_network_shows_each_message_once() {
    let _browsers = acquire_browsers(2).await;
    let outage = Outage::start(&[], 8).await;
    outage.proxy.stall();
    outage.bob_browser.send_message("sent while away").await;
    outage
        .bob_browser
        .type_into(".compose textarea", DRAFT)
        .await;
    outage.make_changes(5).await;
    outage.bob_browser.wait_visible("#connection").await;
    outage.proxy.restore();
    outage.bob_browser.wait_message("sent while away").await;
    assert_eq!(
        outage
            .ann
            .history("general")
            .await
            .iter()
            .filter(|message| message.body == "sent while away")
            .count(),
        1
    );
    outage.assert_equals_fresh_page().await;
}

#[tokio::test]
async fn long_gap_refetches_present() {
    let _browsers = acquire_browsers(2).await;
    let outage = Outage::start(&[("TIDEPOOL_FEED_FRAMES", "16")], 8).await;
    let cut = Instant::now();
    outage.proxy.cut();
    outage.bob_browser.send_message("sent while away").await;
    outage
        .bob_browser
        .type_into(".compose textarea", DRAFT)
        .await;
    outage.make_changes(40).await;
    outage.assert_notice_is_delayed(cut).await;
    outage.proxy.restore();
    outage.bob_browser.wait_message("sent while away").await;
    outage.bob_browser.wait_message("meanwhile 40").await;
    outage.assert_equals_fresh_page().await;
}

#[tokio::test]
async fn long_gap_refetches_in_history() {
    let _browsers = acquire_browsers(2).await;
    let outage = Outage::start(&[("TIDEPOOL_FEED_FRAMES", "16")], 120).await;
    outage
        .bob_browser
        .type_into(".compose textarea", DRAFT)
        .await;
    outage.bob_browser.scroll_up_to(100).await;
    let cut = Instant::now();
    outage.proxy.cut();
    let (id, offset) = outage.bob_browser.first_visible_message().await;
    outage.make_changes(60).await;
    outage.assert_notice_is_delayed(cut).await;
    outage.proxy.restore();
    outage
        .bob_browser
        .wait_until("document.querySelector('.newer a')")
        .await;
    assert!(
        (outage.bob_browser.offset_of_message(&id).await - offset).abs() < 2.0,
        "what was read has moved"
    );
    // Scrolling down comes to the present.
    outage
        .bob_browser
        .wait_until(
            "(document.querySelector('.scroller').scrollTop += 400, \
        document.querySelector('.log[data-live]') !== null)",
        )
        .await;
    outage.bob_browser.wait_message("meanwhile 60").await;
    outage.assert_equals_fresh_page().await;
}
