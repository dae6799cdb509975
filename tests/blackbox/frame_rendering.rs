//! The one idea: an event is rendered once, however many look.

use std::process::Command;

use futures_util::future::join_all;

use crate::support::{Socket, TestServer};

const SOCKETS: usize = 1_000;

/// Lets this process and the servers it starts open enough files: two for each socket and some.
fn raise_open_files() {
    let done = Command::new("prlimit")
        .args(["--pid", &std::process::id().to_string(), "--nofile=8192:"])
        .status();
    assert!(
        done.is_ok_and(|status| status.success()),
        "a thousand sockets need the right to open 8192 files (ulimit -n)"
    );
}

#[tokio::test]
async fn post_to_thousand_sockets_renders_once() {
    raise_open_files();
    let limits = [
        ("TIDEPOOL_MAX_SOCKETS_PER_ACCOUNT", "2000"),
        ("TIDEPOOL_MAX_SOCKETS", "2000"),
    ];
    let server = TestServer::with(&limits).await;
    let ann = server.owner("ann").await;
    let path = format!("/live?feed={}", ann.feed("room/general"));
    let mut sockets: Vec<Socket> = Vec::with_capacity(SOCKETS);
    while sockets.len() < SOCKETS {
        sockets.extend(join_all((0..50).map(|_| ann.socket_at(&path))).await);
    }
    join_all(
        sockets
            .iter_mut()
            .map(|socket| socket.wait_for("subscribed")),
    )
    .await;
    assert_eq!(server.metric("tidepool_sockets").await, SOCKETS as f64);
    const RENDERED: &str = "tidepool_frames_rendered_total{as=\"html\"}";
    const FRAGMENTS: &str = "tidepool_fragments_rendered_total{template=\"chat.message.11\"}";
    let before = (
        server.metric(RENDERED).await,
        server.metric(FRAGMENTS).await,
    );
    let message = ann.post("general", "before a thousand eyes").await;
    let frames = join_all(sockets.iter_mut().map(|socket| socket.wait_for("frame"))).await;
    assert!(
        frames.iter().all(|frame| frame == &frames[0]),
        "all are the same bytes"
    );
    assert!(
        frames[0]["html"]
            .as_str()
            .is_some_and(|html| html.contains(&message.id))
    );
    let after = (
        server.metric(RENDERED).await,
        server.metric(FRAGMENTS).await,
    );
    let once = server.instances() as f64;
    assert_eq!(after.0 - before.0, once, "frames rendered");
    assert_eq!(after.1 - before.1, once, "fragments rendered");
    let rest = join_all(sockets.iter_mut().map(Socket::drain)).await;
    assert!(rest.iter().all(Vec::is_empty), "nobody saw it twice");
    // The page shows the fragment that is there already.
    ann.page(&format!("/rooms/{}", ann.room("general"))).await;
    assert_eq!(server.metric(FRAGMENTS).await, after.1);
}
