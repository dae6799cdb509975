//! What cannot be undone asks first: in a dialog, and without scripts on a page.

use super::driver::acquire_browsers;
use super::session::{Browser, Kind};
use crate::support::TestServer;

const REVOKE: &str = "form[action='/act/community.revoke-invite'] .danger";
const REMOVE: &str = "form[action='/act/community.remove-member'] .danger";

#[tokio::test]
async fn destructive_buttons_ask_in_a_dialog() {
    let _browsers = acquire_browsers(1).await;
    let (server, ann) = TestServer::start_with_owner().await;
    let bob = server.member("Bob").await;
    let page = Browser::signed_in(&ann, &server.base()).await;
    page.go(&format!("/spaces/{}/invitations", ann.space)).await;
    page.click("form[action='/act/community.invite'] .btn")
        .await;
    page.wait_visible(".qr").await;
    page.go(&format!("/spaces/{}/invitations", ann.space)).await;
    page.wait_visible(REVOKE).await;
    let invites = page.count(REVOKE).await;
    page.click(REVOKE).await;
    page.wait_text("dialog[open]", "Take back this invite?")
        .await;
    assert_eq!(
        page.js("document.activeElement.textContent").await,
        "Cancel",
        "Enter takes what does no harm"
    );
    page.click("dialog[open] [data-close]").await;
    page.wait_hidden("dialog").await;
    assert_eq!(
        page.js(&format!(
            "document.activeElement === document.querySelector(\"{REVOKE}\")"
        ))
        .await,
        true
    );
    assert_eq!(page.count(REVOKE).await, invites);
    page.click(REVOKE).await;
    page.click("dialog[open] .danger").await;
    page.wait_until(&format!(
        "document.querySelectorAll(\"{REVOKE}\").length === {invites} - 1"
    ))
    .await;

    page.go(&format!("/spaces/{}/members/{}", ann.space, bob.id))
        .await;
    page.click(REMOVE).await;
    page.wait_text(
        "dialog[open]",
        "Remove \u{2068}Bob\u{2069} from this space?",
    )
    .await;
    page.click("dialog[open] .danger").await;
    page.wait_text("main h1", "Members").await;
    page.close().await;
}

#[tokio::test]
async fn destructive_buttons_ask_on_a_page_without_scripts() {
    let _browsers = acquire_browsers(1).await;
    let (server, ann) = TestServer::start_with_owner().await;
    let bob = server.member("<b>Bob").await;
    let plain = Kind {
        without_scripts: true,
        ..Kind::default()
    };
    let page = Browser::signed_in_as(plain, &ann, &server.base()).await;
    let member = format!("/spaces/{}/members/{}", ann.space, bob.id);
    page.go(&member).await;
    page.click(REMOVE).await;
    page.wait_text("h1", "Remove \u{2068}<b>Bob\u{2069} from this space?")
        .await;
    page.click("#question .quiet").await;
    page.wait_visible(REMOVE).await;
    assert_eq!(page.path().await, member);
    page.click(REMOVE).await;
    page.click("#question .danger").await;
    page.wait_text("main h1", "Members").await;
    page.close().await;
}
