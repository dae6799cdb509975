//! Headers that every answer carries, and requests from other sites.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::{Answer, PASSWORD, Person, TestServer};

#[tokio::test]
async fn answers_carry_security_headers() {
    let (server, ann) = TestServer::start_with_owner().await;
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
    let mut ids = BTreeSet::new();
    for answer in &answers {
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{}: {policy}",
            answer.status
        );
        // WebAssembly is no script that could be injected: it comes from `connect-src`.
        let others = policy.replace("'wasm-unsafe-eval'", "");
        assert!(
            !others.contains("unsafe") && !others.contains('*'),
            "{policy}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert!(answer.header("x-request-id").len() >= 16);
        ids.insert(answer.header("x-request-id"));
    }
    assert_eq!(ids.len(), answers.len(), "each request has its own name");
}

#[tokio::test]
async fn texts_name_their_charset() {
    let (_server, ann) = TestServer::start_with_owner().await;
    let page = ann.page("/account").await;
    let is_asset = |path: &&str| path.contains("/assets/") || path.contains("/modules/");
    let paths = page.split('"').filter(is_asset);
    let paths: BTreeSet<&str> = paths.filter(|path| !path.contains('#')).collect();
    let (mut scripts, mut styles) = (0, 0);
    for path in paths {
        let answer = ann.get(path).await;
        let kind = answer.header("content-type");
        if let Some(rest) = kind.strip_prefix("text/") {
            assert!(rest.ends_with("; charset=utf-8"), "{path}: {kind}");
            scripts += usize::from(rest.starts_with("javascript"));
            styles += usize::from(rest.starts_with("css"));
        }
    }
    assert!(
        scripts > 0 && styles > 0,
        "{scripts} scripts, {styles} styles"
    );
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
    let (_server, ann) = TestServer::start_with_owner().await;
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
