//! Mail: sent to an SMTP server by jobs, which are retried.

use serde_json::json;

use crate::support::{PASSWORD, SmtpServer, TestServer};

const SUBJECT: &str = "Subject: Your name was changed\r\n";

async fn server_with(smtp: &SmtpServer) -> TestServer {
    let settings = [
        ("TIDEPOOL_MAIL", &*smtp.setting()),
        ("TIDEPOOL_MAIL_FROM", "Glasshouse <chat@example.org>"),
    ];
    TestServer::with(&settings).await
}

#[tokio::test]
async fn mail_refused_for_now_is_sent_again() {
    let smtp = SmtpServer::start(&["451 later"]).await;
    let server = server_with(&smtp).await;
    let ann = server.owner("ann").await;
    let change = json!({ "name": "anna", "current_password": PASSWORD });
    ann.act("community.change-name", change).await.done();
    let mail = smtp.wait_for_mail().await;
    for part in [
        SUBJECT,
        "To: ann@example.org\r\n",
        "chat@example.org",
        "Content-Type: text/plain",
        "Content-Type: text/html",
        "The account that was called ann on 127.0.0.1",
    ] {
        assert!(mail.contains(part), "{part} is missing: {mail}");
    }
    assert_eq!(smtp.mails().len(), 1, "it was refused once, and sent once");
}

#[tokio::test]
async fn mail_refused_for_good_is_a_failed_job() {
    let smtp = SmtpServer::start(&["550 nobody here"]).await;
    let server = server_with(&smtp).await;
    let ann = server.owner("ann").await;
    let change = json!({ "name": "anna", "current_password": PASSWORD });
    ann.act("community.change-name", change).await.done();
    let failed = "tidepool_jobs_total{kind=\"mail.send\",end=\"failed\"}";
    server.metric_reaches(failed, |failed| failed >= 1.0).await;
    assert!(ann.page("/jobs").await.contains("nobody here"));
    assert_eq!(smtp.mails().len(), 0);
}

#[tokio::test]
async fn server_without_mail_offers_no_link() {
    let (server, ann) = TestServer::start_with_owner().await;
    let visitor = server.visitor();
    let page = visitor.page("/forgot").await;
    assert!(
        page.contains("cannot send mail") && !page.contains("<form"),
        "{page}"
    );
    assert!(ann.page("/account/security").await.contains("mail_from ="));
    let bob = server.member("bob").await;
    let page = bob.page("/account/security").await;
    assert!(!page.contains("mail_from ="), "only the host can change it");
}
