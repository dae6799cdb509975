//! One person types at a time.

use serde_json::{Value, json};

use crate::support::{Person, Sharer, TestServer, Watcher, eventually};

/// Waits until somebody who watches may type, or may not.
async fn until_may_type(watcher: &mut Watcher, may: bool) {
    watcher
        .until("their turn", |one| one.state["mayType"] == may)
        .await;
}

#[tokio::test]
async fn only_who_holds_the_baton_types() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let eve = server.member("eve").await;
    let room = ann.room("general");
    let token = ann.terminal_token().await;
    let sharing = Sharer::begin(&server, &token, Sharer::hello(&room)).await;
    let mut sharer = sharing.expect("it is shared");
    let terminal = sharer.terminal.clone();
    let page = format!("/rooms/{room}/terminals/{terminal}");
    let mut host = Watcher::of(&ann, &room, &terminal).await;
    let mut of_bob = Watcher::of(&bob, &room, &terminal).await;
    let mut of_eve = Watcher::of(&eve, &room, &terminal).await;
    let act = async |person: &Person, name: &str, fields: Value| {
        let mut all = json!({ "terminal": terminal });
        for (name, value) in fields.as_object().expect("fields") {
            all[name] = value.clone();
        }
        person.act(&format!("terminals.{name}"), all).await
    };
    let take = async |person: &Person| act(person, "take-baton", json!({})).await;
    assert_eq!(take(&ann).await.code(), "conflict", "all type at once");
    let role = |account: &str| json!({ "account": account, "role": "typist" });
    act(&ann, "set-role", role(&bob.id)).await.done();
    until_may_type(&mut of_bob, true).await;
    let on = json!({ "on": "yes" });
    assert_eq!(
        act(&bob, "one-at-a-time", on.clone()).await.code(),
        "forbidden"
    );
    act(&ann, "one-at-a-time", on).await.done();

    // It begins with the host. Others take it neither from them, nor without being let type.
    until_may_type(&mut of_bob, false).await;
    assert_eq!(of_bob.state["waits"], true);
    of_bob.keys("no").await;
    host.keys("a").await;
    sharer.expect_input("a").await;
    assert_eq!(take(&bob).await.code(), "conflict");
    assert_eq!(take(&eve).await.code(), "forbidden");
    let to = |person: &Person| json!({ "account": person.id });
    assert_eq!(act(&bob, "pass-baton", to(&bob)).await.code(), "forbidden");
    assert_eq!(act(&ann, "pass-baton", to(&eve)).await.code(), "conflict");
    let fields = [
        ("terminal", terminal.as_str()),
        ("account", bob.id.as_str()),
    ];
    ann.form("/act/terminals.pass-baton", &fields)
        .await
        .expect(303);
    until_may_type(&mut of_bob, true).await;
    until_may_type(&mut host, false).await;
    host.keys("no").await;
    of_bob.keys("b").await;
    sharer.expect_input("ab").await;

    // Its holder passes it on; the host takes it from anybody.
    act(&ann, "set-role", role(&eve.id)).await.done();
    act(&bob, "pass-baton", to(&eve)).await.done();
    until_may_type(&mut of_eve, true).await;
    of_bob.keys("no").await;
    of_eve.keys("c").await;
    sharer.expect_input("abc").await;
    take(&ann).await.done();
    until_may_type(&mut of_eve, false).await;
    act(&ann, "pass-baton", to(&eve)).await.done();
    until_may_type(&mut of_eve, true).await;

    // Who leaves does not keep it.
    drop(of_eve);
    eventually("it is free", || async {
        let page = bob.page(&page).await;
        page.contains("Nobody has the keyboard now").then_some(())
    })
    .await;
    take(&bob).await.done();
    until_may_type(&mut of_bob, true).await;
    let viewer = json!({ "account": bob.id, "role": "viewer" });
    act(&ann, "set-role", viewer).await.done();
    until_may_type(&mut of_bob, false).await;
    act(&ann, "one-at-a-time", json!({ "on": "no" }))
        .await
        .done();
    // On a new page: the old one has not read what it was told before.
    let mut host = Watcher::of(&ann, &room, &terminal).await;
    until_may_type(&mut host, true).await;
    host.keys("d").await;
    sharer.expect_input("abcd").await;
}
