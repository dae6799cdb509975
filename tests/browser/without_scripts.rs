//! Without JavaScript: everything but liveness.

use super::driver::acquire_browsers;
use super::session::{Browser, Kind};
use crate::support::{PASSWORD, TestServer};

const PLAIN: Kind = Kind {
    without_scripts: true,
    host: None,
    language: None,
    phone: false,
    without_udp: false,
};

/// The answer to a refused form is a page with an error status, which the console repeats.
fn refused(entry: &str) -> bool {
    entry.contains("status of 4")
}

#[tokio::test]
async fn community_works_without_scripts() {
    let _browsers = acquire_browsers(2).await;
    let server = TestServer::start().await;
    let base = server.base();
    let (ann, bob) = tokio::join!(Browser::of(PLAIN, &base), Browser::of(PLAIN, &base));
    ann.go("/").await;
    // An address that the browser lets pass and the server does not.
    let endless = format!("ann@{}org", "example.".repeat(40));
    for (field, text) in [
        ("community", "Glasshouse"),
        ("name", "Ann"),
        ("email", endless.as_str()),
        ("password", PASSWORD),
    ] {
        ann.fill(&format!("[name={field}]"), text).await;
    }
    ann.click("main .btn").await;
    ann.wait_visible("#f-email-error").await;
    assert_eq!(
        ann.js("document.querySelector('[name=email]').value").await,
        endless.as_str(),
        "what was typed is kept"
    );
    ann.fill("[name=email]", "ann@example.org").await;
    ann.fill("[name=password]", PASSWORD).await;
    ann.click("main .btn").await;
    ann.wait_visible("form[action='/act/community.invite']")
        .await;
    ann.go("/").await;
    ann.wait_text("main h1", "general").await;
    let room = ann.path().await;

    ann.click(".side > header a").await;
    ann.click("nav.tabs a[href$='/invitations']").await;
    ann.click("form[action='/act/community.invite'] button")
        .await;
    ann.wait_visible("input[readonly]").await;
    let link = ann
        .js("document.querySelector('input[readonly]').value")
        .await;
    bob.client
        .goto(link.as_str().expect("a link"))
        .await
        .expect("the invitation opens");
    for (field, text) in [
        ("name", "Bob"),
        ("email", "bob@example.org"),
        ("password", PASSWORD),
    ] {
        bob.fill(&format!("[name={field}]"), text).await;
    }
    bob.click("main .btn").await;
    bob.wait_text("main h1", "general").await;

    ann.go(&room).await;
    ann.type_into(".compose textarea", "plain words").await;
    ann.click(".compose .send").await;
    ann.wait_text(".log .msg .body", "plain words").await;
    bob.reload().await;
    bob.wait_text(".log .msg .body", "plain words").await;

    ann.js("(document.querySelector('.msg .when').focus(), true)")
        .await;
    ann.click(".msg [data-act=edit]").await;
    ann.fill("main textarea", "plainer words").await;
    ann.click("main form .btn").await;
    ann.wait_text(".log .msg .body", "plainer words").await;
    ann.js("(document.querySelector('.msg .when').focus(), true)")
        .await;
    ann.click(".msg [data-act=menu]").await;
    ann.click("main [data-act=delete]").await;
    ann.click("main form .btn.danger").await;
    ann.wait_visible(".log .msg[data-deleted]").await;

    // Too long: the words are kept, and what is wrong stands beside them.
    bob.js(&format!(
        "(document.querySelector('.compose textarea').value = '{}', true)",
        "long ".repeat(900)
    ))
    .await;
    bob.click(".compose .send").await;
    bob.wait_text(".compose .error", "4").await;
    assert_eq!(
        bob.js("document.querySelector('.compose textarea').value.trim().length")
            .await,
        4499
    );

    bob.go("/account").await;
    bob.click("main form[action='/sign-out'] button").await;
    bob.go("/sign-in").await;
    bob.fill("[name=login]", "Bob").await;
    bob.fill("[name=password]", PASSWORD).await;
    bob.click("main .btn").await;
    bob.wait_text("main h1", "general").await;
    ann.close_expecting(refused).await;
    bob.close_expecting(refused).await;
}

#[tokio::test]
async fn history_is_paged_without_scripts() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::with(&[("TIDEPOOL_WRITES_PER_10_SECONDS", "100000")]).await;
    let ann = server.owner("Ann").await;
    for number in 1..=120 {
        ann.post("general", &format!("message {number}.")).await;
    }
    let page = Browser::signed_in_as(PLAIN, &ann, &server.base()).await;
    page.go(&format!("/rooms/{}", ann.room("general"))).await;
    page.wait_text(".msg .body", "message 120.").await;
    page.click(".older a").await;
    page.wait_text(".msg .body", "message 70.").await;
    page.click(".older a").await;
    page.wait_text(".msg .body", "message 1.").await;
    assert_eq!(page.count(".older a").await, 0);
    page.click(".newer a").await;
    page.wait_text(".msg .body", "message 21.").await;
    page.click(".newer a").await;
    page.wait_text(".msg .body", "message 120.").await;
    page.close().await;
}
