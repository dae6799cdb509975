//! Away for a while: what the page shows afterwards is exactly what happened.

use std::time::{Duration, Instant};

use serde_json::json;

use super::driver::reserve_browsers;
use super::proxy::Link;
use super::session::Browser;
use crate::support::{Message, PATIENCE, POLL_INTERVAL, Person, TestServer};

const DRAFT: &str = "half a thought";

/// Bob behind a link that can fail, in a room with some messages.
struct Away {
    server: TestServer,
    link: Link,
    ann: Person,
    bob: Person,
    bobs: Browser,
    posted: Vec<Message>,
}

impl Away {
    async fn begin(overrides: &[(&str, &str)], messages: usize) -> Self {
        let mut all = vec![("TIDEPOOL_WRITES_PER_10_SECONDS", "100000")];
        all.extend(overrides);
        let server = TestServer::with(&all).await;
        let ann = server.owner("Ann").await;
        let bob = server.member("Bob").await;
        let mut posted = Vec::new();
        for number in 1..=messages {
            posted.push(ann.post("general", &format!("message {number}")).await);
        }
        let link = Link::to(server.address()).await;
        let bobs = Browser::signed_in(&bob, &link.base()).await;
        bobs.open_room(&ann.room("general")).await;
        Self {
            server,
            link,
            ann,
            bob,
            bobs,
            posted,
        }
    }

    /// Ann posts, edits and deletes.
    async fn post_edit_and_delete(&self, posts: usize) {
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
    async fn wait_for_notice(&self, since: Instant) {
        self.bobs.wait_for_visible("#connection").await;
        assert!(
            since.elapsed() > Duration::from_millis(1500),
            "a short break is not worth a word"
        );
    }

    /// Bob's page ends with what a fresh page shows, with the draft where it was.
    async fn compare_with_fresh_page(self) {
        self.bobs.wait_for_hidden("#connection").await;
        let fresh = Browser::signed_in(&self.bob, &self.server.base()).await;
        fresh.open_room(&self.ann.room("general")).await;
        let expected = fresh.log().await;
        let from = expected[0][0].clone();
        let started = Instant::now();
        loop {
            let log = self.bobs.log().await;
            let all = log.as_array().expect("a list");
            // Bob may have paged further up than a fresh page reaches.
            let start = all
                .iter()
                .position(|message| message[0] == from)
                .unwrap_or(0);
            let shown = json!(all[start..]);
            if shown == expected && self.bobs.count("[data-pending]").await == 0 {
                break;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "Bob sees {shown:#}\ninstead of {expected:#}"
            );
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        assert_eq!(
            self.bobs
                .js("document.querySelector('.compose textarea').value")
                .await,
            DRAFT
        );
        assert_eq!(
            self.bobs
                .js(
                    "new Set([...document.querySelectorAll('[id]')].map((one) => \
                     one.id)).size === document.querySelectorAll('[id]').length"
                )
                .await,
            true
        );
        fresh.close().await;
        self.bobs.close_after_network_errors().await;
    }
}

#[tokio::test]
async fn reconnect_shows_each_message_once() {
    let _permit = reserve_browsers(2).await;
    let away = Away::begin(&[], 8).await;
    let cut = Instant::now();
    away.link.cut();
    away.bobs.post_message("sent while away").await;
    away.bobs
        .wait_for_visible("[data-pending][data-waiting]")
        .await;
    away.bobs.type_into(".compose textarea", DRAFT).await;
    away.post_edit_and_delete(5).await;
    away.wait_for_notice(cut).await;
    away.link.restore();
    away.bobs.wait_for_message("sent while away").await;
    assert_eq!(
        away.ann
            .history("general")
            .await
            .iter()
            .filter(|message| message.body == "sent while away")
            .count(),
        1
    );
    away.compare_with_fresh_page().await;
}

#[tokio::test]
async fn reconnect_keeps_scroll_position() {
    let _permit = reserve_browsers(2).await;
    let away = Away::begin(&[], 120).await;
    away.bobs.type_into(".compose textarea", DRAFT).await;
    away.bobs.scroll_up_to(100).await;
    let cut = Instant::now();
    away.link.cut();
    let (id, offset) = away.bobs.first_visible_message().await;
    away.post_edit_and_delete(5).await;
    away.wait_for_notice(cut).await;
    away.link.restore();
    away.bobs.wait_for_message("meanwhile 5").await;
    assert!(
        (away.bobs.offset_of(&id).await - offset).abs() < 2.0,
        "what was read has moved"
    );
    away.compare_with_fresh_page().await;
}

#[tokio::test]
async fn restart_shows_each_message_once() {
    let _permit = reserve_browsers(2).await;
    let mut away = Away::begin(&[], 8).await;
    away.server.stop().await;
    let cut = Instant::now();
    away.bobs.post_message("sent while away").await;
    away.bobs
        .wait_for_visible("[data-pending][data-waiting]")
        .await;
    away.bobs.type_into(".compose textarea", DRAFT).await;
    away.wait_for_notice(cut).await;
    away.server.start_again().await;
    away.post_edit_and_delete(5).await;
    away.bobs.wait_for_message("sent while away").await;
    // Who writes is heard again too.
    let mut typist = away.ann.socket().await;
    let asked = Instant::now();
    while !away
        .bobs
        .js("document.querySelector('.typing').textContent")
        .await
        .to_string()
        .contains("Ann")
    {
        typist
            .act("chat.type", json!({ "room": away.ann.room("general") }))
            .await;
        assert!(asked.elapsed() < PATIENCE, "nobody is seen writing");
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    away.compare_with_fresh_page().await;
}

#[tokio::test]
async fn silent_network_shows_each_message_once() {
    let _permit = reserve_browsers(2).await;
    let away = Away::begin(&[], 8).await;
    away.link.stall();
    away.bobs.post_message("sent while away").await;
    away.bobs.type_into(".compose textarea", DRAFT).await;
    away.post_edit_and_delete(5).await;
    away.bobs.wait_for_visible("#connection").await;
    away.link.restore();
    away.bobs.wait_for_message("sent while away").await;
    assert_eq!(
        away.ann
            .history("general")
            .await
            .iter()
            .filter(|message| message.body == "sent while away")
            .count(),
        1
    );
    away.compare_with_fresh_page().await;
}

#[tokio::test]
async fn long_gap_refetches_present() {
    let _permit = reserve_browsers(2).await;
    let away = Away::begin(&[("TIDEPOOL_FEED_FRAMES", "16")], 8).await;
    let cut = Instant::now();
    away.link.cut();
    away.bobs.post_message("sent while away").await;
    away.bobs.type_into(".compose textarea", DRAFT).await;
    away.post_edit_and_delete(40).await;
    away.wait_for_notice(cut).await;
    away.link.restore();
    away.bobs.wait_for_message("sent while away").await;
    away.bobs.wait_for_message("meanwhile 40").await;
    away.compare_with_fresh_page().await;
}

#[tokio::test]
async fn long_gap_refetches_in_history() {
    let _permit = reserve_browsers(2).await;
    let away = Away::begin(&[("TIDEPOOL_FEED_FRAMES", "16")], 120).await;
    away.bobs.type_into(".compose textarea", DRAFT).await;
    away.bobs.scroll_up_to(100).await;
    let cut = Instant::now();
    away.link.cut();
    let (id, offset) = away.bobs.first_visible_message().await;
    away.post_edit_and_delete(60).await;
    away.wait_for_notice(cut).await;
    away.link.restore();
    away.bobs.until("document.querySelector('.newer a')").await;
    assert!(
        (away.bobs.offset_of(&id).await - offset).abs() < 2.0,
        "what was read has moved"
    );
    // Scrolling down comes to the present.
    away.bobs
        .until(
            "(document.querySelector('.scroller').scrollTop += 400, \
        document.querySelector('.log[data-live]') !== null)",
        )
        .await;
    away.bobs.wait_for_message("meanwhile 60").await;
    away.compare_with_fresh_page().await;
}
