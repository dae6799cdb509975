//! What moderators do about members who disturb others: slow mode, time-outs, bans, deletions.

use std::time::Instant;

use serde_json::json;

use crate::support::{PASSWORD, Person, TestServer, email};

async fn time_out(by: &Person, account: &Person, minutes: &str) -> String {
    let fields = json!({ "space": by.space, "account": account.id, "minutes": minutes,
        "reason": "too loud" });
    let answer = by.act("community.time-out", fields).await;
    match answer.status {
        200 => String::new(),
        _ => answer.code(),
    }
}

async fn post(by: &Person, key: &str) -> String {
    let fields = json!({ "room": by.room("general"), "body": "buy now", "key": key });
    let answer = by.act("chat.post", fields).await;
    match answer.status {
        200 => String::new(),
        _ => answer.code(),
    }
}

/// The page of a space's audit log.
async fn audit(by: &Person) -> String {
    by.page(&format!("/spaces/{}/audit", by.space)).await
}

#[tokio::test]
async fn timed_out_member_reads_until_it_is_ended() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let mut socket = bob.following(&format!("account/{}", bob.id)).await;
    assert_eq!(time_out(&ann, &bob, "5").await, "");
    socket.event("community.member.changed").await;
    assert_eq!(post(&bob, "silenced-0001").await, "forbidden");
    bob.page(&format!("/rooms/{}", bob.room("general"))).await;
    assert_eq!(time_out(&ann, &bob, "40321").await, "invalid");
    assert_eq!(time_out(&cem, &bob, "5").await, "forbidden");
    assert_eq!(time_out(&ann, &ann, "5").await, "forbidden");
    let page = ann
        .page(&format!("/spaces/{}/members/{}", ann.space, bob.id))
        .await;
    assert!(page.contains("too loud"), "{page}");
    // They read why; other members do not.
    let path = format!("/spaces/{}/members/{}", ann.space, bob.id);
    assert!(bob.page(&path).await.contains("too loud"));
    assert!(!cem.page(&path).await.contains("too loud"));
    assert_eq!(time_out(&ann, &bob, "0").await, "");
    socket.event("community.member.changed").await;
    assert_eq!(post(&bob, "silenced-0002").await, "");
    let log = audit(&ann).await;
    assert!(
        log.contains("Timed out: <bdi>bob</bdi>") && log.contains("Ended the time-out of"),
        "{log}"
    );
}

#[tokio::test]
async fn time_out_that_is_over_is_removed_and_told() {
    let mut server = TestServer::start().await;
    server.owner("ann").await;
    let bob = server.member("bob").await;
    server.stop().await;
    let now = std::time::UNIX_EPOCH
        .elapsed()
        .expect("a clock")
        .as_micros();
    // Time enough for the server to start and for the socket to open.
    let until = now + 20_000_000;
    server
        .change_rows(&format!(
            "UPDATE members SET timed_out_until = {until} WHERE account_id = {}",
            bob.id
        ))
        .await;
    server.start_again().await;
    let mut socket = bob.following(&format!("account/{}", bob.id)).await;
    assert_eq!(post(&bob, "until-0001").await, "forbidden");
    socket.event("community.member.changed").await;
    assert_eq!(post(&bob, "until-0002").await, "");
}

#[tokio::test]
async fn ban_ends_feeds_and_joins_until_it_is_lifted() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let link = ann.invite().await;
    let room = bob.room("general");
    let feed = format!("room/{room}");
    let mut socket = bob.following(&feed).await;
    let began = Instant::now();
    let ban = json!({ "space": ann.space, "account": bob.id, "reason": "sold <shoes>" });
    ann.act("community.ban", ban).await.done();
    socket.wait_for("revoked").await;
    println!(
        "the feed ended {:?} after the ban was asked for",
        began.elapsed()
    );
    assert_eq!(socket.subscribe(&feed, None).await["type"], "refused");
    // They are told why, and nobody else learns anything.
    let told = bob.get(&format!("/rooms/{room}")).await;
    assert_eq!(told.location(), format!("/rooms/{room}/closed"));
    let secret = ann.create_room("cellar").private().await;
    bob.get(&format!("/rooms/{secret}")).await.expect(404);
    let closed = bob.page(&format!("/rooms/{secret}/closed")).await;
    assert!(!closed.contains("Glasshouse"), "{closed}");
    let closed = bob.page(&format!("/rooms/{room}/closed")).await;
    assert!(
        closed.contains("You are banned from") && closed.contains("sold &#60;shoes&#62;"),
        "{closed}"
    );
    let eve = server.stranger("eve").await;
    eve.get(&format!("/rooms/{room}")).await.expect(404);
    let closed = eve.page(&format!("/rooms/{room}/closed")).await;
    assert!(!closed.contains("Glasshouse"), "{closed}");
    for path in [format!("/spaces/{}", ann.space), link.clone()] {
        let told = bob.get(&path).await;
        assert_eq!(told.location(), format!("/spaces/{}/closed", ann.space));
    }
    let refused = bob.submit(&link, &json!({})).await.expect(403);
    assert_eq!(refused.code(), "forbidden");
    let bans = ann.page(&format!("/spaces/{}/bans", ann.space)).await;
    assert!(bans.contains("bob"), "{bans}");
    let id = bans.split("name=\"ban\" value=\"").nth(1).expect("a ban");
    let id = id.split('"').next().expect("an id");
    let lift = json!({ "space": ann.space, "ban": id });
    ann.act("community.unban", lift).await.done();
    bob.submit(&link, &json!({})).await.done();
    bob.page(&format!("/rooms/{room}")).await;
}

#[tokio::test]
async fn messages_are_deleted_many_at_once_and_audited() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut ids = Vec::new();
    for number in 0..12 {
        ids.push(bob.post("general", &format!("spam {number}")).await.id);
    }
    let kept = ann.post("general", "welcome").await;
    let some = json!({ "messages": ids[..2] });
    assert_eq!(
        bob.act("chat.delete-many", some.clone()).await.code(),
        "forbidden"
    );
    let done = ann.act("chat.delete-many", some).await.done();
    assert_eq!(done["deleted"], 2);
    let last = json!({ "space": ann.space, "account": bob.id, "last": "4" });
    let done = ann.act("chat.delete-many", last).await.done();
    assert_eq!(done["deleted"], 4);
    let left = |history: Vec<crate::support::Message>| {
        let bodies = history.into_iter().map(|message| message.body);
        bodies.filter(|body| !body.is_empty()).collect::<Vec<_>>()
    };
    let mut found = left(ann.history("general").await);
    found.sort();
    let mut expected: Vec<_> = (2..8).map(|number| format!("spam {number}")).collect();
    expected.push(kept.body.clone());
    expected.sort();
    assert_eq!(found, expected);
    let log = audit(&ann).await;
    assert!(log.contains("Deleted messages: <bdi>bob</bdi>"), "{log}");
    assert!(log.contains("spam 11"), "{log}");
    // A single one of another's, too; one's own is nobody's business.
    let spam = json!({ "message": ids[3] });
    ann.act("chat.delete", spam).await.done();
    ann.delete(&kept).await;
    let log = audit(&ann).await;
    assert!(
        log.contains("Deleted a message of: <bdi>bob</bdi>"),
        "{log}"
    );
    assert!(log.contains("spam 3") && !log.contains("welcome"), "{log}");
}

#[tokio::test]
async fn spammer_is_slowed_timed_out_banned_and_refused_again() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, eve) = (server.member("bob").await, server.member("eve").await);
    let slow = json!({ "room": ann.room("general"), "seconds": "3600" });
    ann.act("community.set-slow-mode", slow).await.done();
    assert_eq!(post(&eve, "spam-0001").await, "");
    assert_eq!(post(&eve, "spam-0002").await, "too_many");
    assert_eq!(post(&eve, "spam-0001").await, ""); // the same again, not another
    for key in ["owner-0001", "owner-0002"] {
        assert_eq!(post(&ann, key).await, "");
    }
    assert_eq!(post(&bob, "bob-00001").await, "");
    let fast = json!({ "room": ann.room("general"), "seconds": "0" });
    ann.act("community.set-slow-mode", fast).await.done();
    assert_eq!(post(&eve, "spam-0003").await, "");
    assert_eq!(time_out(&ann, &eve, "60").await, "");
    assert_eq!(post(&eve, "spam-0004").await, "forbidden");
    let mut room = ann
        .following(&format!("room/{}", ann.room("general")))
        .await;
    let ban = json!({ "space": ann.space, "account": eve.id, "reason": "spam",
        "address": "yes", "delete_hours": "1", "days": "30" });
    ann.act("community.ban", ban).await.done();
    for _ in 0..2 {
        room.event("chat.message.deleted").await;
    }
    // Under another name, from the same address.
    let link = ann.invite().await;
    let again = json!({ "name": "mallory", "email": email("mallory"), "password": PASSWORD });
    let refused = server.visitor().submit(&link, &again).await.expect(403);
    assert_eq!(refused.code(), "forbidden");
    server
        .visitor()
        .sign_in("mallory", PASSWORD)
        .await
        .expect(422);
    let log = audit(&ann).await;
    for words in [
        "Changed the slow mode of: <bdi>general</bdi>",
        "Timed out: <bdi>eve</bdi>",
        "Banned: <bdi>eve</bdi>",
        "Deleted messages: <bdi>eve</bdi>",
    ] {
        assert!(log.contains(words), "{words}: {log}");
    }
    assert_eq!(post(&bob, "bob-00002").await, "");
}

#[tokio::test]
async fn notes_are_for_moderators() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let page = format!("/spaces/{}/members/{}", ann.space, bob.id);
    let note = [
        ("space", ann.space.as_str()),
        ("account", bob.id.as_str()),
        ("note", "asked twice to stop"),
    ];
    ann.form_from(&page, "/act/community.add-note", &note)
        .await
        .location();
    assert!(ann.page(&page).await.contains("asked twice to stop"));
    let own = bob.page(&page).await;
    assert!(!own.contains("asked twice to stop"), "{own}");
}

#[tokio::test]
async fn time_out_outlasts_leaving_and_joining_again() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    assert_eq!(time_out(&ann, &bob, "5").await, "");
    let leave = json!({ "space": bob.space, "account": bob.id });
    bob.act("community.remove-member", leave).await.done();
    bob.submit(&ann.invite().await, &json!({})).await.done();
    assert_eq!(post(&bob, "returned-0001").await, "forbidden");
    assert_eq!(time_out(&ann, &bob, "0").await, "");
    assert_eq!(post(&bob, "returned-0002").await, "");
}

#[tokio::test]
async fn audit_log_keeps_private_rooms_to_their_readers() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let cellar = ann.create_room("cellar").private().with(&[&bob]).await;
    let first = bob.post(&cellar, "a secret word").await;
    let second = bob.post(&cellar, "another secret").await;
    let delete = json!({ "message": first.id });
    ann.act("chat.delete", delete).await.done();
    let delete = json!({ "messages": [second.id] });
    ann.act("chat.delete-many", delete).await.done();
    let log = server
        .database()
        .number("SELECT COUNT(*) FROM audit_log WHERE before LIKE '%secret%'")
        .await;
    assert_eq!(log, Some(0), "who reads the log may not read the room");
    // Of a room that everybody reads it keeps how they began.
    let open = bob.post("general", "a public word").await;
    let delete = json!({ "message": open.id });
    ann.act("chat.delete", delete).await.done();
    assert!(audit(&ann).await.contains("a public word"));
}

#[tokio::test]
async fn sidebar_tells_nothing_of_rooms_that_are_not_read() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let cellar = ann.create_room("cellar").private().await;
    let version = async |room: &str| {
        let path = format!("/sidebar?space={}&here=/rooms/{room}", bob.space);
        let page = bob.page(&path).await;
        let (_, rest) = page.split_once("data-room-version=\"").expect("a version");
        rest.split('"').next().unwrap_or_default().to_owned()
    };
    assert_eq!(version(&cellar).await, version("1").await);
    assert_ne!(version(&bob.room("general")).await, version("1").await);
}

#[tokio::test]
async fn account_never_seen_in_the_space_cannot_be_banned() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (eve, bob) = (server.stranger("eve").await, server.member("bob").await);
    let ban = |account: &str| json!({ "space": ann.space, "account": account });
    let refused = ann.act("community.ban", ban(&eve.id)).await;
    assert_eq!(refused.code(), "not_found");
    let bans = ann.page(&format!("/spaces/{}/bans", ann.space)).await;
    assert!(!bans.contains(">eve<"), "{bans}");
    // Who left by themselves was seen.
    let leave = json!({ "space": bob.space, "account": bob.id });
    bob.act("community.remove-member", leave).await.done();
    ann.act("community.ban", ban(&bob.id)).await.done();
    bob.submit(&ann.invite().await, &json!({}))
        .await
        .expect(403);
}

#[tokio::test]
async fn selected_messages_are_deleted_without_scripts() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut ids = Vec::new();
    for number in 0..4 {
        ids.push(bob.post("general", &format!("spam {number}")).await.id);
    }
    let room = ann.room("general");
    let path = format!("/rooms/{room}/select?at={}", ids[1]);
    bob.get(&path).await.expect(403);
    let page = ann.page(&path).await;
    let ticked = format!("value=\"{}\" checked", ids[1]);
    assert!(page.contains(&ticked) && page.contains("spam 3"), "{page}");
    let fields = [
        ("messages", ids[1].as_str()),
        ("messages", ids[2].as_str()),
        ("ask", "delete-selected"),
    ];
    let asked = ann.form("/act/chat.delete-many", &fields).await;
    assert!(asked.body.contains("Delete the selected messages?"));
    let done = ann.form("/act/chat.delete-many", &fields[..2]).await;
    assert_eq!(done.location(), format!("/rooms/{room}"));
    let left = ann.history("general").await.into_iter();
    let mut left: Vec<_> = left.map(|message| message.body).collect();
    left.sort();
    assert_eq!(left, ["", "", "spam 0", "spam 3"]);
    assert!(
        audit(&ann)
            .await
            .contains("Deleted messages: <bdi>bob</bdi>")
    );
}

#[tokio::test]
async fn slow_mode_tells_until_when_in_the_page() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let slow = json!({ "room": ann.room("general"), "seconds": "3600" });
    ann.act("community.set-slow-mode", slow).await.done();
    bob.post("general", "once").await;
    let page = format!("/rooms/{}", bob.room("general"));
    let waits = |page: &str| page.contains("data-slow=") && page.contains("data-slow-until=");
    assert!(waits(&bob.page(&page).await));
    assert!(!waits(&ann.page(&page).await), "moderators do not wait");
}
