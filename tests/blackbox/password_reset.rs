//! A new password by a mailed link.

use serde_json::json;

use crate::support::{Mailbox, PASSWORD, TestServer, link_in};

const OTHER: &str = "seven purple kettles";

async fn server_with(mailbox: &Mailbox) -> TestServer {
    let settings = [
        ("TIDEPOOL_MAIL", &*mailbox.setting()),
        ("TIDEPOOL_MAIL_FROM", "chat@example.org"),
    ];
    TestServer::with(&settings).await
}

const SUBJECT: &str = "A new password for your account";

#[tokio::test]
async fn mailed_link_sets_password_once_and_ends_sessions() {
    let mailbox = Mailbox::new();
    let server = server_with(&mailbox).await;
    let ann = server.owner("ann").await;
    let visitor = server.visitor();
    let asked = visitor
        .form("/forgot", &[("email", "Ann@Example.org")])
        .await;
    assert!(
        visitor
            .page(asked.location())
            .await
            .contains("Look into your mail")
    );
    let link = link_in(&mailbox.wait_for("ann@example.org", SUBJECT).await);
    let token = link.split_once("token=").expect("a token").1;
    assert!(visitor.page(&link).await.contains("New password"));
    let weak = visitor
        .form("/reset", &[("token", token), ("password", "short")])
        .await;
    assert!(weak.expect(422).body.contains("too short"));
    let fields = [("token", token), ("password", OTHER)];
    let reset = visitor.form("/reset", &fields).await;
    assert!(
        visitor
            .page(reset.location())
            .await
            .contains("new password is set")
    );
    ann.get("/account").await.location();
    server.visitor().sign_in("ann", PASSWORD).await.expect(422);
    server.visitor().sign_in("ann", OTHER).await.done();
    let again = visitor.form("/reset", &fields).await;
    assert!(again.expect(404).body.contains("does not work any more"));
    mailbox
        .wait_for("ann@example.org", "Your password was changed")
        .await;
}

#[tokio::test]
async fn host_makes_a_link_on_the_command_line_while_the_server_runs() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let unknown = server.run(&["reset-link", "nobody"]);
    assert!(!unknown.status.success() && unknown.stdout.is_empty());
    let printed = server.run(&["reset-link", "Ann@example.org"]);
    let said = String::from_utf8_lossy(&printed.stdout).into_owned();
    let link = said.lines().next().expect("a link");
    let token = link.split_once("/reset?token=").expect("a token").1;
    let visitor = server.visitor();
    let fields = [("token", token), ("password", OTHER)];
    let reset = visitor.form("/reset", &fields).await;
    assert!(reset.location().starts_with("/sign-in"), "{}", reset.body);
    assert_eq!(ann.get("/account").await.status, 303);
    server.visitor().sign_in("ann", OTHER).await.done();
}

#[tokio::test]
async fn address_without_account_gets_the_same_answer_and_no_mail() {
    let mailbox = Mailbox::new();
    let server = server_with(&mailbox).await;
    server.owner("ann").await;
    let visitor = server.visitor();
    let ask = async |email: &str| visitor.submit("/forgot", &json!({ "email": email })).await;
    let (unknown, known) = (ask("eve@example.org").await, ask("ann@example.org").await);
    assert_eq!((unknown.status, unknown.body), (known.status, known.body));
    mailbox.wait_for("ann@example.org", SUBJECT).await;
    let done = "tidepool_jobs_total{kind=\"community.mail-reset\",end=\"done\"}";
    server.metric_reaches(done, |done| done >= 2.0).await;
    assert!(mailbox.to("eve@example.org").is_empty());
}

#[tokio::test]
async fn links_for_one_address_are_limited() {
    let mailbox = Mailbox::new();
    let server = server_with(&mailbox).await;
    server.owner("ann").await;
    let visitor = server.visitor();
    for email in ["ann@example.org", "eve@example.org"] {
        crate::support::eventually("refusal", async || {
            let answer = visitor.submit("/forgot", &json!({ "email": email })).await;
            (answer.status == 429).then_some(())
        })
        .await;
    }
}
