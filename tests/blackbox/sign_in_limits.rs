//! How often one may try to sign in.

use serde_json::json;

use crate::support::{PASSWORD, TestServer};

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
        visitor.send(request.form(&fields)).await.status
    };
    for number in 0..10 {
        let login = if number % 2 == 0 { "ann" } else { " ANN" };
        assert_eq!(
            attempt(login, format!("6.6.6.6, 10.0.0.{number}")).await,
            422
        );
    }
    assert_eq!(attempt("ann", "10.0.1.1".into()).await, 429);
    assert_eq!(
        attempt("bob", "10.0.1.2".into()).await,
        422,
        "others are not kept waiting"
    );
}

#[tokio::test]
async fn forwarded_address_is_ignored_without_proxy() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let mut last = 0;
    for number in 0..11 {
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
