//! Limits of signing in.

use serde_json::json;

use crate::support::{PASSWORD, TestServer, until_refused};

#[tokio::test]
async fn sign_in_tries_per_address_are_limited() {
    let server = TestServer::start().await;
    server.owner("ann").await;
    let visitor = server.visitor();
    for number in 0..10 {
        visitor
            .sign_in(&format!("nobody {number}"), "wrong")
            .await
            .expect(422);
    }
    let (_, refused) = until_refused(|| visitor.sign_in("ann", PASSWORD)).await;
    assert_eq!(refused.code(), "too_many");
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=180).contains(&wait), "{wait}");
    let form = [("login", "ann"), ("password", PASSWORD)];
    let (_, page) = until_refused(|| visitor.form("/sign-in", &form)).await;
    assert!(
        page.header("retry-after").parse::<u64>().is_ok() && page.body.contains("value=\"ann\"")
    );
}

#[tokio::test]
async fn sign_in_tries_per_account_are_limited() {
    let server = TestServer::with(&[("TIDEPOOL_BEHIND_PROXY", "true")]).await;
    server.owner("ann").await;
    let visitor = server.visitor();
    let attempt = async |login: &str, from: String| {
        let fields = json!({ "login": login, "password": "wrong" });
        let request = visitor
            .request("POST", "/sign-in")
            .header("Accept", "application/json")
            .header("X-Forwarded-For", from);
        visitor.send(request.form(&fields)).await
    };
    for number in 0..10 {
        let login = if number % 2 == 0 { "ann" } else { " ANN" };
        let answer = attempt(login, format!("6.6.6.6, 10.0.0.{number}")).await;
        answer.expect(422);
    }
    // Each from another address, so that only the account's limit can refuse.
    let mut addresses = (1..).map(|number| format!("10.0.1.{number}"));
    let (_, refused) = until_refused(|| {
        let address = addresses.next().expect("addresses never end");
        attempt("ann", address)
    })
    .await;
    assert_eq!(refused.code(), "too_many");
    // Another account is not limited.
    attempt("bob", "10.0.2.1".into()).await.expect(422);
}

#[tokio::test]
async fn forwarded_address_is_ignored_without_proxy() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let mut numbers = 0..;
    until_refused(|| {
        let number = numbers.next().expect("numbers never end");
        let request = ann
            .request("POST", "/sign-in")
            .header("X-Forwarded-For", format!("10.0.0.{number}"));
        ann.send(request.form(&json!({ "login": format!("x{number}"), "password": "wrong" })))
    })
    .await;
}

#[tokio::test]
async fn very_long_password_is_refused() {
    let server = TestServer::start().await;
    server.owner("ann").await;
    server
        .visitor()
        .sign_in("ann", &"x".repeat(100 << 10))
        .await
        .expect(422);
    server
        .visitor()
        .sign_in("ann", &"x".repeat(1 << 20))
        .await
        .expect(413);
    server
        .visitor()
        .sign_in(&"x".repeat(100 << 10), "x")
        .await
        .expect(422);
}
