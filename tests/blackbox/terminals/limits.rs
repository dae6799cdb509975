//! What sharers may send, what is answered, and what ends when a right does.

use serde_json::{Value, json};

use crate::support::{Person, Sharer, TestServer, Watcher, eventually};

async fn shared(server: &TestServer, person: &Person, hello: Value) -> Sharer {
    let token = person.terminal_token().await;
    let sharing = Sharer::begin(server, &token, hello).await;
    sharing.expect("it is shared")
}

#[tokio::test]
async fn output_is_acknowledged_also_when_nothing_follows() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let mut sharer = shared(&server, &ann, Sharer::hello(&ann.room("general"))).await;
    // Each is too long to be acknowledged by itself, and too short to be worth it.
    for _ in 0..3 {
        sharer.write(&"x".repeat(2_000)).await;
        sharer.until_acknowledged().await;
    }
}

#[tokio::test]
async fn position_past_all_numbers_is_refused() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let mut hello = Sharer::hello(&ann.room("general"));
    hello["input"] = json!(u64::MAX);
    let token = ann.terminal_token().await;
    let refused = Sharer::begin(&server, &token, hello).await;
    assert_eq!(refused.err().as_deref(), Some("conflict"));
}

#[tokio::test]
async fn account_begins_twenty_terminals_in_an_hour() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let hello = Sharer::hello(&ann.room("general"));
    let token = ann.terminal_token().await;
    let list = format!("/rooms/{}/terminals", ann.room("general"));
    for number in 1..=20 {
        let sharing = Sharer::begin(&server, &token, hello.clone()).await;
        let mut sharer = sharing.expect("it is shared");
        sharer.exit(0).await;
        assert_eq!(sharer.close_code().await, 4410);
        eventually("it has ended", || async {
            let ended = ann.page(&list).await.matches("exit 0").count();
            (ended >= number).then_some(())
        })
        .await;
    }
    let refused = Sharer::begin(&server, &token, hello.clone()).await;
    assert_eq!(refused.err().as_deref(), Some("too_many"));
    shared(&server, &bob, hello).await;
}

#[tokio::test]
async fn typist_who_loses_the_permission_types_no_more() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let room = ann.room("general");
    let mut sharer = shared(&server, &ann, Sharer::hello(&room)).await;
    let mut watcher = Watcher::of(&bob, &room, &sharer.terminal).await;
    let mut host = Watcher::of(&ann, &room, &sharer.terminal).await;
    let typist = json!({ "terminal": sharer.terminal, "account": bob.id, "role": "typist" });
    ann.act("terminals.set-role", typist).await.done();
    let may_type = |watcher: &Watcher| watcher.state["mayType"] == true;
    watcher.until("bob may type", may_type).await;
    watcher.keys("a").await;
    sharer.expect_input("a").await;
    let rule = |rule: &str| json!({ "room": room, "subject": "everyone", "terminals.type": rule });
    ann.act("community.set-room-permissions", rule("deny"))
        .await
        .done();
    watcher
        .until("bob only watches", |watcher| !may_type(watcher))
        .await;
    watcher.keys("no").await;
    host.keys("b").await;
    sharer.expect_input("ab").await;
    ann.act("community.set-room-permissions", rule("space"))
        .await
        .done();
    watcher.until("bob may type again", may_type).await;
    watcher.keys("c").await;
    sharer.expect_input("abc").await;
}

#[tokio::test]
async fn deleted_recording_ends_and_who_was_removed_sees_none() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let room = ann.room("general");
    let mut hello = Sharer::hello(&room);
    hello["record"] = json!(true);
    let mut sharer = shared(&server, &ann, hello).await;
    let page = format!("/rooms/{room}/terminals/{}", sharer.terminal);
    let (recording, replay) = (format!("{page}/recording"), format!("{page}/replay"));
    bob.get(&recording).await.expect(200);
    let removed = json!({ "terminal": sharer.terminal, "account": bob.id, "role": "removed" });
    ann.act("terminals.set-role", removed).await.done();
    bob.get(&recording).await.expect(404);
    bob.get(&replay).await.expect(404);
    sharer.write("pearls").await;
    sharer.until_acknowledged().await;
    let fields = json!({ "terminal": sharer.terminal });
    ann.act("terminals.delete-recording", fields).await.done();
    sharer.write("shells").await;
    sharer.exit(0).await;
    assert_eq!(sharer.close_code().await, 4410);
    ann.get(&recording).await.expect(404);
}
