//! Names, profiles, blocks, and who may write.

use serde_json::json;

use crate::support::TestServer;

#[tokio::test]
async fn account_that_looks_like_another_is_refused() {
    let server = TestServer::start().await;
    let ann = server.owner("mary").await;
    let link = ann
        .act("community.invite", json!({ "space": ann.space }))
        .await
        .done();
    let link = link["link"].as_str().expect("a link").to_owned();
    for name in ["rnary", "Mаry", "\u{3164}", "\u{2800}\u{200b}", "\u{301}"] {
        let refused = server.visitor().join(&link, name).await;
        assert_eq!(refused.status, 422, "{name:?}: {}", refused.body);
    }
    server.visitor().join(&link, "Marie").await.done();
}

#[tokio::test]
async fn display_name_change_shows_everywhere() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let room = format!("/rooms/{}", ann.room("general"));
    bob.post("general", "hello").await;
    let direct = bob.direct(&[&ann]).await;
    assert!(ann.page(&room).await.contains("<b dir=\"auto\">bob</b>"));
    let mut pane = ann.html_socket().await;
    pane.follow(&format!("space/{}/presence", ann.space)).await;
    let profile = json!({ "display_name": "Róbert 🎷", "pronouns": "he", "time_zone": "Asia/Tokyo",
        "bio": "See https://example.org\n<b>bold</b>" });
    bob.act("community.set-profile", profile).await.done();
    pane.frame("Róbert").await;
    let page = ann.page(&room).await;
    assert!(page.contains("<b dir=\"auto\">Róbert 🎷</b>"), "{page}");
    assert!(!page.contains("<b dir=\"auto\">bob</b>"));
    assert!(
        ann.page(&format!("/rooms/{direct}"))
            .await
            .contains("Róbert")
    );
    assert!(ann.page("/find?q=rob").await.contains("Róbert"));
    let card = ann.page(&format!("/people/{}", bob.id)).await;
    for part in [
        "@bob",
        "data-zone=\"Asia/Tokyo\"",
        "href=\"https://example.org\"",
        "&#60;b&#62;bold",
        "Glasshouse",
    ] {
        assert!(card.contains(part), "{part}: {card}");
    }
    // The member list and a member's page tell people of one display name apart.
    let members = format!("/spaces/{}/members", ann.space);
    let list = ann.page(&members).await;
    assert!(list.contains("@bob</bdi>") && !list.contains("@ann</bdi>"));
    let member = ann.page(&format!("{members}/{}", bob.id)).await;
    assert!(member.contains("@bob</bdi>"), "{member}");
    assert!(member.contains(&format!("href=\"/people/{}\"", bob.id)));
    // The name with which one signs in stays.
    bob.other_device(&server).await;
    bob.act("community.set-profile", json!({})).await.done();
    assert!(ann.page(&room).await.contains("<b dir=\"auto\">bob</b>"));
}

#[tokio::test]
async fn profile_beyond_limits_is_refused() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    for fields in [
        json!({ "display_name": "x".repeat(41) }),
        json!({ "pronouns": "x".repeat(41) }),
        json!({ "bio": "x".repeat(501) }),
        json!({ "time_zone": "Mars/<b>" }),
    ] {
        ann.act("community.set-profile", fields).await.expect(422);
    }
    let status = json!({ "emoji": "no", "text": "out" });
    ann.act("community.set-status", status).await.expect(422);
    let status = json!({ "emoji": "🌴", "text": "On holiday", "ends": "week" });
    ann.act("community.set-status", status).await.done();
    let card = ann.page(&format!("/people/{}", ann.id)).await;
    assert!(card.contains("🌴 On holiday"), "{card}");
}

#[tokio::test]
async fn profile_of_unacquainted_is_not_found() {
    let server = TestServer::start().await;
    let _ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let eve = server.stranger("eve").await;
    eve.get(&format!("/people/{}", bob.id)).await.expect(404);
    bob.get(&format!("/people/{}", eve.id)).await.expect(404);
    let block = json!({ "account": bob.id });
    eve.act("community.block", block).await.expect(404);
}

#[tokio::test]
async fn block_closes_direct_conversation_for_both() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let room = ann.direct(&[&bob]).await;
    bob.post(&room, "before").await;
    ann.act("community.block", json!({ "account": bob.id }))
        .await
        .done();
    for person in [&ann, &bob] {
        let post =
            json!({ "room": room, "body": "after", "key": format!("key-of-{}", person.name) });
        assert_eq!(person.act("chat.post", post).await.code(), "conflict");
        let typing = json!({ "room": room });
        assert_eq!(person.act("chat.type", typing).await.code(), "conflict");
        let page = person.page(&format!("/rooms/{room}")).await;
        assert!(page.contains("This conversation is closed") && !page.contains("id=\"compose-"));
    }
    // No new group with somebody who blocked one.
    let group = json!({ "people": [ann.id, cem.id] });
    bob.act("community.open-direct", group).await.expect(409);
    // Rooms of a space stay open.
    bob.post("general", "still here").await;
    assert!(ann.page("/account/privacy").await.contains("@bob"));
    ann.act("community.unblock", json!({ "account": bob.id }))
        .await
        .done();
    bob.post(&room, "again").await;
    ann.act(
        "community.block",
        json!({ "account": bob.id, "kind": "ignore" }),
    )
    .await
    .done();
    bob.post(&room, "ignored, and written").await;
}

#[tokio::test]
async fn conversation_with_closed_account_is_refused() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let room = bob.direct(&[&ann]).await;
    ann.act("community.set-writers", json!({ "writers": "nobody" }))
        .await
        .done();
    let open = json!({ "people": [ann.id] });
    cem.act("community.open-direct", open.clone())
        .await
        .expect(409);
    bob.post(&room, "goes on").await;
    ann.act("community.set-writers", json!({ "writers": "all" }))
        .await
        .done();
    let eve = server.stranger("eve").await;
    eve.act("community.open-direct", open).await.done();
    ann.act("community.set-writers", json!({ "writers": "some" }))
        .await
        .expect(422);
}
