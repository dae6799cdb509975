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

/// The characters that are shown before the program has echoed them.
const PREDICTED: &str = "(() => {
  const shown = document.querySelector('.terminal-prediction');
  return shown && !shown.hidden ? shown.textContent : '-';
})()";

#[tokio::test]
async fn keys_are_predicted_only_where_the_program_echoes() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let room = ann.room("general");
    let token = ann.terminal_token().await;
    let sharing = Sharer::begin(&server, &token, Sharer::hello(&room)).await;
    let mut sharer = sharing.expect("it is shared");
    sharer.write("$ ").await;
    let browser = Browser::signed_in(&ann, &server.base()).await;
    browser
        .go(&format!("/rooms/{room}/terminals/{}", sharer.terminal))
        .await;
    browser.terminal_shows("$").await;
    browser.wait_text(".terminal-status", "You may type").await;
    // A slow connection: what the page sends is under way for long.
    let slow = "(() => {
      const { send } = WebSocket.prototype;
      WebSocket.prototype.send = function (data) { setTimeout(() => send.call(this, data), 800); };
      return true;
    })()";
    browser.js(slow).await;
    let delay = "parseInt(document.querySelector('.terminal-latency bdi').textContent) > 700";
    browser.wait_until(delay).await;
    browser.click(".terminal-screen").await;

    // The first key is not shown before its echo, the next ones are.
    browser.press_keys("a").await;
    assert_eq!(browser.js(PREDICTED).await, "-");
    sharer.expect_input("a").await;
    sharer.write("a").await;
    browser.terminal_shows("$ a").await;
    browser.press_keys("bc").await;
    assert_eq!(browser.js(PREDICTED).await, "bc");
    sharer.expect_input("abc").await;
    sharer.write("b").await;
    browser.wait_until(&format!("{PREDICTED} === 'c'")).await;
    sharer.write("c").await;
    browser.wait_until(&format!("{PREDICTED} === '-'")).await;
    browser.terminal_shows("$ abc").await;

    // Wrong ones go as soon as the program shows something else.
    browser.press_keys("d").await;
    assert_eq!(browser.js(PREDICTED).await, "d");
    sharer.write("x").await;
    browser.wait_until(&format!("{PREDICTED} === '-'")).await;

    // A password is never shown: the program has echoed nothing on its row.
    browser.press_keys("\u{e007}").await;
    sharer.write("\r\nPassword: ").await;
    browser.terminal_shows("Password").await;
    browser.press_keys("pearl").await;
    assert_eq!(browser.js(PREDICTED).await, "-");
    sharer.expect_input("abcd\rpearl").await;
}

#[tokio::test]
async fn dropped_file_is_offered_to_the_sharer() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let room = ann.room("general");
    let token = ann.terminal_token().await;
    let mut hello = Sharer::hello(&room);
    hello["takes_files"] = json!(true);
    let sharing = Sharer::begin(&server, &token, hello).await;
    let mut sharer = sharing.expect("it is shared");
    let browser = Browser::signed_in(&ann, &server.base()).await;
    browser
        .go(&format!("/rooms/{room}/terminals/{}", sharer.terminal))
        .await;
    browser.wait_text(".terminal-status", "You may type").await;
    let drop = "(() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(['pearls'], 'shore.txt', { type: 'text/plain' }));
      const event = new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true });
      document.querySelector('.terminal-screen').dispatchEvent(event);
      return event.defaultPrevented;
    })()";
    browser.js("window.stays = true").await;
    browser.wait_until(drop).await;
    browser
        .wait_text(".terminal-sent", "the sharer is asked")
        .await;
    let offer = sharer.next_note().await;
    assert_eq!(
        (&offer["type"], &offer["name"]),
        (&json!("file-offer"), &json!("shore.txt"))
    );
    let file = offer["file"].clone();
    let takes = json!({ "type": "file-answer", "file": file, "takes": true });
    sharer.note(&takes.to_string()).await;
    assert_eq!(sharer.next_piece().await, b"pearls");
    browser.wait_text(".terminal-sent", "on its way").await;
    let end = json!({ "type": "file-end", "file": file, "stored_as": "shore (1).txt" });
    sharer.note(&end.to_string()).await;
    browser
        .wait_text(".terminal-sent", "is there as “shore (1).txt”")
        .await;
    assert_eq!(browser.js("window.stays").await, true);
    assert_accessible(&browser, "on a page with files", &["light", "dark"]).await;
}
