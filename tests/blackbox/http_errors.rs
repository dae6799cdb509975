//! Errors as pages, fragments and JSON.

use serde_json::json;

use crate::support::TestServer;

#[tokio::test]
async fn not_found_answers_in_requested_form() {
    let (_server, ann) = TestServer::start_with_owner().await;
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
async fn oversized_body_and_wrong_method_explain() {
    let (_server, ann) = TestServer::start_with_owner().await;
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
    let (server, ann) = TestServer::start_with_owner().await;
    let ann = ann.at_instance(&server, 0);
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
