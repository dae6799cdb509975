//! Signing out: what the browser has kept of the account is gone.

use serde_json::json;

use super::driver::acquire_browsers;
use super::session::Browser;
use crate::support::TestServer;

#[tokio::test]
async fn sign_out_removes_drafts_and_back_shows_nothing() {
    let _browsers = acquire_browsers(1).await;
    let (server, ann) = TestServer::start_with_owner().await;
    ann.post("general", "between us").await;
    let browser = Browser::signed_in(&ann, &server.base()).await;
    browser.open_room(&ann.room("general")).await;
    browser
        .type_into(".compose textarea", "half a thought")
        .await;
    browser
        .wait_until("Object.keys(localStorage).some(key => key.startsWith('draft:'))")
        .await;
    let outbox = format!("localStorage.setItem('outbox:{}', '[]')", ann.id);
    browser.js(&outbox).await;
    browser
        .js("localStorage.setItem('draft:1:2', 'of another account')")
        .await;
    browser.click("form[action='/sign-out'] button").await;
    browser.wait_visible("[name=login]").await;
    let left = browser.js("Object.keys(localStorage)").await;
    assert_eq!(left, json!(["draft:1:2"]));
    browser.client.back().await.expect("there is a page before");
    browser.wait_visible("[name=login]").await;
    assert_eq!(browser.count(".msg").await, 0);
    close_after_refusals(browser).await;
}

#[tokio::test]
async fn kept_page_is_not_shown_after_session_ended() {
    let _browsers = acquire_browsers(1).await;
    let (server, ann) = TestServer::start_with_owner().await;
    ann.post("general", "between us").await;
    let browser = Browser::signed_in(&ann, &server.base()).await;
    browser.open_room(&ann.room("general")).await;
    let away = browser.client.goto("about:blank").await;
    away.expect("an empty page opens");
    // On another device: this browser is not told to clear its cache.
    ann.form("/sign-out", &[]).await.location();
    browser.client.back().await.expect("there is a page before");
    browser.wait_visible("[name=login]").await;
    assert_eq!(browser.count(".msg").await, 0);
    close_after_refusals(browser).await;
}

/// Leaves; the kept page may say that it was refused, and nothing else.
async fn close_after_refusals(browser: Browser) {
    let refused = [
        "status of 401",
        "HTTP Authentication failed",
        "htmx:ws:error",
    ];
    let is_refusal = |entry: &str| refused.iter().any(|words| entry.contains(words));
    browser.close_expecting(is_refusal).await;
}
