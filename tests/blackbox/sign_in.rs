//! Signing in.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{PASSWORD, TestServer};

#[tokio::test]
async fn sign_in_accepts_name_or_email() {
    let server = TestServer::start().await;
    server.owner("Ann").await;
    for login in ["Ann", "ann", " ANN ", "ann@example.org", "Ann@Example.ORG"] {
        let visitor = server.visitor();
        assert!(
            visitor.sign_in(login, PASSWORD).await.done()["account"].is_string(),
            "{login}"
        );
        visitor.page("/account").await;
    }
}

#[tokio::test]
async fn unknown_account_and_wrong_password_look_alike() {
    let server = TestServer::start().await;
    server.owner("ann").await;
    let visitor = server.visitor();
    let wrong = visitor.sign_in("ann", "not my password").await.expect(422);
    let unknown = visitor.sign_in("eve", "not my password").await.expect(422);
    assert_eq!(wrong.body, unknown.body);
    let page = |login: &'static str| {
        let visitor = visitor.clone();
        async move {
            visitor
                .form(
                    "/sign-in",
                    &[("login", login), ("password", "not my password")],
                )
                .await
                .expect(422)
                .body
                .replace(login, "LOGIN")
        }
    };
    assert_eq!(page("ann").await, page("eve").await);
    assert_eq!(visitor.cookies(), "", "a failed try leaves no session");
}

#[tokio::test]
async fn sign_in_redirect_stays_on_server() {
    let server = TestServer::with(&[("TIDEPOOL_BEHIND_PROXY", "true")]).await;
    let ann = server.owner("ann").await;
    let sign_in = async |number: usize, next: &str| {
        let visitor = server.visitor();
        let request = visitor
            .request("POST", "/sign-in")
            .header("X-Forwarded-For", format!("10.0.0.{number}"));
        visitor
            .send(request.form(
                &json!({ "login": if number.is_multiple_of(2) { "ann" } else { "ann@example.org" },
                    "password": PASSWORD, "next": next }),
            ))
            .await
    };
    let evil = [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/\t/evil.example",
        "\\\\evil.example",
        "/\r\n/evil.example",
        "javascript:alert(1)",
    ];
    for (number, next) in evil.into_iter().enumerate() {
        assert_eq!(sign_in(number, next).await.location(), "/", "{next:?}");
        let encoded: String = next.bytes().map(|byte| format!("%{byte:02X}")).collect();
        assert_eq!(
            ann.get(&format!("/sign-in?next={encoded}"))
                .await
                .location(),
            "/",
            "{next:?}"
        );
    }
    assert_eq!(
        sign_in(50, "/rooms/1?at=2").await.location(),
        "/rooms/1?at=2"
    );
    let visitor = server.visitor();
    assert_eq!(
        visitor.get("/rooms/1?at=2").await.location(),
        "/sign-in?next=%2Frooms%2F1%3Fat%3D2"
    );
    assert!(
        visitor
            .page("/sign-in?next=%2Frooms%2F1%3Fat%3D2")
            .await
            .contains("value=\"/rooms/1?at=2\"")
    );
}

#[tokio::test]
async fn very_long_password_is_not_hashed() {
    // A proxy's addresses, so that the limit of tries per address does not end the comparison.
    let server = TestServer::with(&[("TIDEPOOL_BEHIND_PROXY", "true")]).await;
    server.owner("ann").await;
    let visitor = server.visitor();
    let long = "x".repeat(12 << 10);
    let attempt = async |login: &str, password: &str, number: usize| {
        let request = visitor
            .request("POST", "/sign-in")
            .header("Accept", "application/json")
            .header("X-Forwarded-For", format!("10.0.0.{number}"));
        let fields = json!({ "login": login, "password": password });
        let started = Instant::now();
        let answer = visitor.send(request.form(&fields)).await;
        (answer.status, started.elapsed())
    };
    let (mut hashed, mut refused) = (Duration::MAX, Duration::MAX);
    for number in 0..50 {
        let (status, took) = attempt(&format!("nobody {number}"), "wrong", number).await;
        assert_eq!(status, 422);
        hashed = hashed.min(took);
        for (login, password) in [("ann", long.as_str()), (long.as_str(), "x")] {
            let (status, took) = attempt(login, password, number).await;
            assert_eq!(status, 422);
            refused = refused.min(took);
        }
        // The fastest of each, so that a busy machine only costs more rounds.
        if refused * 2 < hashed {
            let too_large = visitor.sign_in("ann", &"x".repeat(1 << 20)).await;
            assert_eq!(too_large.status, 413);
            return;
        }
    }
    panic!("a refusal takes {refused:?}, hashing a password {hashed:?}");
}

#[tokio::test]
async fn names_that_pass_for_others_are_refused() {
    let server = TestServer::start().await;
    let link = server.owner("ann").await.invite().await;
    let visitor = server.visitor();
    let join = async |name: &str, email: &str| {
        let fields = json!({ "name": name, "email": email, "password": PASSWORD });
        visitor.submit(&link, &fields).await
    };
    let pile = format!("a{}", "\u{301}".repeat(2_000));
    for name in [
        "ann＠example.org",
        "ann﹫example.org",
        "\u{2060}",
        "\u{202e}\u{200d}",
        "\u{3164}",
        "\u{2800}",
        "\u{301}",
        "Аnn",
        "ＡＮＮ",
        "a\u{200d}nn",
        "z\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}",
        &pile,
    ] {
        let answer = join(name, "eve@example.org").await.expect(422);
        assert!(answer.problem("name").is_some(), "{:.40}", answer.body);
    }
    for email in [
        "ann@ｅxample.org",
        "ANN@Example.org",
        "a＠b@example.org",
        "ann＠example.org",
    ] {
        let answer = join("eve", email).await.expect(422);
        assert!(answer.problem("email").is_some(), "{email}");
    }
    join("Nguyễn Thị Ánh", "nguyen@example.org").await.done();
}

#[tokio::test]
async fn passwords_that_are_tried_first_are_refused() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let link = ann.invite().await;
    let visitor = server.visitor();
    for password in [
        "1234567890",
        "password12",
        "vic@example.org",
        "Glasshouse1",
        "qwertyuiop",
    ] {
        let fields = json!({ "name": "Vic", "email": "vic@example.org", "password": password });
        let refused = visitor.submit(&link, &fields).await.expect(422);
        let why = refused.problem("password").expect("a reason").to_owned();
        assert!(why.contains("easy to guess"), "{why}");
    }
}
