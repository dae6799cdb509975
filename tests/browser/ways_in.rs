//! How people come into a space: from the first page of a new server, on a phone, as guests, and by
//! approval while both look on.

use serde_json::json;

use super::driver::acquire_browsers;
use super::session::Browser;
use crate::support::{PASSWORD, TestServer};

#[tokio::test]
async fn newcomer_on_phone_accepts_rules_and_is_welcomed() {
    let _browsers = acquire_browsers(2).await;
    let server = TestServer::start().await;
    let base = server.base();
    let (ann, bob) = tokio::join!(Browser::open(&base), Browser::open(&base));
    ann.go("/").await;
    for (field, text) in [
        ("community", "Glasshouse"),
        ("name", "Ann"),
        ("email", "ann@example.org"),
        ("password", PASSWORD),
    ] {
        ann.fill(&format!("[name={field}]"), text).await;
    }
    ann.click("main .btn").await;
    ann.wait_text("main h1", "Glasshouse is ready").await;
    // One click from the first page to the link, and one to copy it.
    ann.click("form[action='/act/community.invite'] .btn").await;
    ann.wait_visible(".qr svg").await;
    ann.wait_visible("main [data-copy]").await;
    ann.click("main [data-copy]").await;
    ann.wait_until("document.getElementById('said').textContent.includes('copied')")
        .await;
    let link = ann
        .js("document.querySelector('input[readonly]').value")
        .await;

    ann.click("nav.tabs a[href$='/joining']").await;
    ann.wait_text("main h1", "Joining").await;
    ann.fill("[name=rules]", "Be kind").await;
    ann.click("form[action='/act/community.set-rules-text'] .btn")
        .await;
    ann.wait_until("document.querySelector('[name=rules]')?.value === 'Be kind'")
        .await;
    ann.fill("[name=welcome]", "Come in").await;
    ann.click("form[action='/act/community.set-welcome'] .btn")
        .await;
    ann.wait_until("document.querySelector('[name=welcome]')?.value === 'Come in'")
        .await;

    bob.resize(390, 800).await;
    let opened = bob.client.goto(link.as_str().expect("a link")).await;
    opened.expect("the invitation opens");
    for (field, text) in [
        ("name", "Bob"),
        ("email", "bob@example.org"),
        ("password", PASSWORD),
    ] {
        bob.fill(&format!("[name={field}]"), text).await;
    }
    bob.click("main .btn").await;
    bob.wait_text("main h1", "Rules").await;
    bob.wait_text("main", "Be kind").await;
    // Reads already, and is led back to the rules.
    bob.go("/").await;
    bob.wait_hidden(".compose").await;
    bob.click(".dock .notice a").await;
    bob.wait_text("main h1", "Rules").await;
    bob.click("form[action='/act/community.accept-rules'] .btn")
        .await;
    bob.wait_text("main h1", "Welcome to Glasshouse").await;
    bob.wait_text("main", "Come in").await;
    bob.click("main a[href^='/rooms/']").await;
    bob.wait_visible(".compose textarea").await;
    ann.close().await;
    bob.close().await;
}

#[tokio::test]
async fn guest_reads_live_and_cannot_write() {
    let _browsers = acquire_browsers(1).await;
    let (server, ann) = TestServer::start_with_owner().await;
    let link = ann.invite_with(json!({ "kind": "guest" })).await;
    let gus = Browser::open(&server.base()).await;
    gus.go(&link).await;
    gus.fill("[name=name]", "Gus").await;
    gus.click("main .btn").await;
    gus.wait_text("main h1", "general").await;
    gus.wait_text(".dock .notice", "Guests read only").await;
    gus.wait_hidden(".compose").await;
    ann.post("general", "for all to read").await;
    gus.wait_text(".log .msg .body", "for all to read").await;
    gus.click(".dock .notice a").await;
    gus.wait_text("main", "You read along").await;
    gus.close().await;
}

#[tokio::test]
async fn applicant_is_led_in_while_the_page_is_open() {
    let _browsers = acquire_browsers(2).await;
    let (server, ann) = TestServer::start_with_owner().await;
    let eve = server.stranger("Eve").await;
    let fields = json!({ "space": ann.space, "mode": "approval" });
    ann.act("community.set-joining", fields).await.done();
    let base = server.base();
    let (host, guest) = tokio::join!(
        Browser::signed_in(&ann, &base),
        Browser::signed_in(&eve, &base)
    );
    host.go(&format!("/spaces/{}/applications", ann.space))
        .await;
    host.wait_text("main", "Nobody asks to join").await;
    host.wait_live().await;
    guest.go("/spaces").await;
    guest.click("main .row .btn").await;
    guest.fill("[name=words]", "I grow ferns").await;
    guest
        .click("form[action='/act/community.apply'] .btn")
        .await;
    guest.wait_text("main", "You have asked to join").await;
    guest.wait_live().await;
    // Without a reload, in the list and at the side.
    host.wait_text("main .rows", "I grow ferns").await;
    host.wait_text("#applications-link", "1 person asks to join")
        .await;
    host.click("button[name=accept][value=yes]").await;
    guest
        .wait_until("location.pathname.startsWith('/rooms/')")
        .await;
    guest.wait_visible(".compose textarea").await;
    host.wait_text("main", "Nobody asks to join").await;
    host.close().await;
    guest.close().await;
}
