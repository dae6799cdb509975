//! Editing a message in place, and drafts.

use serde_json::json;

use super::driver::acquire_browsers;
use super::session::Browser;
use crate::support::TestServer;

const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const UP: &str = "\u{e013}";
const FIELD: &str = ".compose textarea";
const EDIT: &str = "form.edit textarea";

#[tokio::test]
async fn edit_survives_leaving_and_shows_what_changed_elsewhere() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let browser = Browser::signed_in(&ann, &server.base()).await;
    browser.open_room(&ann.room("general")).await;
    browser.type_into(FIELD, &format!("one{ENTER}")).await;
    browser.wait_message("one").await;

    // ↑ edits also what is just being confirmed; Escape returns to the composer.
    browser.type_into(FIELD, &format!("two{ENTER}{UP}")).await;
    browser
        .wait_until(&format!(
            "document.querySelector('{EDIT}')?.value === 'two'"
        ))
        .await;
    browser.type_into(EDIT, ESCAPE).await;
    browser
        .wait_until("document.activeElement === document.querySelector('.compose textarea')")
        .await;

    browser.type_into(FIELD, UP).await;
    browser.type_into(EDIT, ", and more").await;
    browser.click(".side .me > a").await;
    browser.wait_until("location.pathname === '/account'").await;
    browser.open_room(&ann.room("general")).await;
    browser
        .wait_until(&format!(
            "document.querySelector('{EDIT}')?.value === 'two, and more'"
        ))
        .await;

    let message = &ann.history("general").await[1];
    ann.act(
        "chat.edit",
        json!({ "message": message.id, "body": "two, from the phone" }),
    )
    .await
    .done();
    browser
        .wait_text("form.edit .changed", "two, from the phone")
        .await;
    browser.type_into(EDIT, ENTER).await;
    browser.wait_message("two, and more").await;
    browser.wait_hidden("form.edit").await;

    // A page that did not hear of the change hears of it when it saves.
    browser.type_into(FIELD, UP).await;
    browser.wait_visible(EDIT).await;
    browser
        .js("(document.addEventListener('tide:frame', (event) => \
            event.stopImmediatePropagation(), true), true)")
        .await;
    ann.act(
        "chat.edit",
        json!({ "message": message.id, "body": "once more" }),
    )
    .await
    .done();
    browser.fill(EDIT, "mine").await;
    browser.type_into(EDIT, ENTER).await;
    browser.wait_text("form.edit .changed", "once more").await;
    browser.type_into(EDIT, ENTER).await;
    browser.wait_message("mine").await;
    // The refused edit is an answer of 409, which the console tells of.
    browser.close_expecting(|entry| entry.contains("409")).await;
}

#[tokio::test]
async fn draft_sent_in_one_tab_is_gone_in_the_other() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let browser = Browser::signed_in(&ann, &server.base()).await;
    browser.open_room(&ann.room("general")).await;
    browser.type_into(FIELD, "a draft").await;
    let first = browser.new_tab().await;
    browser.open_room(&ann.room("general")).await;
    browser
        .wait_until(&format!(
            "document.querySelector('{FIELD}').value === 'a draft'"
        ))
        .await;
    browser.type_into(FIELD, ENTER).await;
    browser.wait_message("a draft").await;
    browser.to_tab(first).await;
    browser
        .wait_until(&format!("document.querySelector('{FIELD}').value === ''"))
        .await;
    browser.close().await;
}
