//! Codes of an authenticator app at sign-in, and recovery codes.

use serde_json::json;
use totp_rs::{Builder, Secret};

use crate::support::{Mailbox, PASSWORD, Person, TestServer, link_in, text};

/// The code of a moment so many steps of 30 s from now.
fn code(secret: &str, steps: i64) -> String {
    let secret = Secret::try_from_base32(secret).expect("base32");
    let totp = Builder::new()
        .with_secret(secret)
        .build()
        .expect("a secret");
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock");
    let at = now.as_secs().saturating_add_signed(30 * steps);
    totp.generate(at).to_string()
}

/// Turns codes on, with one of the past; the secret and the recovery codes.
pub(super) async fn turn_on(person: &Person) -> (String, Vec<String>) {
    let page = person.page("/account/totp").await;
    assert!(page.contains("<svg xmlns"), "there is a QR code");
    let start = page.find("name=\"secret\" value=\"").expect("a secret") + 21;
    let secret = page[start..start + 32].to_owned();
    let wrong = [
        ("secret", &*secret),
        ("code", "000000x"),
        ("current_password", PASSWORD),
    ];
    let again = person.form("/account/totp", &wrong).await.expect(422).body;
    assert!(again.contains(&secret), "the app keeps its secret");
    let fields = json!({ "secret": secret, "code": code(&secret, -1),
        "current_password": PASSWORD });
    let done = person.submit("/account/totp", &fields).await.done();
    let codes = done["recovery_codes"].as_array().expect("codes").iter();
    let codes = codes.map(|code| code.as_str().expect("a code").to_owned());
    (secret, codes.collect())
}

/// A visitor whose password was right.
async fn after_password(server: &TestServer) -> Person {
    let visitor = server.visitor();
    let fields = [("login", "ann"), ("password", PASSWORD)];
    let next = visitor.form("/sign-in", &fields).await;
    assert_eq!(next.location(), "/sign-in/code");
    assert!(
        visitor
            .page("/sign-in/code")
            .await
            .contains("One more step")
    );
    visitor.get("/account").await.location();
    visitor
}

#[tokio::test]
async fn sign_in_needs_a_code_that_was_not_used() {
    let (server, ann) = TestServer::start_with_owner().await;
    let (secret, _) = turn_on(&ann).await;
    let visitor = after_password(&server).await;
    let used = code(&secret, 0);
    let done = visitor.form("/sign-in/code", &[("code", &used)]).await;
    assert_eq!(done.location(), "/");
    visitor.page("/account").await;
    let other = after_password(&server).await;
    let refused = other
        .form("/sign-in/code", &[("code", &used)])
        .await
        .expect(422);
    assert!(
        refused
            .body
            .contains("id=\"f-code-error\">This code is not right")
    );
    let next = code(&secret, 1);
    other
        .form("/sign-in/code", &[("code", &next)])
        .await
        .location();
    other.page("/account").await;
}

#[tokio::test]
async fn recovery_code_signs_in_once() {
    let (server, ann) = TestServer::start_with_owner().await;
    let (_, codes) = turn_on(&ann).await;
    assert_eq!(codes.len(), 10);
    let typed = codes[3].to_lowercase().replace('-', " ");
    let visitor = after_password(&server).await;
    visitor
        .form("/sign-in/code", &[("code", &typed)])
        .await
        .location();
    assert!(
        visitor
            .page("/account/security")
            .await
            .contains("9 recovery codes")
    );
    let other = after_password(&server).await;
    other
        .form("/sign-in/code", &[("code", &typed)])
        .await
        .expect(422);
}

#[tokio::test]
async fn wrong_codes_are_limited() {
    let (server, ann) = TestServer::start_with_owner().await;
    turn_on(&ann).await;
    let visitor = after_password(&server).await;
    for _ in 0..5 {
        let wrong = visitor.form("/sign-in/code", &[("code", "1234567")]).await;
        assert!([422, 429].contains(&wrong.status), "{}", wrong.status);
    }
    crate::support::eventually("refusal", async || {
        let wrong = visitor.form("/sign-in/code", &[("code", "1234567")]).await;
        (wrong.status == 429).then_some(())
    })
    .await;
    // Another try of the password does not make the limit begin anew.
    let other = after_password(&server).await;
    other
        .form("/sign-in/code", &[("code", "1234567")])
        .await
        .expect(429);
}

#[tokio::test]
async fn turning_codes_off_needs_the_password() {
    let (server, ann) = TestServer::start_with_owner().await;
    turn_on(&ann).await;
    let off = "/act/community.turn-off-totp";
    let fields = [("current_password", "not my password")];
    ann.form_from("/account/security", off, &fields)
        .await
        .expect(422);
    after_password(&server).await;
    let fields = [("current_password", PASSWORD)];
    ann.form_from("/account/security", off, &fields)
        .await
        .location();
    server.visitor().sign_in("ann", PASSWORD).await.done();
}

#[tokio::test]
async fn reset_password_still_needs_a_code() {
    let mailbox = Mailbox::new();
    let settings = [
        ("TIDEPOOL_MAIL", &*mailbox.setting()),
        ("TIDEPOOL_MAIL_FROM", "chat@example.org"),
    ];
    let server = TestServer::with(&settings).await;
    let ann = server.owner("ann").await;
    turn_on(&ann).await;
    let visitor = server.visitor();
    visitor
        .submit("/forgot", &json!({ "email": "ann@example.org" }))
        .await
        .done();
    let mail = mailbox
        .wait_for("ann@example.org", "A new password for your account")
        .await;
    let link = link_in(&mail);
    let token = link.split_once("token=").expect("a token").1;
    let other = "seven purple kettles";
    let fields = json!({ "token": token, "password": other });
    visitor.submit("/reset", &fields).await.done();
    let answer = visitor.sign_in("ann", other).await.done();
    assert_eq!(answer["code_needed"], true);
    visitor.get("/account").await.location();
}

#[tokio::test]
async fn recovery_codes_are_shown_once() {
    let (_server, ann) = TestServer::start_with_owner().await;
    let page = ann.page("/account/totp").await;
    let start = page.find("name=\"secret\" value=\"").expect("a secret") + 21;
    let secret = &page[start..start + 32];
    let now = code(secret, 0);
    let fields = [
        ("secret", secret),
        ("code", &*now),
        ("current_password", PASSWORD),
    ];
    let answer = ann.form("/account/totp", &fields).await.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let file = &text::attributes(&answer.body, "href")
        .into_iter()
        .find(|href| href.starts_with("data:text/plain"))
        .expect("a file");
    assert_eq!(file.matches("%0A").count(), 10, "{file}");
    assert!(
        !ann.page("/account/totp")
            .await
            .contains("<ol class=\"codes")
    );
}
