//! The rules of a space, accepted before one writes, and the page that welcomes members.

use serde_json::json;

use crate::support::{Person, TestServer, text};

async fn set_rules(by: &Person, rules: &str, asks_again: &str) {
    let fields = json!({ "space": by.space, "rules": rules, "asks_again": asks_again });
    by.act("community.set-rules-text", fields).await.done();
}

async fn post(by: &Person, key: &str) -> u16 {
    let fields = json!({ "room": by.room("general"), "body": "hello", "key": key });
    by.act("chat.post", fields).await.status
}

/// Accepts the rules as the page shows them.
async fn accept(person: &Person) -> u16 {
    let path = format!("/spaces/{}/rules-text", person.space);
    let page = person.page(&path).await;
    let version = page
        .split_once("name=\"version\" value=\"")
        .map_or("1", |(_, rest)| rest.split('"').next().unwrap_or_default());
    let fields = json!({ "space": person.space, "version": version });
    person.act("community.accept-rules", fields).await.status
}

#[tokio::test]
async fn newcomer_writes_after_accepting_the_rules() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    set_rules(&ann, "1. Be kind\n\n<b>2.</b> See https://a.example/x.", "").await;
    let mut bob = server.visitor();
    let link = ann.invite().await;
    bob.join(&link, "bob").await.done();
    bob.remember_room("general", &ann.room("general"));
    assert_eq!(post(&bob, "rules-0001").await, 403);
    let room = bob.page(&format!("/rooms/{}", ann.room("general"))).await;
    let path = format!("/spaces/{}/rules-text", ann.space);
    assert!(room.contains(&path), "the room leads to the rules: {room}");
    let page = bob.page(&path).await;
    assert!(
        page.contains("Be kind") && !page.contains("<b>2."),
        "{page}"
    );
    let links = text::attributes(&page, "href");
    assert!(
        links.iter().any(|link| link == "https://a.example/x"),
        "{links:?}"
    );
    let old = json!({ "space": ann.space, "version": "1" });
    bob.act("community.accept-rules", old).await.expect(409);
    assert_eq!(post(&bob, "rules-0002").await, 403);
    assert_eq!(accept(&bob).await, 200);
    assert_eq!(post(&bob, "rules-0003").await, 200);
    // Read at any time; nothing is asked any more.
    assert!(!bob.page(&path).await.contains("Accept the rules"));
}

#[tokio::test]
async fn changed_rules_ask_everybody_again_if_wanted() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    set_rules(&ann, "Be kind", "").await;
    assert_eq!(post(&bob, "again-0001").await, 200);
    let mut socket = bob.following(&format!("space/{}", ann.space)).await;
    set_rules(&ann, "Be kinder", "yes").await;
    socket.event("community.space-rules.changed").await;
    assert_eq!(post(&bob, "again-0002").await, 403);
    assert_eq!(post(&ann, "again-0003").await, 200, "owners go on");
    assert_eq!(accept(&bob).await, 200);
    assert_eq!(post(&bob, "again-0004").await, 200);
    // Without rules nobody waits.
    set_rules(&ann, "Kindest", "yes").await;
    set_rules(&ann, " \n", "").await;
    assert_eq!(post(&bob, "again-0005").await, 200);
    let long = "x".repeat(10_001);
    let fields = json!({ "space": ann.space, "rules": long });
    ann.act("community.set-rules-text", fields)
        .await
        .expect(422);
    let audit = ann.page(&format!("/spaces/{}/audit", ann.space)).await;
    assert!(audit.contains("Changed the rules"), "{audit}");
}

#[tokio::test]
async fn welcome_shows_text_and_readable_rooms_once() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (open, hidden) = (
        ann.create_room("ferns").await,
        ann.create_room("hidden").private().await,
    );
    let role = json!({ "space": ann.space, "name": "Readers", "self_chosen": "yes" });
    ann.act("community.create-role", role).await.done();
    let fields = json!({ "space": ann.space, "welcome": "Come in", "rooms": [open, hidden] });
    ann.act("community.set-welcome", fields).await.done();
    let fields = [
        ("name", "Bob"),
        ("email", "bob@example.org"),
        ("password", crate::support::PASSWORD),
    ];
    let link = ann.invite().await;
    let bob = server.visitor();
    let welcome = format!("/spaces/{}/welcome", ann.space);
    assert_eq!(bob.form(&link, &fields).await.location(), welcome);
    let page = bob.page(&welcome).await;
    assert!(page.contains("Come in") && page.contains("ferns"), "{page}");
    assert!(page.contains("Readers") && page.contains("Set your picture"));
    assert!(!page.contains(&hidden), "a room that Bob does not read");
    // Led in past it from then on.
    assert!(bob.get(&link).await.location().starts_with("/rooms/"));
    let eve = server.stranger("eve").await;
    eve.get(&welcome).await.expect(404);
    // A room of another space.
    let fields = json!({ "space": ann.space, "welcome": "", "rooms": ["1"] });
    ann.act("community.set-welcome", fields).await.expect(404);
}
