//! Sessions: their cookie, and how they end.

use serde_json::json;

use crate::support::{PASSWORD, TestServer, text};

#[tokio::test]
async fn session_cookie_is_http_only_and_same_site() {
    for (https, secure) in [("false", false), ("true", true)] {
        let server = TestServer::with(&[("TIDEPOOL_HTTPS", https)]).await;
        let made = json!({
            "community": "Glasshouse", "name": "ann",
            "email": "a@b", "password": PASSWORD, "token": server.setup_token().await,
        });
        let answer = server.visitor().submit("/setup", &made).await.expect(200);
        for name in ["tidepool", "tidepool-device"] {
            let start = match secure {
                true => format!("__Host-{name}="),
                false => format!("{name}="),
            };
            let cookies = answer.headers.get_all("set-cookie").iter();
            let cookie = cookies
                .filter_map(|cookie| cookie.to_str().ok())
                .find(|cookie| cookie.starts_with(&start))
                .unwrap_or_else(|| panic!("{start} is missing in {:?}", answer.headers))
                .to_ascii_lowercase();
            for flag in ["httponly", "samesite=lax", "path=/"] {
                assert!(cookie.contains(flag), "{flag} is missing: {cookie}");
            }
            assert_eq!(cookie.contains("secure"), secure, "{cookie}");
            assert!(!cookie.contains("domain="), "{cookie}");
        }
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
async fn session_survives_restart() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let room = format!("/rooms/{}", ann.room("general"));
    server.restart().await;
    assert!(ann.page(&room).await.contains("general"));
    server.kill().await;
    server.start_again().await;
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
    let elsewhere = ann.other_device(&server).await;
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
    assert!(other.drain().await.is_empty(), "the other session goes on");
    elsewhere.page("/account").await;
}

#[tokio::test]
async fn session_can_be_ended_from_another_device() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let lost = ann.other_device(&server).await;
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
        .send(json!({ "type": "act", "id": "1", "action": "chat.post", "fields": fields }))
        .await;
    assert_eq!(socket.close_code().await, Some(4401));
    let again = ann.other_device(&server).await;
    assert!(again.history("general").await.is_empty());
}

#[tokio::test]
async fn ended_session_is_not_renewed() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    server.stop().await;
    // Seen long ago: the next request keeps that it was seen now, after it has done what it was
    // for.
    server.age_sessions().await;
    server.start_again().await;
    let other = ann.other_device(&server).await;
    let page = other.page("/account").await;
    let sessions: Vec<_> = page
        .split("name=\"session\" value=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect();
    assert!(!sessions.is_empty());
    for session in &sessions {
        ann.act("community.end-session", json!({ "session": session }))
            .await;
    }
    assert_eq!(
        ann.get("/account").await.status,
        303,
        "signed out, and so it stays"
    );
}

#[tokio::test]
async fn expired_session_closes_its_sockets() {
    let (mut server, ann) = TestServer::start_with_owner().await;
    server.stop().await;
    let now = std::time::UNIX_EPOCH
        .elapsed()
        .expect("a clock")
        .as_micros();
    server
        .change_rows(&format!(
            "UPDATE sessions SET expires_at = {}",
            now + 2_000_000
        ))
        .await;
    server.start_again().await;
    let mut socket = ann.following("room/general").await;
    assert_eq!(socket.close_code().await, Some(4401));
    assert_eq!(ann.get("/account").await.status, 303);
}

#[tokio::test]
async fn session_of_more_than_a_year_is_over_though_it_is_used() {
    let (mut server, ann) = TestServer::start_with_owner().await;
    assert_eq!(ann.get("/account").await.status, 200);
    server.stop().await;
    // Without its first digit the moment is decades ago; the visit before was today.
    let changed = r#"UPDATE sessions SET data = replace(data, '"began":1', '"began":')"#;
    server.change_rows(changed).await;
    server.start_again().await;
    assert_eq!(ann.get("/account").await.status, 303);
    ann.sign_in("ann", PASSWORD).await.expect(200);
    assert_eq!(ann.get("/account").await.status, 200);
}

#[tokio::test]
async fn sign_out_clears_browser_cache_and_secure_cookie() {
    let server = TestServer::with(&[("TIDEPOOL_HTTPS", "true")]).await;
    let visitor = server.visitor();
    let made = json!({
        "community": "Glasshouse", "name": "ann",
        "email": "a@b", "password": PASSWORD, "token": server.setup_token().await,
    });
    let answer = visitor.submit("/setup", &made).await.expect(200);
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    // The client keeps no secure cookies of a server without encryption.
    let pairs: Vec<_> = cookies
        .iter()
        .filter_map(|cookie| cookie.to_str().ok()?.split(';').next())
        .collect();
    let request = visitor
        .request("POST", "/sign-out")
        .header("cookie", pairs.join("; "));
    let answer = visitor.send(request).await;
    assert_eq!(answer.header("clear-site-data"), "\"cache\"");
    let removed = answer.header("set-cookie");
    assert!(removed.starts_with("__Host-tidepool=;"), "{removed}");
    assert!(
        removed.contains("; Secure"),
        "browsers ignore it without: {removed}"
    );
}

#[tokio::test]
async fn all_other_sessions_are_ended_at_once() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let first = ann.other_device(&server).await;
    let second = ann.other_device(&server).await;
    let mut socket = first.following("room/general").await;
    ann.form("/act/community.end-other-sessions", &[]).await;
    assert_eq!(socket.close_code().await, Some(4401));
    for lost in [first, second] {
        assert!(
            lost.get("/account")
                .await
                .location()
                .starts_with("/sign-in")
        );
    }
    let page = ann.page("/account").await;
    assert!(
        !page.contains("end-other-sessions"),
        "nothing is left to end"
    );
}

#[tokio::test]
async fn account_has_a_hundred_sessions() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    server.stop().await;
    server
        .change_rows(
            "INSERT INTO sessions (digest, account_id, data, device, created_at, seen_at, \
             expires_at) WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n \
             WHERE i < 198) SELECT 'older-' || i, account_id, data, device, created_at, i, \
             expires_at FROM sessions, n WHERE account_id = (SELECT owner_id FROM installation)",
        )
        .await;
    server.start_again().await;
    let listed = |page: &str| page.matches("name=\"session\"").count();
    assert_eq!(listed(&ann.page("/account").await), 99);
    let other = ann.other_device(&server).await;
    // The one that was used longest ago is gone.
    let page = other.page("/account").await;
    assert_eq!(listed(&page), 99);
    assert!(!page.contains("older-100") && page.contains("older-101"));
}

#[tokio::test]
async fn clock_setting_is_kept_until_it_is_changed() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let set = async |fields| ann.act("community.set-language", fields).await;
    let is_shown = async |clock: &str| {
        let page = ann.get("/account").await.expect(200);
        page.body.contains(&format!("data-clock=\"{clock}\""))
    };
    assert!(!is_shown("12").await && !is_shown("24").await);
    set(json!({ "language": "", "clock": "24" })).await.done();
    assert!(is_shown("24").await);
    // A client that knows languages only.
    set(json!({ "language": "en" })).await.done();
    assert!(is_shown("24").await);
    set(json!({ "language": "", "clock": "13" }))
        .await
        .expect(422);
    set(json!({ "language": "", "clock": "" })).await.done();
    assert!(!is_shown("24").await);
}
