//! Metrics and health.

use crate::support::TestServer;

#[tokio::test]
async fn metrics_need_token_and_health_does_not() {
    let (server, ann) = TestServer::start_with_owner().await;
    // Each instance has a token of its own.
    let ann = ann.at_instance(&server, 0);
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
