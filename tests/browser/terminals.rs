//! Shared terminals in browsers: two people, one of whom is let type.

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use serde_json::json;

use super::driver::acquire_browsers;
use super::pages::assert_accessible;
use super::session::Browser;
use crate::support::{Sharer, TestServer};

impl Browser {
    /// Waits until the screen of the terminal on the page shows a text.
    async fn terminal_shows(&self, text: &str) {
        let rows = "document.querySelector('.xterm-rows')?.textContent.replaceAll('\\u00a0', ' ')";
        self.wait_until(&format!("({rows} ?? '').includes({text:?})"))
            .await;
    }

    /// Presses keys one after the other, wherever the focus is.
    async fn press_keys(&self, text: &str) {
        let mut keys = KeyActions::new("keys".to_owned());
        for value in text.chars() {
            keys = keys.then(KeyAction::Down { value });
            keys = keys.then(KeyAction::Up { value });
        }
        let pressed = self.client.perform_actions(keys).await;
        pressed.expect("keys are pressed");
    }
}

#[tokio::test]
async fn two_people_watch_and_the_one_who_may_types() {
    let _browsers = acquire_browsers(2).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let bob = server.member("Bob").await;
    let room = ann.room("general");
    let token = ann.terminal_token().await;
    let sharing = Sharer::begin(&server, &token, Sharer::hello(&room)).await;
    let mut sharer = sharing.expect("it is shared");
    sharer
        .write("\x1b[38;2;250;120;10m潮だまり 🌊 שלום\x1b[0m\r\n$ ")
        .await;
    let path = format!("/rooms/{room}/terminals/{}", sharer.terminal);

    let base = server.base();
    let (host, guest) = (
        Browser::signed_in(&ann, &base).await,
        Browser::signed_in(&bob, &base).await,
    );
    for browser in [&host, &guest] {
        browser.go(&path).await;
        browser.terminal_shows("潮だまり").await;
        browser.terminal_shows("🌊").await;
    }
    // Colours and cells stand although the policy forbids inline styles.
    let color = "getComputedStyle(document.querySelector('.xterm-rows span[style*=color]')).color";
    guest
        .wait_until(&format!("{color}.startsWith('rgb(2')"))
        .await;
    guest
        .wait_text(".terminal-status", "You are watching")
        .await;
    // What is typed without the right reaches nobody.
    guest.click(".terminal-screen").await;
    guest.press_keys("x").await;

    guest.click(".terminal-people .own button").await;
    host.wait_text(".terminal-people", "wants to type").await;
    host.js("window.stays = true").await;
    host.click(&format!(
        ".terminal-people [data-account='{}'] .of-host button",
        bob.id
    ))
    .await;
    guest.wait_text(".terminal-status", "You may type").await;
    host.wait_text(".terminal-people", "may type").await;
    assert_eq!(
        host.js("window.stays").await,
        true,
        "the page is not loaded anew"
    );
    guest.click(".terminal-screen").await;
    guest.press_keys("ls 世").await;
    sharer.expect_input("ls 世").await;
    sharer.write("ls 世\r\nshore").await;
    for browser in [&host, &guest] {
        browser.terminal_shows("shore").await;
    }
    assert_accessible(&guest, "on the page of a terminal", &["light", "dark"]).await;
    host.go(&format!("/rooms/{room}/terminals")).await;
    host.wait_text(".terminal-thumbnail", "shore").await;
    assert_accessible(
        &host,
        "on the page of a room's terminals",
        &["light", "dark"],
    )
    .await;

    let lock = json!({ "terminal": sharer.terminal, "locked": "yes" });
    ann.act("terminals.lock", lock).await.done();
    guest
        .wait_text(".terminal-status", "You are watching")
        .await;
    sharer.exit(0).await;
    guest.wait_text(".terminal-status", "has ended").await;
}
