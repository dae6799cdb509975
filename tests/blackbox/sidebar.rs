//! The list of rooms beside a page.

use serde_json::json;

use crate::support::TestServer;

#[tokio::test]
async fn sidebar_refetch_reaches_affected_accounts() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut page = bob.html_socket().await;
    page.follow(&format!("space/{}", bob.space)).await;
    page.follow(&format!("account/{}", bob.id)).await;
    ann.create_room("garden").await;
    assert_eq!(page.wait_for("frame").await["html"], "<!--reread-->");
    ann.create_room("whisper").private().with(&[&bob]).await;
    let frame = page.wait_for("frame").await;
    assert_eq!(
        (&frame["feed"], &frame["html"]),
        (
            &json!(format!("account/{}", bob.id)),
            &json!("<!--reread-->")
        )
    );
    ann.direct(&[&bob]).await;
    assert_eq!(
        page.wait_for("frame").await["feed"],
        format!("account/{}", bob.id).as_str()
    );
    let sidebar = bob
        .fragment(&format!("/sidebar?space={}&here=/rooms/1", bob.space))
        .await
        .expect(200)
        .body;
    for label in ["garden", "whisper", "ann"] {
        assert!(sidebar.contains(label), "{label} is missing: {sidebar}");
    }
}
