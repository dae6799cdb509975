//! What rooms allow and deny: kinds of rooms, roles that read private ones, and rules of their own.

use serde_json::{Value, json};

use super::roles::role;
use crate::support::{Person, TestServer, eventually};

async fn give(by: &Person, to: &Person, role: &str, give: &str) {
    let fields = json!({ "space": by.space, "account": to.id, "role": role, "give": give });
    by.act("community.give-role", fields).await.done();
}

/// Sets one rule of a room; returns the code of a refusal.
async fn rule(by: &Person, room: &str, subject: &str, (name, rule): (&str, &str)) -> String {
    let fields = json!({ "room": room, "subject": subject, name: rule });
    let answer = by.act("community.set-room-permissions", fields).await;
    match answer.status {
        200 => String::new(),
        _ => answer.code(),
    }
}

/// Tries to write in `general`; returns the code of a refusal.
async fn post(by: &Person, room: &str, key: &str) -> String {
    let fields = json!({ "room": room, "body": "hi", "key": key });
    let answer = by.act("chat.post", fields).await;
    match answer.status {
        200 => String::new(),
        _ => answer.code(),
    }
}

#[tokio::test]
async fn announcement_and_read_only_rooms_say_who_writes() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let made = json!({ "space": ann.space, "name": "news", "kind": "announcement" });
    let made = ann.act("community.create-room", made).await.done();
    let news = made["room"].as_str().expect("a room").to_owned();
    let path = format!("/rooms/{news}");
    eventually("the room", async || {
        (bob.get(&path).await.status == 200).then_some(())
    })
    .await;
    assert_eq!(post(&bob, &news, "news-key-01").await, "forbidden");
    assert_eq!(post(&ann, &news, "news-key-02").await, "");
    let page = bob.page(&path).await;
    assert!(page.contains("Only moderators write here") && page.contains("#megaphone"));
    assert!(!page.contains("class=\"compose\""), "nothing to write into");
    assert!(ann.page(&path).await.contains("class=\"compose\""));

    let change = json!({ "room": news, "name": "news", "read_only": "yes" });
    ann.act("community.change-room", change).await.done();
    assert_eq!(post(&bob, &news, "news-key-03").await, "conflict");
    assert_eq!(post(&ann, &news, "news-key-04").await, "");
    eventually("the reason", async || {
        let page = bob.page(&path).await;
        page.contains("This room is read-only for now")
            .then_some(())
    })
    .await;
    let change = json!({ "room": news, "name": "news" });
    ann.act("community.change-room", change).await.done();
    assert_eq!(post(&bob, &news, "news-key-05").await, "");
    let unfit = json!({ "room": news, "name": "news", "kind": "shouting" });
    ann.act("community.change-room", unfit).await.expect(422);

    let log = ann.page(&format!("/spaces/{}/audit", ann.space)).await;
    for words in [
        "Made a room: <bdi>news</bdi>",
        "announcement → text",
        "open → read-only",
    ] {
        assert!(log.contains(words), "{words}: {log}");
    }
}

#[tokio::test]
async fn role_of_private_room_reads_it_until_taken_back() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let gardeners = role(&ann, "Gardeners", &[]).await;
    give(&ann, &bob, &gardeners, "yes").await;
    let fields = json!({ "space": ann.space, "name": "shed", "private": "yes",
        "roles": [gardeners] });
    let made = ann.act("community.create-room", fields).await.done();
    let room = made["room"].as_str().expect("a room").to_owned();
    let path = format!("/rooms/{room}");
    eventually("the room for the role", async || {
        (bob.get(&path).await.status == 200).then_some(())
    })
    .await;
    assert_eq!(post(&bob, &room, "shed-key-01").await, "");
    assert_eq!(cem.get(&path).await.status, 404);
    let form = ann.page(&format!("{path}/settings")).await;
    assert!(form.contains("Gardeners"), "{form}");
    let mut socket = bob.following(&format!("room/{room}")).await;

    // A private room is not named in the log, which more people read than the room.
    let log = ann.page(&format!("/spaces/{}/audit", ann.space)).await;
    let log = log.split("<tbody").nth(1).expect("the log");
    let log = log.split("</table>").next().expect("its end");
    assert!(
        log.contains("Made a room") && !log.contains("shed"),
        "{log}"
    );

    let change = json!({ "room": room, "name": "shed", "private": "yes", "roles": [] });
    ann.act("community.change-room", change).await.done();
    socket.wait_for("revoked").await;
    assert_eq!(bob.get(&path).await.status, 404);
    assert_eq!(post(&bob, &room, "shed-key-02").await, "not_found");
}

#[tokio::test]
async fn room_rules_decide_for_everyone_role_and_person() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let room = ann.create_room("garden").await;
    let gardeners = role(&ann, "Gardeners", &[]).await;
    give(&ann, &bob, &gardeners, "yes").await;
    let (of_role, of_bob) = (format!("role-{gardeners}"), format!("account-{}", bob.id));
    assert_eq!(
        rule(&ann, &room, "everyone", ("chat.post", "deny")).await,
        ""
    );
    assert_eq!(post(&bob, &room, "rule-key-01").await, "forbidden");
    let page = cem.page(&format!("/rooms/{room}")).await;
    assert!(page.contains("You can read this room, but not write in it."));
    assert_eq!(
        rule(&ann, &room, &of_role, ("chat.post", "allow")).await,
        ""
    );
    assert_eq!(post(&bob, &room, "rule-key-02").await, "");
    assert_eq!(post(&cem, &room, "rule-key-03").await, "forbidden");
    assert_eq!(rule(&ann, &room, &of_bob, ("chat.post", "deny")).await, "");
    assert_eq!(post(&bob, &room, "rule-key-04").await, "forbidden");
    assert_eq!(rule(&ann, &room, &of_bob, ("chat.post", "space")).await, "");
    assert_eq!(post(&bob, &room, "rule-key-05").await, "");
    let path = format!("/rooms/{room}/permissions?subject={of_role}");
    let page = ann.page(&path).await;
    assert!(
        page.contains("Gardeners") && page.contains("set here"),
        "{page}"
    );

    // As a form, which comes back to the page.
    let fields = [
        ("room", room.as_str()),
        ("subject", of_role.as_str()),
        ("chat.post", "space"),
        ("community.read", "space"),
    ];
    let answer = ann
        .form("/act/community.set-room-permissions", &fields)
        .await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert_eq!(answer.header("location"), path);
    assert_eq!(post(&bob, &room, "rule-key-06").await, "forbidden");

    let log = ann.page(&format!("/spaces/{}/audit", ann.space)).await;
    assert!(
        log.contains("Changed who may do what in a room: <bdi>garden</bdi>"),
        "{log}"
    );
    assert!(log.contains("Denied: Write messages"), "{log}");
}

#[tokio::test]
async fn room_rules_stay_below_who_sets_them() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let room = ann.create_room("garden").await;
    // The one that is made later stands below.
    let high = role(&ann, "High", &["community.manage-rooms"]).await;
    let low = role(&ann, "Low", &[]).await;
    give(&ann, &bob, &high, "yes").await;
    give(&ann, &cem, &low, "yes").await;
    let subject = |kind: &str, id: &str| format!("{kind}-{id}");
    let post = ("chat.post", "deny");
    assert_eq!(rule(&bob, &room, &subject("role", &low), post).await, "");
    assert_eq!(
        rule(&bob, &room, &subject("account", &cem.id), post).await,
        ""
    );
    for above in [
        subject("role", &high),
        subject("account", &ann.id),
        subject("account", &bob.id),
    ] {
        assert_eq!(
            rule(&bob, &room, &above, post).await,
            "forbidden",
            "{above}"
        );
    }
    // What he does not hold himself, he does not give.
    let moderate = ("chat.moderate", "allow");
    assert_eq!(rule(&bob, &room, "everyone", moderate).await, "forbidden");
    assert_eq!(rule(&cem, &room, "everyone", post).await, "forbidden");
    for unknown in ["role-1", "account-1", "nobody", "role-x"] {
        let refused = rule(&ann, &room, unknown, post).await;
        assert!(
            ["not_found", "invalid"].contains(&refused.as_str()),
            "{unknown}: {refused}"
        );
    }
    let unfit: Value = json!({ "room": room, "subject": "everyone", "chat.post": "maybe" });
    ann.act("community.set-room-permissions", unfit)
        .await
        .expect(422);
    // Nor does a form of the room let roles read that stand as high.
    let private = json!({ "room": room, "name": "garden", "private": "yes", "roles": [high] });
    let refused = bob.act("community.change-room", private).await;
    assert_eq!(refused.code(), "forbidden");
}
