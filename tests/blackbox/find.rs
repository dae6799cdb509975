//! Finding rooms, people and spaces by name.

use serde_json::json;

use crate::support::{Person, TestServer, text};

/// What somebody finds, by name, best first.
async fn found(person: &Person, query: &str) -> Vec<String> {
    let list = person.fragment(&format!("/find/results?q={query}")).await;
    let list = list.expect(200).body;
    let names = list.split("<span class=\"name\" dir=\"auto\">").skip(1);
    names
        .map(|name| name.split("</span>").next().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn find_lists_what_may_be_read_until_it_changes() {
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let bob = server.member("Bob Lind").await;
    let stranger = server.stranger("Lindsay").await;
    let secret = ann.create_room("lindens").private().await;
    ann.create_room("linden-plans").await;
    assert_eq!(
        found(&ann, "lind").await,
        ["linden-plans", "lindens", "Lindsay", "Bob Lind"]
    );
    assert_eq!(found(&bob, "lind").await, ["linden-plans"]);
    assert!(found(&stranger, "lind").await.is_empty());
    assert!(found(&stranger, "glass").await.is_empty());
    assert!(found(&bob, "else").await.is_empty());

    // A person who joins or leaves, and a room that opens, is found or not from then on.
    let cem = server.member("Cem Lindqvist").await;
    assert_eq!(found(&bob, "lindq").await, ["Cem Lindqvist"]);
    let leave = json!({ "space": ann.space, "account": cem.id });
    cem.act("community.remove-member", leave).await.done();
    assert!(found(&bob, "lindq").await.is_empty());
    assert!(found(&cem, "lind").await.is_empty());
    let public = json!({ "room": secret, "name": "lindens" });
    ann.act("community.change-room", public).await.done();
    assert_eq!(found(&bob, "linden").await, ["linden-plans", "lindens"]);

    // What was used comes first; a conversation leads to its room.
    let used = bob
        .fragment(&format!("/find/results?q=linden&used=r{secret}"))
        .await;
    assert_eq!(
        text::attributes(&used.body, "data-key")[0],
        format!("r{secret}")
    );
    let direct = bob.direct(&[&ann]).await;
    let list = bob.fragment("/find/results?q=ann").await.expect(200).body;
    assert!(
        list.contains(&format!("data-href=\"/rooms/{direct}\"")),
        "{list}"
    );
}

#[tokio::test]
async fn find_answers_hostile_queries_within_bounds() {
    let (server, ann) = TestServer::start_with_owner().await;
    for number in 0..30 {
        ann.create_room(&format!("room-{number}")).await;
    }
    assert_eq!(found(&ann, "room").await.len(), 20);
    for query in [
        "%00",
        "%25",
        "'",
        "%22%3E%3Cb%3E",
        "%F0%9F%8C%B1",
        "%E1%85%9F",
        "a%CC%81",
    ] {
        let page = ann.page(&format!("/find?q={query}")).await;
        assert!(!page.contains("\"><b>"), "{query}");
    }
    let long = "語".repeat(600);
    assert!(found(&ann, &long).await.is_empty());
    let many = vec!["r1"; 1_000].join(",");
    let list = ann.fragment(&format!("/find/results?q=&used={many}")).await;
    assert_eq!(list.status, 200);
    drop(server);
}
