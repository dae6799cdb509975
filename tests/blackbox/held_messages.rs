//! Messages that a rule holds: kept whole, shown to their author and to moderators, and decided.

use serde_json::json;

use crate::support::{Answer, Person, TestServer, eventually, new_key};

async fn start() -> (TestServer, Person, Person) {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let rule = json!({ "space": ann.space, "kind": "words", "name": "Casinos", "words": "casino",
        "action": "hold", "enabled": "yes" });
    ann.act("moderation.save-rule", rule).await.done();
    (server, ann, bob)
}

fn held_id(answer: &Answer) -> String {
    let done = answer.done();
    done["held"]["id"].as_str().expect("it waits").to_owned()
}

async fn decide(by: &Person, action: &str, held: &str) -> Answer {
    by.act(action, json!({ "held": held })).await
}

#[tokio::test]
async fn held_message_is_released_as_by_its_author() {
    let (server, ann, bob) = start().await;
    let cem = server.member("cem").await;
    let mut own = bob.following(&format!("account/{}", bob.id)).await;
    let mut room = cem.following("room/general").await;
    let file = bob.attach("general", "a.txt", b"a secret").await;
    let key = new_key();
    let fields = json!({ "room": bob.room("general"), "body": "a **casino**", "key": key,
        "files": [file], "captions": ["the file"] });
    let held = held_id(&bob.act("chat.post", fields.clone()).await);
    let told = own.event("chat.message.held").await;
    assert_eq!(told["event"]["message"]["id"], held.as_str());
    // A retry answers the same.
    assert_eq!(held_id(&bob.act("chat.post", fields.clone()).await), held);
    // The author sees it in the room, and nobody else does.
    let path = format!("/rooms/{}", bob.room("general"));
    let page = bob.page(&path).await;
    assert!(page.contains(&format!("id=\"h-{held}\"")), "{page}");
    assert!(page.contains("A moderator will look"), "{page}");
    assert!(!cem.page(&path).await.contains("casino"));
    assert_eq!(bob.history("general").await, []);
    cem.get(&format!("/files/{file}/a.txt")).await.expect(403);
    bob.get(&format!("/files/{file}/a.txt")).await.expect(200);
    ann.get(&format!("/files/{file}/a.txt")).await.expect(200);
    // Moderators find it, counted beside the link.
    let list = format!("/spaces/{}/held", ann.space);
    let page = ann.page(&list).await;
    assert!(
        page.contains("<strong>casino</strong>") && page.contains("Casinos"),
        "{page}"
    );
    assert!(page.contains("<b class=\"pill\">1</b>"), "{page}");
    cem.get(&list).await.expect(403);
    assert_eq!(
        decide(&cem, "chat.release-held", &held).await.code(),
        "forbidden"
    );
    let posted = decide(&ann, "chat.release-held", &held).await.done();
    assert_eq!(posted["message"]["author"], bob.id.as_str());
    assert_eq!(posted["message"]["files"][0]["caption"], "the file");
    let decided = own.event("chat.held.decided").await;
    assert_eq!(decided["event"]["is_released"], true);
    let (topic, message) = room.next_change().await;
    assert_eq!(
        (topic.as_str(), message.body.as_str()),
        ("chat.message.posted", "a **casino**")
    );
    cem.get(&format!("/files/{file}/a.txt")).await.expect(200);
    assert!(!bob.page(&path).await.contains("A moderator will look"));
    // The key still names it, and nobody decides twice.
    let again = bob.act("chat.post", fields).await.done();
    assert_eq!(again["message"]["id"], message.id.as_str());
    assert_eq!(
        decide(&ann, "chat.discard-held", &held).await.code(),
        "conflict"
    );
    let log = ann.page(&format!("/spaces/{}/audit", ann.space)).await;
    assert!(
        log.contains("Posted a held message of: <bdi>bob</bdi>"),
        "{log}"
    );
    server.assert_undamaged();
}

#[tokio::test]
async fn held_message_is_discarded_with_its_files() {
    let (server, ann, bob) = start().await;
    let mut page = bob.html_socket().await;
    page.follow(&format!("account/{}", bob.id)).await;
    let file = bob.attach("general", "a.txt", b"a secret").await;
    let key = new_key();
    let fields = json!({ "room": bob.room("general"), "body": "casino", "key": key,
        "files": [file] });
    let held = held_id(&bob.act("chat.post", fields.clone()).await);
    page.frame("A moderator will look at this message").await;
    decide(&ann, "chat.discard-held", &held).await.done();
    page.frame("has decided not to post").await;
    bob.get(&format!("/files/{file}/a.txt")).await.expect(404);
    assert_eq!(bob.act("chat.post", fields).await.code(), "conflict");
    assert_eq!(
        decide(&ann, "chat.release-held", &held).await.code(),
        "conflict"
    );
    assert_eq!(bob.history("general").await, []);
    let log = ann.page(&format!("/spaces/{}/audit", ann.space)).await;
    assert!(log.contains("Discarded a held message of"), "{log}");
    let list = ann.page(&format!("/spaces/{}/held", ann.space)).await;
    assert!(list.contains("No message waits"), "{list}");
    server.assert_undamaged();
}

#[tokio::test]
async fn held_message_of_a_private_room_is_for_its_moderators() {
    let (server, ann, bob) = start().await;
    let cem = server.member("cem").await;
    let roles = ann.page(&format!("/spaces/{}/roles", ann.space)).await;
    let role = roles.split("id=\"role-").nth(1).expect("a role");
    let role = role.split('"').next().expect("an id");
    let give = json!({ "space": ann.space, "account": cem.id, "role": role, "give": "yes" });
    ann.act("community.give-role", give).await.done();
    let hidden = ann.create_room("hidden").private().with(&[&bob]).await;
    let held = held_id(&bob.try_post(&hidden, "casino", &new_key()).await);
    let list = format!("/spaces/{}/held", ann.space);
    assert!(cem.page(&list).await.contains("No message waits"));
    assert!(!cem.page(&list).await.contains("class=\"pill\""));
    assert_eq!(
        decide(&cem, "chat.release-held", &held).await.code(),
        "not_found"
    );
    assert!(ann.page(&list).await.contains("casino"));
}

#[tokio::test]
async fn held_messages_are_bounded_and_expire() {
    let (mut server, ann, bob) = start().await;
    for number in 0..20 {
        held_id(
            &bob.try_post("general", &format!("casino {number}"), &new_key())
                .await,
        );
    }
    let full = bob.try_post("general", "casino", &new_key()).await;
    assert_eq!(full.expect(409).code(), "conflict");
    let file = bob.attach("general", "b.txt", b"b").await;
    server.stop().await;
    // Ids hold the time.
    server
        .change_rows("UPDATE held_messages SET id = id - 700000000000000")
        .await;
    server.start_again().await;
    let list = format!("/spaces/{}/held", ann.space);
    crate::support::eventually("end of the wait", || async {
        let page = ann.page(&list).await;
        page.contains("No message waits").then_some(())
    })
    .await;
    let fields = json!({ "room": bob.room("general"), "body": "casino", "key": new_key(),
        "files": [file] });
    held_id(&bob.act("chat.post", fields).await);
    server.assert_undamaged();
}

#[tokio::test]
async fn moderators_see_in_every_page_how_many_messages_wait() {
    let (server, ann, bob) = start().await;
    let cem = server.member("cem").await;
    let room = format!("/rooms/{}", ann.room("general"));
    let (path, link) = (
        format!("/spaces/{}/held", ann.space),
        "Held messages (1)".to_owned(),
    );
    assert!(!ann.page(&room).await.contains(&link));
    let mut own = ann.following(&format!("account/{}/unread", ann.id)).await;
    let fields = json!({ "room": bob.room("general"), "body": "a casino", "key": new_key() });
    let held = held_id(&bob.act("chat.post", fields).await);
    own.event("chat.held.changed").await;
    eventually("the entry", async || {
        let page = ann.page(&room).await;
        (page.contains(&link) && page.contains(&path)).then_some(())
    })
    .await;
    for other in [&bob, &cem] {
        assert!(!other.page(&room).await.contains(&link));
    }
    decide(&ann, "chat.discard-held", &held).await.done();
    eventually("no entry", async || {
        (!ann.page(&room).await.contains(&link)).then_some(())
    })
    .await;
}
