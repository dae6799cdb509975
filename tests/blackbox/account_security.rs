//! Changing what an account signs in with.

use serde_json::json;

use crate::support::{Mailbox, PASSWORD, TestServer, link_in};

const OTHER: &str = "seven purple kettles";
const PAGE: &str = "/account/security";

async fn server_with(mailbox: &Mailbox) -> TestServer {
    let settings = [
        ("TIDEPOOL_MAIL", &*mailbox.setting()),
        ("TIDEPOOL_MAIL_FROM", "chat@example.org"),
    ];
    TestServer::with(&settings).await
}

#[tokio::test]
async fn password_change_ends_other_sessions_and_sockets() {
    let mailbox = Mailbox::new();
    let server = server_with(&mailbox).await;
    let ann = server.owner("ann").await;
    let other = ann.other_device(&server).await;
    let mut socket = other.socket().await;
    let fields = [("current_password", PASSWORD), ("password", OTHER)];
    let path = "/act/community.change-password";
    let changed = ann.form_from(PAGE, path, &fields).await;
    assert!(
        ann.page(changed.location())
            .await
            .contains("Your password is changed")
    );
    socket.read_until_closed().await;
    ann.page("/account").await;
    other.get("/account").await.location();
    server.visitor().sign_in("ann", PASSWORD).await.expect(422);
    server.visitor().sign_in("ann", OTHER).await.done();
    mailbox
        .wait_for("ann@example.org", "Your password was changed")
        .await;
}

#[tokio::test]
async fn refused_change_keeps_what_was_typed_but_passwords() {
    let (server, ann) = TestServer::start_with_owner().await;
    server.member("bob").await;
    let refused = async |action: &str, fields: &[(&str, &str)]| {
        let path = format!("/act/community.{action}");
        ann.form_from(PAGE, &path, fields).await.expect(422).body
    };
    let wrong = "not my password";
    let page = refused(
        "change-name",
        &[("name", "anna"), ("current_password", wrong)],
    )
    .await;
    assert!(page.contains("value=\"anna\"") && !page.contains(wrong));
    assert!(page.contains("id=\"f-name-password-error\">This is not your password"));
    let page = refused(
        "change-name",
        &[("name", "BOB"), ("current_password", PASSWORD)],
    )
    .await;
    assert!(page.contains("id=\"f-name-new-error\">Somebody here has this name"));
    let taken = [("email", "bob@example.org"), ("current_password", PASSWORD)];
    let page = refused("change-email", &taken).await;
    assert!(page.contains("id=\"f-email-new-error\">There is an account"));
    let weak = [("current_password", PASSWORD), ("password", "short")];
    let page = refused("change-password", &weak).await;
    assert!(page.contains("id=\"f-password-new-error\">This password is too short"));
}

#[tokio::test]
async fn changed_name_is_on_every_page() {
    let (server, ann) = TestServer::start_with_owner().await;
    let bob = server.member("bob").await;
    ann.post("general", "hello there").await;
    let room = format!("/rooms/{}", bob.room("general"));
    assert!(bob.page(&room).await.contains(">ann<"));
    let fields = json!({ "name": "Zoë", "current_password": PASSWORD });
    ann.act("community.change-name", fields).await.done();
    crate::support::eventually("page with the new name", async || {
        let page = bob.page(&room).await;
        (page.contains("Zoë") && !page.contains(">ann<")).then_some(())
    })
    .await;
    server.visitor().sign_in("zoë", PASSWORD).await.done();
    server.visitor().sign_in("ann", PASSWORD).await.expect(422);
}

#[tokio::test]
async fn new_address_counts_once_its_link_is_opened() {
    let mailbox = Mailbox::new();
    let server = server_with(&mailbox).await;
    let ann = server.owner("ann").await;
    let fields = [("email", "new@example.org"), ("current_password", PASSWORD)];
    let sent = ann
        .form_from(PAGE, "/act/community.change-email", &fields)
        .await;
    assert!(ann.page(sent.location()).await.contains("We mailed a link"));
    let mail = mailbox
        .wait_for("new@example.org", "Confirm your e-mail address")
        .await;
    let link = link_in(&mail);
    let token = link.split_once("token=").expect("a token").1;
    server
        .visitor()
        .sign_in("new@example.org", PASSWORD)
        .await
        .expect(422);
    // To look at it changes nothing: programs open links in mail, too.
    let page = server.visitor().page(&link).await;
    assert!(page.contains("new@example.org"), "{page}");
    server
        .visitor()
        .sign_in("new@example.org", PASSWORD)
        .await
        .expect(422);
    let visitor = server.visitor();
    visitor
        .form("/account/email", &[("token", token)])
        .await
        .location();
    server
        .visitor()
        .sign_in("new@example.org", PASSWORD)
        .await
        .done();
    server
        .visitor()
        .sign_in("ann@example.org", PASSWORD)
        .await
        .expect(422);
    mailbox
        .wait_for("ann@example.org", "Your e-mail address was changed")
        .await;
    let again = visitor.form("/account/email", &[("token", token)]).await;
    assert!(again.expect(404).body.contains("does not work any more"));
}

#[tokio::test]
async fn new_address_without_mail_counts_at_once() {
    let (server, ann) = TestServer::start_with_owner().await;
    let fields = json!({ "email": "new@example.org", "current_password": PASSWORD });
    ann.act("community.change-email", fields).await.done();
    server
        .visitor()
        .sign_in("new@example.org", PASSWORD)
        .await
        .done();
}

#[tokio::test]
async fn tries_of_own_password_are_limited() {
    let (_server, ann) = TestServer::start_with_owner().await;
    let fields = json!({ "name": "anna", "current_password": "not my password" });
    for _ in 0..10 {
        ann.act("community.change-name", fields.clone())
            .await
            .expect(422);
    }
    // In a cluster each instance lets some more pass until it learns of the others.
    crate::support::eventually("refusal", async || {
        let answer = ann.act("community.change-name", fields.clone()).await;
        (answer.status == 429).then_some(())
    })
    .await;
}
