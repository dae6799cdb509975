//! Direct conversations.

use serde_json::json;

use crate::support::TestServer;

#[tokio::test]
async fn direct_conversation_is_unique_per_people() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let opens: Vec<_> = (0..10)
        .map(|number| {
            let (one, other) = if number % 2 == 0 {
                (ann.clone(), bob.clone())
            } else {
                (bob.clone(), ann.clone())
            };
            tokio::spawn(async move { one.direct(&[&other, &one, &other]).await })
        })
        .collect();
    let mut rooms = Vec::new();
    for open in opens {
        rooms.push(open.await.expect("it opens"));
    }
    rooms.dedup();
    assert_eq!(rooms.len(), 1, "{rooms:?}");
    let three = ann.direct(&[&bob, &cem]).await;
    assert_ne!(three, rooms[0]);
    assert_eq!(cem.direct(&[&ann, &bob]).await, three);
    bob.post(&rooms[0], "between us").await;
    assert!(
        ann.page(&format!("/rooms/{}", rooms[0]))
            .await
            .contains("between us")
    );
    cem.get(&format!("/rooms/{}", rooms[0])).await.expect(404);
    assert_eq!(
        cem.act("chat.history", json!({ "room": rooms[0] }))
            .await
            .code(),
        "not_found"
    );
}

#[tokio::test]
async fn direct_conversation_needs_shared_space() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let eve = server.stranger("eve").await;
    for nobody in [json!([]), json!([bob.id])] {
        bob.act("community.open-direct", json!({ "people": nobody }))
            .await
            .expect(422);
    }
    assert_eq!(
        bob.act("community.open-direct", json!({ "people": [eve.id] }))
            .await
            .code(),
        "not_found"
    );
    assert_eq!(
        bob.act("community.open-direct", json!({ "people": ["1"] }))
            .await
            .code(),
        "not_found"
    );
    let room = bob.direct(&[&ann]).await;
    assert_eq!(
        ann.act(
            "community.archive-room",
            json!({ "room": room, "archive": "yes" })
        )
        .await
        .code(),
        "forbidden"
    );
    ann.get(&format!("/rooms/{room}/settings"))
        .await
        .expect(403);
    let message = bob.post(&room, "mine").await;
    assert_eq!(
        ann.act("chat.delete", json!({ "message": message.id }))
            .await
            .code(),
        "forbidden",
        "nobody moderates here"
    );
}
