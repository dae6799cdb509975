//! What an account signs in with: passwords that can be shown, passkeys.

use serde_json::json;

use super::driver::acquire_browsers;
use super::session::Browser;
use crate::support::{PASSWORD, TestServer};

#[tokio::test]
async fn passkey_is_added_and_signs_in_without_a_name() {
    let _browsers = acquire_browsers(1).await;
    let (server, ann) = TestServer::start_with_owner().await;
    // An address of numbers can have no passkeys.
    let base = server.base().replace("127.0.0.1", "localhost");
    let page = Browser::signed_in(&ann, &base).await;
    page.go("/account/security").await;
    let authenticator = json!({ "protocol": "ctap2", "transport": "internal",
        "hasResidentKey": true, "hasUserVerification": true, "isUserVerified": true });
    page.extension("webauthn/authenticator", authenticator)
        .await;
    page.wait_visible("[data-passkey=add]").await;
    page.wait_hidden("[data-no-passkeys]").await;
    page.type_into("#f-passkey-name", "Laptop").await;
    page.type_into("#f-passkey-password", "not my password")
        .await;
    page.click("[data-passkey=add] .buttons .btn").await;
    page.wait_text("[data-passkey=add] [data-problem]", "not your password")
        .await;
    page.js("document.getElementById('f-passkey-password').value = ''")
        .await;
    page.type_into("#f-passkey-password", PASSWORD).await;
    page.click("[data-passkey=add] .buttons .btn").await;
    page.wait_text("#passkeys .rows", "Laptop").await;
    page.go("/account").await;
    page.click("form[action='/sign-out'] .btn").await;
    page.wait_visible("[data-passkey=sign-in] .btn").await;
    page.click("[data-passkey=sign-in] .btn").await;
    page.wait_visible(".side .me").await;
    page.go("/account/security").await;
    page.wait_text("#passkeys .rows", "last used").await;
    page.click("#passkeys .row summary").await;
    page.type_into("#passkeys .row input[type=password]", PASSWORD)
        .await;
    page.click("#passkeys .row .buttons .danger").await;
    page.wait_text(".notice", "The passkey is removed").await;
    page.close_expecting(|entry| entry.contains("status of 422"))
        .await;
}

#[tokio::test]
async fn password_is_shown_while_it_is_typed() {
    let _browsers = acquire_browsers(1).await;
    let (server, ann) = TestServer::start_with_owner().await;
    let page = Browser::open(&server.base()).await;
    page.go("/sign-in").await;
    page.type_into("#f-login", "ann").await;
    page.type_into("#f-password", PASSWORD).await;
    let kind = "document.getElementById('f-password').type";
    page.click("[data-unmask]").await;
    assert_eq!(page.js(kind).await, "text");
    page.click("[data-unmask]").await;
    assert_eq!(page.js(kind).await, "password");
    page.close().await;
    let page = Browser::signed_in(&ann, &server.base()).await;
    page.go("/account/security").await;
    page.type_into("#f-password-new", "seven purple kettles")
        .await;
    page.click("[data-unmask=f-password-new]").await;
    page.wait_until("document.getElementById('f-password-new').type === 'text'")
        .await;
    page.close().await;
}
