//! Roles as they are made and given in the pages, and as open windows of others follow them.

use serde_json::json;

use super::driver::acquire_browsers;
use super::session::Browser;
use super::two_people;
use crate::support::TestServer;

/// The sidebar of somebody who may delete what others wrote.
const STEWARD: &str = "#sidebar[data-can~=moderate]";

#[tokio::test]
async fn role_is_made_given_and_felt_in_open_windows() {
    let _browsers = acquire_browsers(2).await;
    let two = two_people::start(&[]).await;
    let (ann, bob) = (&two.ann_browser, &two.bob_browser);
    two.ann.post("general", "who may take this away").await;
    bob.wait_message("who may take this away").await;
    bob.wait_until(&hidden(STEWARD)).await;

    ann.go(&format!("/spaces/{}/roles", two.ann.space)).await;
    ann.click("a[href$='/roles/new']").await;
    ann.wait_visible("[name=name]").await;
    ann.fill("[name=name]", "Gardeners").await;
    ann.click("input[value=moss]").await;
    ann.click("input[value='chat.moderate']").await;
    ann.click("form[action='/act/community.create-role'] .btn")
        .await;
    ann.wait_text("main h1", "Gardeners").await;
    ann.wait_text("[aria-labelledby=role-sees]", "Delete what others wrote")
        .await;

    ann.click("nav.tabs a[href$='/members']").await;
    ann.wait_text("main h1", "Members").await;
    ann.fill("main [type=search]", "bo").await;
    ann.click("form[role=search] .btn").await;
    ann.wait_until("document.querySelectorAll('main .rows > .row').length === 1")
        .await;
    ann.click("main .rows a").await;
    ann.wait_text("main h1", "Bob").await;
    give(ann, "Gardeners").await;
    // Without a reload.
    bob.wait_until(&format!("!({})", hidden(STEWARD))).await;
    give(ann, "Gardeners").await;
    bob.wait_until(&hidden(STEWARD)).await;

    ann.click("nav.tabs a[href$='/audit']").await;
    ann.wait_text("main tbody", "Gave a role to: Bob").await;
    ann.wait_text("main tbody", "Gardeners").await;
    two.ann_browser.close().await;
    two.bob_browser.close().await;
}

#[tokio::test]
async fn composer_of_open_page_follows_what_its_reader_may() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let bob = server.member("Bob").await;
    let page = Browser::signed_in(&bob, &server.base()).await;
    let general = bob.room("general");
    page.open_room(&general).await;
    page.type_into(".compose textarea", "half a thought").await;
    let time_out = |minutes: &str| {
        let fields = json!({ "space": ann.space, "account": bob.id, "minutes": minutes });
        ann.act("community.time-out", fields)
    };
    time_out("5").await.done();
    page.wait_text(".dock .notice", "timed you out").await;
    time_out("0").await.done();
    page.wait_until("document.querySelector('.compose textarea')?.value === 'half a thought'")
        .await;
    let change = |read_only: &str| {
        let fields = json!({ "room": general, "name": "general", "read_only": read_only });
        ann.act("community.change-room", fields)
    };
    change("yes").await.done();
    page.wait_text(".dock .notice", "read-only").await;
    change("").await.done();
    page.wait_visible(".compose textarea").await;
    page.close().await;
}

/// Presses the button that gives or takes a role, and waits for the page after it.
pub(super) async fn give(page: &Browser, role: &str) {
    let button = format!(
        "[...document.querySelectorAll(\"form[action='/act/community.give-role']\")]\
         .find((form) => form.textContent.includes('{role}'))"
    );
    let before = page.js(&format!("{button}.elements.give.value")).await;
    page.js(&format!("{button}.querySelector('button').click()"))
        .await;
    page.wait_until(&format!("{button}?.elements.give.value !== {before}"))
        .await;
}

/// Whether no element of a selector is displayed: messages show their controls on hover only.
fn hidden(css: &str) -> String {
    format!(
        "[...document.querySelectorAll('{css}')].every((one) => \
         getComputedStyle(one).display === 'none')"
    )
}
