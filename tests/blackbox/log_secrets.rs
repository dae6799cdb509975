//! The log holds no secrets.

use crate::support::{PASSWORD, TestServer};

#[tokio::test]
async fn secrets_are_never_logged() {
    let server = TestServer::with(&[("TIDEPOOL_LOG", "debug")]).await;
    let ann = server.owner("ann").await;
    let link = ann.invite().await;
    server.visitor().get(&link).await.expect(200);
    server
        .visitor()
        .get(&format!("/sign-in?next={link}"))
        .await
        .expect(200);
    ann.sign_in("ann", PASSWORD).await.done();
    ann.socket().await;
    let log = server.log();
    let cookie = ann
        .cookies()
        .split_once('=')
        .expect("a cookie")
        .1
        .to_owned();
    assert!(log.len() > 1_000, "it is talkative");
    for (what, secret) in [
        ("a cookie", cookie.as_str()),
        ("a password", PASSWORD),
        ("the metrics token", &server.metrics_token()),
    ] {
        assert!(!log.contains(secret), "{what} is in the log");
    }
    let leaks: Vec<_> = log
        .lines()
        .filter(|line| line.contains(&link[6..]))
        .collect();
    assert!(leaks.is_empty(), "an invitation is in the log: {leaks:?}");
}
