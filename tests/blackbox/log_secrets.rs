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
    let cookies = ann.cookies();
    let values = cookies.split("; ").filter_map(|one| one.split_once('='));
    let cookie = |name| {
        let found = values.clone().find(|(key, _)| *key == name);
        found.expect("the cookie is set").1
    };
    assert!(log.len() > 1_000, "it is talkative");
    for (what, secret) in [
        ("a session", cookie("tidepool")),
        ("a device", cookie("tidepool-device")),
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
