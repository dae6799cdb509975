//! Guests: they read a space for a day under a name, and nothing of them stays.

use std::time::Instant;

use serde_json::json;

use crate::support::{Answer, PASSWORD, POLL_INTERVAL, Person, TestServer, WAIT_TIMEOUT, email};

/// A guest of the owner's space.
async fn guest(server: &TestServer, ann: &Person, name: &str) -> (Person, Answer) {
    let link = ann.invite_with(json!({ "kind": "guest" })).await;
    let mut visitor = server.visitor();
    let answer = visitor.submit(&link, &json!({ "name": name })).await;
    if answer.status == 200 {
        visitor.id = answer.json()["account"].as_str().expect("an id").to_owned();
        visitor.name = name.to_owned();
        visitor.space.clone_from(&ann.space);
        visitor.remember_room("general", &ann.room("general"));
    }
    (visitor, answer)
}

#[tokio::test]
async fn guest_reads_open_rooms_and_changes_nothing() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    ann.post("general", "read me").await;
    let secret = ann.create_room("secret").private().await;
    let link = ann.invite_with(json!({ "kind": "guest" })).await;
    let page = server.visitor().page(&link).await;
    assert!(page.contains("Read as a guest") && !page.contains("type=\"password\""));
    let (gus, answer) = guest(&server, &ann, "Gus").await;
    answer.done();
    let page = gus.page(&format!("/rooms/{}", ann.room("general"))).await;
    assert!(page.contains("read me"), "{page}");
    assert!(page.contains("Guests read only"), "{page}");
    gus.get(&format!("/rooms/{secret}")).await.expect(404);
    for (action, fields) in [
        (
            "chat.post",
            json!({ "room": ann.room("general"), "body": "hi", "key": "guest-0001" }),
        ),
        ("community.open-direct", json!({ "people": [ann.id] })),
        ("community.set-profile", json!({ "display_name": "Ann" })),
        ("community.set-status", json!({ "text": "here" })),
        ("community.create-space", json!({ "name": "Mine" })),
        ("community.change-name", json!({})),
    ] {
        let code = gus.act(action, fields).await.expect(403).code();
        assert_eq!(code, "forbidden", "{action}");
    }
    gus.following(&format!("room/{}", ann.room("general")))
        .await;
    let members = ann.page(&format!("/spaces/{}/members", ann.space)).await;
    assert!(
        members.contains("Gus") && members.contains("Guest"),
        "{members}"
    );
    // Nobody writes to a guest who cannot answer, nor gives them roles.
    assert_eq!(gus.get("/account").await.location(), "/guest");
    assert!(gus.page("/guest").await.contains("You read along"));
}

#[tokio::test]
async fn guest_under_a_name_of_others_is_refused() {
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    for name in ["Ann", "Аnn", " "] {
        guest(&server, &ann, name).await.1.expect(422);
    }
    // A link for members makes no guest, nor one for guests a member.
    let link = ann.invite().await;
    let only_name = json!({ "name": "Gus" });
    server.visitor().submit(&link, &only_name).await.expect(422);
    let eve = server.stranger("eve").await;
    let link = ann.invite_with(json!({ "kind": "guest" })).await;
    eve.submit(&link, &json!({})).await.expect(409);
}

#[tokio::test]
async fn guests_of_one_network_are_bounded() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let link = ann.invite_with(json!({ "kind": "guest" })).await;
    for number in 0..20 {
        let fields = json!({ "name": format!("guest {number}") });
        server.visitor().submit(&link, &fields).await.done();
    }
    let fields = json!({ "name": "one too many" });
    server.visitor().submit(&link, &fields).await.expect(409);
}

#[tokio::test]
async fn guest_is_gone_after_a_day() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (gus, answer) = guest(&server, &ann, "Gus").await;
    answer.done();
    let cookie = gus.get("/guest").await.status;
    assert_eq!(cookie, 200);
    server.stop().await;
    let over = format!(
        "UPDATE accounts SET guest_until = 1000 WHERE id = {}",
        gus.id
    );
    server.change_rows(&over).await;
    server.start_again().await;
    let home = gus.get(&format!("/spaces/{}", ann.space)).await;
    assert!(
        home.location().starts_with("/sign-in"),
        "the session is over"
    );
    let count = format!("SELECT COUNT(*) FROM accounts WHERE id = {}", gus.id);
    let deadline = Instant::now() + WAIT_TIMEOUT;
    while server.database().number(&count).await != Some(0) {
        assert!(Instant::now() < deadline, "the account is still there");
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    let members = ann.page(&format!("/spaces/{}/members", ann.space)).await;
    assert!(!members.contains("Gus"), "{members}");
    // The name is free again.
    guest(&server, &ann, "Gus").await.1.done();
    server.assert_undamaged();
}

#[tokio::test]
async fn guest_who_signs_up_keeps_name_and_place() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (gus, answer) = guest(&server, &ann, "Gus").await;
    answer.done();
    let fields = json!({ "email": email("gus"), "password": PASSWORD });
    gus.submit("/guest", &fields).await.expect(403);
    let stay = json!({ "space": ann.space, "mode": "invitation", "guests_may_stay": "yes" });
    ann.act("community.set-joining", stay).await.done();
    let taken = json!({ "email": email("ann"), "password": PASSWORD });
    gus.submit("/guest", &taken).await.expect(422);
    gus.submit("/guest", &fields).await.done();
    gus.submit("/guest", &fields).await.expect(409);
    gus.post("general", "here to stay").await;
    let members = ann.page(&format!("/spaces/{}/members", ann.space)).await;
    assert!(!members.contains(">Guest<"), "{members}");
    server.visitor().sign_in("Gus", PASSWORD).await.done();
}

#[tokio::test]
async fn banned_guest_cannot_stay() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let stay = json!({ "space": ann.space, "mode": "invitation", "guests_may_stay": "yes" });
    ann.act("community.set-joining", stay).await.done();
    let (gus, answer) = guest(&server, &ann, "Gus").await;
    answer.done();
    let ban = json!({ "space": ann.space, "account": gus.id, "address": "yes" });
    ann.act("community.ban", ban).await.done();
    let fields = json!({ "email": email("gus"), "password": PASSWORD });
    gus.submit("/guest", &fields).await.expect(409);
    guest(&server, &ann, "Gus again").await.1.expect(403);
}
