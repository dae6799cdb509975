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

#[tokio::test]
async fn direct_conversation_shows_space_visited_last() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let direct = format!("/rooms/{}", ann.direct(&[&bob]).await);
    let fields = json!({ "name": "Orchard" });
    let orchard = ann.act("community.create-space", fields).await.done();
    let orchard = orchard["space"].as_str().expect("an id").to_owned();
    let glasshouse = ann.room("general");
    let links_room = |page: &str| page.contains(&format!("room-link-{glasshouse}"));
    // Repeated, so that each page is answered from the cache at some time.
    for _ in 0..3 {
        ann.page(&format!("/spaces/{orchard}")).await;
        assert!(!links_room(&ann.page(&direct).await));
        assert!(!links_room(&ann.page("/account").await));
        ann.page(&format!("/rooms/{glasshouse}")).await;
        assert!(links_room(&ann.page(&direct).await));
        assert!(links_room(&ann.page(&direct).await));
    }
    // A page that is prefetched is no visit.
    let request = ann.request("GET", &format!("/spaces/{orchard}"));
    let prefetch = request.header("Sec-Purpose", "prefetch");
    ann.send(prefetch).await.expect(200);
    assert!(links_room(&ann.page(&direct).await));
    // Without the right to the space, it is another one that stays.
    let leave = json!({ "space": bob.space, "account": bob.id });
    bob.page(&format!("/rooms/{glasshouse}")).await;
    bob.act("community.remove-member", leave).await.done();
    assert!(!links_room(&bob.page(&direct).await));
}
