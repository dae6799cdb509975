//! What pages list is bounded, so that everything can be found again.

use serde_json::json;

use crate::support::TestServer;

#[tokio::test]
async fn space_has_room_for_500_open_and_500_archived_rooms() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let garden = ann.create_room("garden").await;
    server.stop().await;
    // With `general` and `garden`, 500 are open; with one more, 500 are archived.
    server
        .change_rows(
            "INSERT INTO rooms (id, space_id, name, about, private, created_at, archived_at) \
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 997) \
             SELECT i, (SELECT id FROM spaces), 'filler-' || i, '', FALSE, 0, \
             CASE WHEN i > 498 THEN 1 END FROM n",
        )
        .await;
    server.start_again().await;
    let refused = ann.create_room("shed").attempt().await.expect(409);
    assert!(refused.body.contains("500"), "{}", refused.body);
    let archive = |archive: &str| {
        let fields = json!({ "room": garden, "archive": archive });
        ann.act("community.archive-room", fields)
    };
    archive("yes").await.expect(200);
    ann.create_room("shed").await;
    archive("").await.expect(409);
    let shed = ann.room("shed");
    let fields = json!({ "room": shed, "archive": "yes" });
    ann.act("community.archive-room", fields).await.expect(409);
}

#[tokio::test]
async fn account_belongs_to_200_spaces() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    server.stop().await;
    server
        .change_rows(
            "INSERT INTO spaces (id, name, created_at) \
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 199) \
             SELECT i, 'filler-' || i, 0 FROM n",
        )
        .await;
    server
        .change_rows(
            "INSERT INTO members (space_id, account_id, role, joined_at) \
             SELECT id, (SELECT id FROM accounts), 'owner', 0 FROM spaces WHERE id < 200",
        )
        .await;
    server.start_again().await;
    let fields = json!({ "name": "one more" });
    ann.act("community.create-space", fields).await.expect(409);
}

#[tokio::test]
async fn account_begins_500_conversations() {
    let mut server = TestServer::start().await;
    server.owner("ann").await;
    let bob = server.member("bob").await;
    let cid = server.member("cid").await;
    server.stop().await;
    server
        .change_rows(
            "INSERT INTO rooms (id, name, about, private, people_key, created_at, begun_by) \
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) \
             SELECT i, '', '', TRUE, 'filler-' || i, 0, \
             (SELECT id FROM accounts WHERE name = 'bob') FROM n",
        )
        .await;
    server
        .change_rows(
            "INSERT INTO room_members (room_id, account_id, joined_at) SELECT rooms.id, \
             accounts.id, 0 FROM rooms, accounts WHERE rooms.id < 501 AND accounts.name <> 'ann'",
        )
        .await;
    server.start_again().await;
    let with = |person: &str| json!({ "people": [person] });
    bob.act("community.open-direct", with(&cid.id))
        .await
        .expect(409);
    // What others began does not count.
    cid.act("community.open-direct", with(&bob.id))
        .await
        .expect(200);
}
