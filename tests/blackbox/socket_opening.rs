//! Who may open a socket, and how many.

use crate::support::{Person, TestServer, dial};

async fn refusal(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> u16 {
    let base = server.base().parse().expect("an address");
    dial(&base, path, headers).await.expect_err("it is refused")
}

#[tokio::test]
async fn socket_without_session_is_refused() {
    let server = TestServer::start().await;
    server.owner("ann").await;
    for path in ["/live", "/live/data"] {
        assert_eq!(refusal(&server, path, &[]).await, 401, "{path}");
        assert_eq!(
            refusal(
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
            refusal(
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

#[tokio::test]
async fn restart_closes_sockets_with_1012() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (mut data, mut page) = (ann.following("room/general").await, ann.html_socket().await);
    server.stop().await;
    assert_eq!(data.close_code().await, Some(1012));
    assert_eq!(page.close_code().await, Some(1012));
    server.start_again().await;
    ann.following("room/general").await;
}

#[tokio::test]
async fn sockets_per_account_are_limited() {
    let server = TestServer::with(&[
        ("TIDEPOOL_MAX_SOCKETS_PER_ACCOUNT", "3"),
        ("TIDEPOOL_MAX_SOCKETS", "5"),
    ])
    .await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let cem = server.member("cem").await;
    server
        .metric_reaches("tidepool_sockets", |open| open == 0.0)
        .await;
    let mut open = Vec::new();
    for person in [&ann, &ann, &ann, &bob, &bob] {
        open.push(person.socket().await);
    }
    let cookies = |person: &Person| person.cookies();
    assert_eq!(
        refusal(&server, "/live", &[("cookie", &cookies(&cem))]).await,
        503
    );
    open.pop().expect("one is open").close().await;
    server
        .metric_reaches("tidepool_sockets", |open| open == 4.0)
        .await;
    assert_eq!(
        refusal(&server, "/live", &[("cookie", &cookies(&ann))]).await,
        429
    );
    cem.socket().await;
}
