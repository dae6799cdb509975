//! What every answer shares: errors, headers, compression, caching, limits, and the counters.

use serde_json::json;

use crate::support::{Answer, PASSWORD, Person, TestServer, client, text};

/// A server and its owner, for tests that only read.
async fn house() -> (TestServer, Person) {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    (server, ann)
}

#[tokio::test]
async fn not_found_answers_in_requested_form() {
    let (_server, ann) = house().await;
    let page = ann.get("/nowhere").await.expect(404);
    assert!(
        page.body.starts_with("<!doctype html>")
            && page.header("content-type").starts_with("text/html")
    );
    let fragment = ann.fragment("/nowhere").await.expect(404);
    assert!(!fragment.body.contains("<html") && !fragment.body.is_empty());
    let data = ann
        .send(
            ann.request("GET", "/nowhere")
                .header("Accept", "application/json"),
        )
        .await
        .expect(404);
    assert_eq!(data.code(), "not_found");
    assert!(
        data.json()["error"]["message"]
            .as_str()
            .is_some_and(|message| !message.is_empty())
    );
    for answer in [page, fragment, data] {
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    for strange in [
        "/rooms/x",
        "/rooms/99999999999999999999",
        "/rooms/-1",
        "/rooms/1%00",
        "/spaces/1/people?pane",
        "/rooms/%FF",
        "/../secrets.toml",
        "/assets/../secrets.toml",
    ] {
        let status = ann.get(strange).await.status;
        assert!((400..=404).contains(&status), "{strange}: {status}");
    }
}

#[tokio::test]
async fn answers_carry_security_headers() {
    let (server, ann) = house().await;
    let room = ann.room("general");
    let answers = [
        ann.get("/").await,
        ann.get(&format!("/rooms/{room}")).await,
        ann.fragment(&format!("/rooms/{room}/log")).await,
        ann.get("/nowhere").await,
        ann.get("/health/live").await,
        ann.get("/metrics").await,
        ann.get("/assets/none").await,
        ann.get(&format!("/accounts/{}/mine.css", ann.id)).await,
        ann.act("chat.post", json!({})).await,
        ann.send(ann.request("PUT", "/sign-in")).await,
        server.visitor().get("/account").await,
        cross_site(&ann, "cross-site").await,
    ];
    let mut ids = std::collections::BTreeSet::new();
    for answer in &answers {
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{}: {policy}",
            answer.status
        );
        assert!(
            !policy.contains("unsafe") && !policy.contains('*'),
            "{policy}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert!(answer.header("x-request-id").len() >= 16);
        ids.insert(answer.header("x-request-id"));
    }
    assert_eq!(ids.len(), answers.len(), "each request has its own name");
}

async fn cross_site(person: &Person, site: &str) -> Answer {
    let fields = json!({ "room": person.room("general"), "body": "forged", "key": "forged-0001" });
    person
        .send(
            person
                .request("POST", "/act/chat.post")
                .header("Sec-Fetch-Site", site)
                .form(&fields),
        )
        .await
}

#[tokio::test]
async fn cross_site_posts_are_refused() {
    let (_server, ann) = house().await;
    for site in ["cross-site", "same-site"] {
        assert_eq!(cross_site(&ann, site).await.status, 403, "{site}");
    }
    for path in [
        "/setup",
        "/sign-in",
        "/sign-out",
        "/act/chat.post",
        "/join/x",
    ] {
        let request = ann
            .request("POST", path)
            .header("Origin", "https://evil.example")
            .form(&json!({ "login": "ann", "password": PASSWORD }));
        assert_eq!(ann.send(request).await.status, 403, "{path}");
    }
    assert!(ann.history("general").await.is_empty());
    assert_eq!(cross_site(&ann, "same-origin").await.status, 303);
    ann.send(
        ann.request("GET", "/account")
            .header("Sec-Fetch-Site", "cross-site"),
    )
    .await
    .expect(200);
}

#[tokio::test]
async fn unchanged_page_answers_304() {
    let (_server, ann) = house().await;
    ann.post("general", "hi").await;
    let room = format!("/rooms/{}", ann.room("general"));
    ann.page(&room).await;
    let first = ann.get(&room).await;
    let tag = first.header("etag").to_owned();
    assert!(
        tag.starts_with("W/\"") && first.header("cache-control").contains("no-cache"),
        "{tag}"
    );
    let again = async |tag: &str| {
        ann.send(ann.request("GET", &room).header("If-None-Match", tag))
            .await
    };
    let same = again(&tag).await.expect(304);
    assert!(same.body.is_empty() && same.header("etag") == tag);
    assert_eq!(again(&format!("\"other\", {tag}")).await.status, 304);
    let head = ann
        .send(ann.request("HEAD", &room).header("If-None-Match", &tag))
        .await
        .expect(304);
    // What a 304 has to say (RFC 9110, section 15.4.5), whether the answer was kept or made for
    // this.
    for unchanged in [&same, &head] {
        for name in ["cache-control", "etag", "vary"] {
            assert_eq!(unchanged.header(name), first.header(name), "{name}");
        }
        assert_ne!(
            unchanged.header("x-request-id"),
            first.header("x-request-id")
        );
    }
    ann.post("general", "ho").await;
    let changed = again(&tag).await.expect(200);
    assert_ne!(changed.header("etag"), tag);
}

#[tokio::test]
async fn pages_are_byte_identical_per_account() {
    let (_server, ann) = house().await;
    for path in [
        format!("/rooms/{}", ann.room("general")),
        format!("/spaces/{}/settings", ann.space),
        "/account".to_owned(),
    ] {
        assert_eq!(ann.page(&path).await, ann.page(&path).await, "{path}");
    }
}

#[tokio::test]
async fn pages_are_compressed_when_accepted() {
    let (server, ann) = house().await;
    let room = format!("{}/rooms/{}", server.base(), ann.room("general"));
    // A client of its own, for ours unpacks.
    let plain = client().no_brotli().no_gzip().build().expect("a client");
    for (accepts, encoding) in [("br, gzip", "br"), ("gzip", "gzip"), ("identity", "")] {
        let request = plain
            .get(&room)
            .header("Cookie", ann.cookies())
            .header("Accept-Encoding", accepts);
        let response = request.send().await.expect("an answer");
        let got = response
            .headers()
            .get("content-encoding")
            .map_or("", |value| value.to_str().expect("text"));
        assert_eq!(got, encoding, "{accepts}");
        assert!(response.headers().get_all("vary").iter().any(|vary| {
            vary.to_str()
                .is_ok_and(|vary| vary.contains("accept-encoding"))
        }));
    }
}

#[tokio::test]
async fn assets_exist_at_linked_addresses() {
    let (_server, ann) = house().await;
    let page = ann.page(&format!("/rooms/{}", ann.room("general"))).await;
    let named = ["href", "src"]
        .map(|name| text::attributes(&page, name))
        .concat();
    let assets: std::collections::BTreeSet<_> = named
        .iter()
        .filter(|path| path.starts_with("/assets/"))
        .map(|path| path.split('#').next().expect("a path"))
        .collect();
    assert!(assets.len() >= 8, "{assets:?}");
    for path in assets {
        let asset = ann.get(path).await.expect(200);
        let kind = match path.rsplit('.').next() {
            Some("js") => "javascript",
            Some("css") => "text/css",
            _ => "image/svg+xml",
        };
        assert!(
            asset.header("content-type").contains(kind),
            "{path}: {}",
            asset.header("content-type")
        );
        let kept = asset.header("cache-control");
        assert!(
            if cfg!(debug_assertions) {
                kept.contains("no-cache")
            } else {
                kept.contains("immutable")
            },
            "{path}: {kept}"
        );
    }
    ann.get("/assets/0000000000000000/js/app.js")
        .await
        .expect(404);
}

#[tokio::test]
async fn oversized_body_and_wrong_method_explain() {
    let (_server, ann) = house().await;
    let large = ann
        .form("/act/chat.post", &[("body", &"x".repeat(500 << 10))])
        .await
        .expect(413);
    assert!(large.body.contains("<html"), "{}", large.body);
    let wrong = ann
        .send(
            ann.request("DELETE", "/account")
                .header("Accept", "application/json"),
        )
        .await
        .expect(405);
    assert!(wrong.header("allow").contains("GET") && wrong.json()["error"]["message"].is_string());
    ann.send(ann.request("GET", "/act/chat.post"))
        .await
        .expect(405);
    let request = ann
        .request("POST", "/act/chat.post")
        .header("Content-Type", "application/json")
        .header("Accept", "application/json");
    assert_eq!(
        ann.send(request.body("{\"room\":"))
            .await
            .expect(422)
            .code(),
        "invalid"
    );
}

#[tokio::test]
async fn refused_form_is_shown_with_input() {
    let (server, ann) = house().await;
    let page = format!("{}/spaces/{}/rooms/new", server.base(), ann.space);
    let fields = json!({ "space": ann.space, "name": "general", "about": "kept as <typed>" });
    let request = ann
        .request("POST", "/act/community.create-room")
        .header("Referer", &page)
        .form(&fields);
    let answer = ann.send(request).await.expect(422);
    assert!(
        answer.body.starts_with("<!doctype html>")
            && answer.body.contains("kept as &#60;typed&#62;"),
        "{}",
        answer.body
    );
    assert!(
        answer.body.contains("value=\"general\"")
            && answer
                .body
                .contains("action=\"/act/community.create-room\"")
    );
    let request = ann
        .request("POST", "/act/community.create-room")
        .header("Referer", "https://evil.example/account")
        .form(&fields);
    assert!(
        !ann.send(request)
            .await
            .expect(422)
            .body
            .contains("action=\"/act/community.create-room\"")
    );
}

#[tokio::test]
async fn metrics_need_token_and_health_does_not() {
    let (server, ann) = house().await;
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(server.visitor().page(path).await, "ok\n");
    }
    let ask = async |token: &str| {
        ann.send(ann.request("GET", "/metrics").bearer_auth(token))
            .await
    };
    ann.get("/metrics").await.expect(403);
    let token = server.metrics_token();
    for wrong in ["", "wrong", &token[..42], &format!("{token}x")] {
        let refused = ask(wrong).await.expect(403);
        assert!(!refused.body.contains("tidepool_"), "{}", refused.body);
    }
    ann.post("general", "hi").await;
    ann.page(&format!("/rooms/{}", ann.room("general"))).await;
    ann.socket().await;
    let page = ask(&token).await.expect(200).body;
    assert!(
        page.contains("route=\"/rooms/{room}\""),
        "times are kept by route: {page}"
    );
    for counter in [
        "tidepool_sockets",
        "tidepool_post_seconds",
        "tidepool_commit_seconds",
        "tidepool_requests_total",
        "tidepool_actions_total",
    ] {
        assert!(page.contains(counter), "{counter} is missing in\n{page}");
    }
    assert!(
        !page.contains(&ann.id) && !page.contains("/rooms/9"),
        "nothing of anybody: {page}"
    );
}

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

#[tokio::test]
async fn stop_closes_open_sockets() {
    let (mut server, ann) = house().await;
    let mut sockets = Vec::new();
    for _ in 0..20 {
        sockets.push(ann.following("room/general").await);
    }
    ann.post("general", "hi").await;
    server.stop().await;
    for mut socket in sockets {
        assert_eq!(socket.close_code().await, Some(1012));
    }
    assert_eq!(server.run(&["check"]).stdout, b"ok\n");
    let log = std::fs::metadata(server.data().join("tidepool.sqlite-wal"));
    assert!(
        log.is_ok_and(|log| log.len() == 0),
        "everything is in the database file"
    );
}

#[tokio::test]
async fn stop_finishes_requests_in_progress() {
    let (mut server, ann) = house().await;
    let posts: Vec<_> = (0..20)
        .map(|number| {
            let ann = ann.clone();
            tokio::spawn(async move {
                let fields = json!({ "room": ann.room("general"), "body": "x", "key": format!("last-{number:04}") });
                let request = ann.request("POST", "/act/chat.post").header("Content-Type", "application/json");
                request
                    .header("Accept", "application/json")
                    .body(fields.to_string())
                    .send()
                    .await
                    .map(|response| response.status().as_u16())
            })
        })
        .collect();
    server
        .metric_reaches("tidepool_actions_total{action=\"chat.post\"}", |count| {
            count >= 1.0
        })
        .await;
    server.stop().await;
    let mut acknowledged = 0;
    for post in posts {
        if let Ok(status) = post.await.expect("it ends") {
            assert_eq!(status, 200);
            acknowledged += 1;
        }
    }
    server.again().await;
    assert!(ann.history("general").await.len() >= acknowledged);
}
