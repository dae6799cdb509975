//! How often one may try to sign in.

use serde_json::json;

use crate::one_instance_only;
use crate::support::{Answer, PASSWORD, Person, TestServer};

#[tokio::test]
async fn sign_in_tries_per_address_are_limited() {
    one_instance_only!("tries count on other instances a moment later");
    let server = TestServer::start().await;
    server.owner("ann").await;
    let visitor = server.visitor();
    for number in 0..30 {
        visitor
            .sign_in(&format!("nobody {number}"), "wrong")
            .await
            .expect(422);
    }
    let refused = visitor.sign_in("ann", PASSWORD).await.expect(429);
    assert_eq!(refused.code(), "too_many");
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=180).contains(&wait), "{wait}");
    let page = visitor
        .form("/sign-in", &[("login", "ann"), ("password", PASSWORD)])
        .await
        .expect(429);
    assert!(
        page.header("retry-after").parse::<u64>().is_ok() && page.body.contains("value=\"ann\"")
    );
}

/// Tries to sign in from an address behind a proxy. A password this long is not hashed, which makes
/// many tries quick.
async fn attempt(visitor: &Person, login: &str, password: &str, from: &str) -> Answer {
    let request = visitor
        .request("POST", "/sign-in")
        .header("Accept", "application/json")
        .header("X-Forwarded-For", from);
    let fields = json!({ "login": login, "password": password });
    visitor.send(request.form(&fields)).await
}

fn overlong_password() -> String {
    "x".repeat(2_000)
}

#[tokio::test]
async fn tries_of_one_network_lock_nobody_out_elsewhere() {
    one_instance_only!("tries count on other instances a moment later");
    let server = TestServer::with(&[("TIDEPOOL_BEHIND_PROXY", "true")]).await;
    server.owner("ann").await;
    let visitor = server.visitor();
    let wrong = overlong_password();
    for number in 0..10 {
        let login = if number % 2 == 0 { "ann" } else { " ANN" };
        let from = format!("6.6.6.{number}, 10.0.0.1");
        assert_eq!(attempt(&visitor, login, &wrong, &from).await.status, 422);
    }
    let refused = attempt(&visitor, "ann", PASSWORD, "10.0.0.1").await;
    assert_eq!(refused.status, 429);
    let other = attempt(&visitor, "bob", &wrong, "10.0.0.1").await;
    assert_eq!(other.status, 422, "other logins go on");
    let elsewhere = attempt(&visitor, "ann", PASSWORD, "10.0.0.2").await;
    assert_eq!(elsewhere.status, 200, "she herself gets in");
}

#[tokio::test]
async fn known_device_signs_in_during_distributed_attack() {
    one_instance_only!("tries count on other instances a moment later");
    let server = TestServer::with(&[("TIDEPOOL_BEHIND_PROXY", "true")]).await;
    let ann = server.owner("ann").await;
    let (visitor, wrong) = (server.visitor(), overlong_password());
    for number in 0..120 {
        let from = format!("10.0.{}.1", number / 10);
        assert_eq!(attempt(&visitor, "ann", &wrong, &from).await.status, 422);
    }
    let stranger = attempt(&visitor, "ann", PASSWORD, "10.0.99.1").await;
    assert_eq!(stranger.status, 429);
    ann.form("/sign-out", &[]).await.location();
    let known = attempt(&ann, "ann", PASSWORD, "10.0.99.1").await;
    assert_eq!(known.status, 200);
    let bob = server.member("bob").await;
    let other_account = attempt(&bob, "ann", PASSWORD, "10.0.99.2").await;
    assert_eq!(other_account.status, 429, "his device is not hers");
}

#[tokio::test]
async fn limit_tells_nothing_about_accounts() {
    one_instance_only!("tries count on other instances a moment later");
    let server = TestServer::with(&[("TIDEPOOL_BEHIND_PROXY", "true")]).await;
    server.owner("ann").await;
    let (visitor, wrong) = (server.visitor(), overlong_password());
    let logins = ["ann", "ann@example.org", "eve", "eve@example.org"];
    let mut answers = Vec::new();
    for (number, login) in logins.into_iter().enumerate() {
        let from = format!("10.0.{number}.1");
        let mut own = Vec::new();
        for _ in 0..12 {
            let answer = attempt(&visitor, login, &wrong, &from).await;
            own.push((answer.status, answer.json()["error"]["code"].clone()));
        }
        answers.push(own);
    }
    // Her name is limited now; were it counted by account, her address would be, too.
    let shared = attempt(&visitor, "ann@example.org", &wrong, "10.0.0.1").await;
    let unknown = attempt(&visitor, "eve@example.org", &wrong, "10.0.0.1").await;
    assert_eq!((shared.status, unknown.status), (422, 422));
    assert_eq!(answers[0][9].0, 422);
    assert_eq!(answers[0][10].0, 429);
    assert!(answers.iter().all(|own| *own == answers[0]), "{answers:?}");
}

#[tokio::test]
async fn failed_sign_ins_are_logged_and_counted() {
    one_instance_only!("reads the order of one log");
    let server = TestServer::with(&[("TIDEPOOL_BEHIND_PROXY", "true")]).await;
    let ann = server.owner("ann").await;
    let visitor = server.visitor();
    for number in 0..100 {
        let from = format!("10.0.{}.7", number / 20);
        attempt(&visitor, "ann@example.org", &overlong_password(), &from).await;
    }
    let counter = "tidepool_security_events_total{event=\"sign_in_refused\"}";
    server.metric_reaches(counter, |count| count == 100.0).await;
    let log = server.log();
    let lines: Vec<_> = log
        .lines()
        .filter(|line| line.contains("security") && line.contains("sign_in_refused"))
        .collect();
    assert_eq!(lines.len(), 100);
    for (line, number) in lines.iter().zip(0..) {
        let expected = [
            format!("account={}", ann.id),
            format!("10.0.{}.7", number / 20),
        ];
        for part in expected {
            assert!(line.contains(&part), "{part} is missing: {line}");
        }
        assert!(
            !line.contains("example.org") && !line.contains("xxx"),
            "{line}"
        );
    }
    let count = |reason| lines.iter().filter(|line| line.contains(reason)).count();
    assert_eq!((count("wrong_password"), count("too_many")), (50, 50));
    for event in ["set_up", "signed_in"] {
        assert!(
            log.contains(&format!("event=\"{event}\"")),
            "{event} is missing"
        );
    }
}

#[tokio::test]
async fn forwarded_address_is_ignored_without_proxy() {
    one_instance_only!("tries count on other instances a moment later");
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let mut last = 0;
    for number in 0..31 {
        let request = ann
            .request("POST", "/sign-in")
            .header("X-Forwarded-For", format!("10.0.0.{number}"));
        last = ann
            .send(request.form(&json!({ "login": format!("x{number}"), "password": "wrong" })))
            .await
            .status;
    }
    assert_eq!(last, 429);
}
