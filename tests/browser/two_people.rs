//! What most tests begin with: a server, Ann who owns it, Bob whom she invited, and their browsers.

use serde_json::{Value, json};

use super::session::Browser;
use crate::support::{Person, TestServer};

/// Ann and Bob, each before a browser that shows `#general`.
pub struct TwoPeople {
    pub server: TestServer,
    pub ann: Person,
    pub bob: Person,
    pub ann_browser: Browser,
    pub bob_browser: Browser,
}

/// Both in `#general`.
pub async fn start(overrides: &[(&str, &str)]) -> TwoPeople {
    let server = TestServer::with(overrides).await;
    let ann = server.owner("Ann").await;
    let bob = server.member("Bob").await;
    let base = server.base();
    let (ann_browser, bob_browser) = tokio::join!(
        Browser::signed_in(&ann, &base),
        Browser::signed_in(&bob, &base)
    );
    let general = ann.room("general");
    tokio::join!(
        ann_browser.open_room(&general),
        bob_browser.open_room(&general)
    );
    TwoPeople {
        server,
        ann,
        bob,
        ann_browser,
        bob_browser,
    }
}

impl Browser {
    /// Opens a room and waits until it is live.
    pub async fn open_room(&self, room: &str) {
        self.go(&format!("/rooms/{room}")).await;
        self.wait_live().await;
    }

    /// Waits until the socket is open.
    pub async fn wait_live(&self) {
        self.wait_until(
            "htmx.findAll('#live')[0]?._htmx?.ws?.connection?.socket?.readyState === 1",
        )
        .await;
    }

    /// The log as it stands: id, revision and text of every message.
    pub async fn log(&self) -> Value {
        self.js(
            "[...document.querySelectorAll('.log > .msg:not([data-pending])')]
                .map((one) => [one.id, one.dataset.rev, \
            one.querySelector('.body').textContent.trim()])",
        )
        .await
    }

    /// Waits until a message with this text stands in the log.
    pub async fn wait_message(&self, text: &str) {
        self.wait_text(".log > .msg:not([data-pending]) .body", text)
            .await;
    }

    /// Scrolls up until the log holds this many messages and nothing more is on its way.
    pub async fn scroll_up_to(&self, messages: usize) {
        let scroller = "document.querySelector('.scroller')";
        self.wait_until(&format!(
            "document.querySelectorAll('.log > .msg').length >= {messages}
                ? !document.querySelector('.htmx-request')
                : ({scroller}.scrollTop = Math.min({scroller}.scrollTop, 300), false)"
        ))
        .await;
    }

    /// The id attribute of the message with this text.
    pub async fn message(&self, text: &str) -> String {
        let text = json!(text);
        let found = format!(
            "[...document.querySelectorAll('.log > .msg')].find((one) => \
                one.querySelector('.body').textContent.trim() === {text})?.id"
        );
        self.wait_until(&found)
            .await
            .as_str()
            .expect("an id")
            .to_owned()
    }

    /// The first message that can be seen whole, and how far below the top of the log it stands.
    pub async fn first_visible_message(&self) -> (String, f64) {
        let found = self
            .js("(() => {
                const top = document.querySelector('.scroller').getBoundingClientRect().top;
                const first = [...document.querySelectorAll('.log > .msg')].find((one) => \
                one.getBoundingClientRect().top >= top);
                return [first.id, first.getBoundingClientRect().top - top];
            })()")
            .await;
        (
            found[0].as_str().expect("an id").to_owned(),
            found[1].as_f64().expect("an offset"),
        )
    }

    /// How far below the top of the log a message stands.
    pub async fn offset_of_message(&self, id: &str) -> f64 {
        let script = format!(
            "document.getElementById('{id}').getBoundingClientRect().top - \
                document.querySelector('.scroller').getBoundingClientRect().top"
        );
        self.js(&script).await.as_f64().expect("an offset")
    }
}
