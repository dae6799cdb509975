//! Who may open a socket: a session and the right origin.

use crate::support::{TestServer, dial, refused_status};

#[tokio::test]
async fn socket_without_session_is_refused() {
    let server = TestServer::start().await;
    server.owner("ann").await;
    for path in ["/live", "/live/data"] {
        assert_eq!(refused_status(&server, path, &[]).await, 401, "{path}");
        assert_eq!(
            refused_status(
                &server,
                path,
                &[("cookie", "tidepool=AAAAAAAAAAAAAAAAAAAAAA")]
            )
            .await,
            401,
            "{path}"
        );
    }
}

#[tokio::test]
async fn socket_of_other_origin_is_refused() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let cookies = ann.cookies();
    for origin in [
        "https://evil.example",
        "null",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "http://evil.example:80@127.0.0.1",
    ] {
        assert_eq!(
            refused_status(
                &server,
                "/live",
                &[("cookie", &cookies), ("origin", origin)]
            )
            .await,
            403,
            "{origin}"
        );
    }
    let base = server.base();
    assert!(
        dial(
            &base.parse().expect("an address"),
            "/live",
            &[("cookie", &cookies), ("origin", &base)]
        )
        .await
        .is_ok()
    );
}
