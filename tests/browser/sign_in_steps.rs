//! Signing in with an authenticator's code, and at a sign-in service.

use totp_rs::{Builder, Secret};

use super::driver::acquire_browsers;
use super::session::Browser;
use crate::support::{PASSWORD, TestServer};

#[allow(dead_code, reason = "the black-box tests use all of it")]
#[path = "../blackbox/oidc/provider.rs"]
mod provider;

use provider::Provider;

/// The code of a moment so many steps of 30 s from now.
fn code(secret: &str, steps: i64) -> String {
    let secret = Secret::try_from_base32(secret).expect("base32");
    let totp = Builder::new().with_secret(secret).build();
    let now = std::time::UNIX_EPOCH.elapsed().expect("a clock").as_secs();
    let at = now.saturating_add_signed(30 * steps);
    totp.expect("a secret").generate(at).to_string()
}

async fn sign_in_with_password(page: &Browser) {
    page.type_into("#f-login", "ann").await;
    page.type_into("#f-password", PASSWORD).await;
    page.click("form[action^='/sign-in'] .btn:not(.quiet)")
        .await;
}

#[tokio::test]
async fn code_of_an_authenticator_is_set_up_and_asked_for() {
    let _browsers = acquire_browsers(1).await;
    let (server, ann) = TestServer::start_with_owner().await;
    let page = Browser::signed_in(&ann, &server.base()).await;
    page.go("/account/totp").await;
    page.wait_visible(".qr svg").await;
    let secret = page
        .js("document.querySelector('[name=secret]').value")
        .await;
    let secret = secret.as_str().expect("a secret").to_owned();
    // One of the past, so that the present one is still good for signing in. It is too old if the
    // time of the next one begins meanwhile.
    loop {
        page.js("(document.querySelector('#f-code-error')?.remove(), true)")
            .await;
        page.fill("#f-code", &code(&secret, -1)).await;
        page.fill("#f-current_password", PASSWORD).await;
        page.click("form[action='/account/totp'] .btn:not(.quiet)")
            .await;
        let is_on = page
            .wait_until(
                "document.body.textContent.includes('ecovery codes') ? 'yes' \
                : document.querySelector('#f-code-error') && 'no'",
            )
            .await;
        if is_on == "yes" {
            break;
        }
    }
    page.go("/account").await;
    page.click("form[action='/sign-out'] .btn").await;
    page.wait_visible("#f-login").await;
    sign_in_with_password(&page).await;
    page.wait_visible("#f-code").await;
    page.type_into("#f-code", "12345x").await;
    page.click("form[action='/sign-in/code'] .btn").await;
    page.wait_text("#f-code-error", "not right").await;
    page.fill("#f-code", &code(&secret, 0)).await;
    page.click("form[action='/sign-in/code'] .btn").await;
    page.wait_visible(".side .me").await;
    page.close_expecting(|entry| entry.contains("status of 422"))
        .await;
}

#[tokio::test]
async fn account_is_linked_to_a_sign_in_service_and_signs_in_there() {
    let _browsers = acquire_browsers(1).await;
    let provider = Provider::start().await;
    let settings = [
        ("TIDEPOOL_OIDC_ISSUER", provider.issuer()),
        ("TIDEPOOL_OIDC_CLIENT_ID", "tidepool"),
        ("TIDEPOOL_OIDC_CLIENT_SECRET", "a secret&more"),
        ("TIDEPOOL_OIDC_NAME", "Harbour"),
    ];
    let server = TestServer::with(&settings).await;
    let ann = server.owner("ann").await;
    let page = Browser::signed_in(&ann, &server.base()).await;
    page.go("/account/security").await;
    page.type_into("#f-oidc-password", PASSWORD).await;
    page.click("form[action='/act/community.link-identity'] .btn")
        .await;
    page.click("a[href^='/sign-in/oidc?link=']").await;
    page.click("#continue").await;
    page.wait_text("main", "Your account is linked to one at")
        .await;
    page.go("/account").await;
    page.click("form[action='/sign-out'] .btn").await;
    page.wait_visible("#f-login").await;
    page.click("a[href^='/sign-in/oidc?']").await;
    page.click("#continue").await;
    page.wait_visible(".side .me").await;
    page.wait_text(".side .me", "ann").await;
    page.close().await;
}
