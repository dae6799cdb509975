//! The door: signing in and out, its patience, and sessions.

use serde_json::json;

use crate::support::{PASSWORD, TestServer, text, until_refused};

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
async fn session_cookie_is_http_only_and_same_site() {
    for (https, secure) in [("false", false), ("true", true)] {
        let server = TestServer::with(&[("TIDEPOOL_HTTPS", https)]).await;
        let made = json!({ "community": "Glasshouse", "name": "ann", "email": "a@b", "password": PASSWORD });
        let answer = server.visitor().submit("/setup", &made).await.expect(200);
        let cookie = answer.header("set-cookie").to_ascii_lowercase();
        assert!(cookie.starts_with("tidepool="), "{cookie}");
        for flag in ["httponly", "samesite=lax", "path=/"] {
            assert!(cookie.contains(flag), "{flag} is missing: {cookie}");
        }
        assert_eq!(cookie.contains("secure"), secure, "{cookie}");
        assert_eq!(
            answer.headers.contains_key("strict-transport-security"),
            secure
        );
    }
}

#[tokio::test]
async fn dead_session_cookie_is_cleared() {
    let server = TestServer::start().await;
    server.owner("ann").await;
    for (accept, path, status) in [
        ("application/json", "/account", 401),
        ("text/html", "/account", 303),
        ("text/html", "/nowhere", 404),
    ] {
        let visitor = server.visitor();
        let request = visitor
            .request("GET", path)
            .header("accept", accept)
            .header("cookie", "tidepool=AAAAAAAAAAAAAAAAAAAAAA");
        let answer = visitor.send(request).await;
        assert_eq!(answer.status, status, "{path}");
        let taken_back = answer.header("set-cookie").to_ascii_lowercase();
        assert!(
            taken_back.starts_with("tidepool=;") && taken_back.contains("max-age=0"),
            "{status}: {taken_back}"
        );
    }
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
                &json!({ "login": if number.is_multiple_of(2) { "ann" } else { "ann@example.org" }, "password": PASSWORD, "next": next }),
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
async fn session_survives_restart() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let room = format!("/rooms/{}", ann.room("general"));
    server.restart().await;
    assert!(ann.page(&room).await.contains("general"));
    server.kill9().await;
    server.again().await;
    ann.page(&room).await;
}

#[tokio::test]
async fn sign_in_replaces_previous_session() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let before = ann.cookies();
    let mut socket = ann.following("room/general").await;
    ann.sign_in("ann", PASSWORD).await.done();
    assert_ne!(
        ann.cookies(),
        before,
        "an id that somebody planted must be worth nothing"
    );
    assert_eq!(socket.close_code().await, Some(4401));
    let thief = server.visitor();
    let answer = thief
        .send(thief.request("GET", "/account").header("Cookie", before))
        .await;
    assert_eq!(answer.location(), "/sign-in?next=%2Faccount");
}

#[tokio::test]
async fn sign_out_closes_sockets() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let elsewhere = ann.elsewhere(&server).await;
    let (mut socket, mut other) = (
        ann.following("room/general").await,
        elsewhere.socket().await,
    );
    let cookie = ann.cookies();
    assert_eq!(ann.form("/sign-out", &[]).await.location(), "/sign-in");
    assert_eq!(socket.close_code().await, Some(4401));
    let answer = ann
        .send(ann.request("GET", "/account").header("Cookie", cookie))
        .await;
    assert_eq!(answer.location(), "/sign-in?next=%2Faccount");
    assert!(other.so_far().await.is_empty(), "the other session goes on");
    elsewhere.page("/account").await;
}

#[tokio::test]
async fn session_can_be_ended_from_another_device() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let lost = ann.elsewhere(&server).await;
    let page = ann.page("/account").await;
    let sessions: Vec<_> = text::attributes(&page, "value")
        .into_iter()
        .filter(|value| value.len() == 43)
        .collect();
    assert!(!sessions.is_empty(), "the other session is listed: {page}");
    let mut socket = lost.following("room/general").await;
    for session in &sessions {
        assert_eq!(
            bob.act("community.end-session", json!({ "session": session }))
                .await
                .code(),
            "not_found",
            "not his"
        );
    }
    let lists_itself = lost.page("/account").await;
    let own: Vec<_> = sessions
        .iter()
        .filter(|session| !text::attributes(&lists_itself, "value").contains(session))
        .collect();
    let target = own.first().copied().unwrap_or(&sessions[0]);
    ann.act("community.end-session", json!({ "session": target }))
        .await
        .done();
    assert_eq!(socket.close_code().await, Some(4401));
    lost.get("/account").await.location();
    ann.page("/account").await;
}

#[tokio::test]
async fn socket_action_of_ended_session_does_nothing() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let mut socket = ann.socket().await;
    ann.form("/sign-out", &[]).await;
    let fields = json!({ "room": ann.room("general"), "body": "too late", "key": "late-0000" });
    socket
        .say(json!({ "type": "act", "id": "1", "action": "chat.post", "fields": fields }))
        .await;
    assert_eq!(socket.close_code().await, Some(4401));
    let again = ann.elsewhere(&server).await;
    assert!(again.history("general").await.is_empty());
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

#[tokio::test]
async fn ended_session_is_not_renewed() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    server.stop().await;
    // Seen long ago: the next request keeps that it was seen now, after it has done what it was
    // for.
    server
        .change_rows("UPDATE sessions SET data = json_set(data, '$.data.seen', 0)")
        .await;
    server.again().await;
    let other = ann.elsewhere(&server).await;
    let page = other.page("/account").await;
    let sessions: Vec<_> = page
        .split("name=\"session\" value=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect();
    assert!(!sessions.is_empty());
    for session in &sessions {
        ann.act(
            "community.end-session",
            serde_json::json!({ "session": session }),
        )
        .await;
    }
    assert_eq!(
        ann.get("/account").await.status,
        303,
        "signed out, and so it stays"
    );
}
