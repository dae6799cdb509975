//! A right that ends takes its feeds with it, before another frame passes.

use serde_json::{Value, json};

use crate::one_instance_only;
use crate::support::{Person, Socket, TestServer};

/// Fails if anything said holds the secret.
fn assert_not_leaked(secret: &str, received: &[Value]) {
    assert!(
        !received.iter().any(|one| one.to_string().contains(secret)),
        "{secret} leaked: {received:#?}"
    );
}

async fn set_members(ann: &Person, room: &str, people: &[&Person]) {
    let ids: Vec<_> = people.iter().map(|person| &person.id).collect();
    let fields = json!({ "room": room, "name": "whisper", "private": "yes", "members": ids });
    ann.act("community.change-room", fields).await.done();
}

async fn follow_all(socket: &mut Socket, feeds: &[String]) {
    for feed in feeds {
        socket.follow(feed).await;
    }
}

#[tokio::test]
async fn removed_member_gets_no_later_frame() {
    one_instance_only!("a right changes on other instances a moment later");
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let room = ann
        .create_room("whisper")
        .private()
        .with(&[&bob, &cem])
        .await;
    let feed = format!("room/{room}");
    let mut witness = cem.following(&feed).await;
    for round in 0..50 {
        // New ones each time: a socket may say only so much in ten seconds.
        let (mut data, mut page, mut anns) = (
            bob.socket().await,
            bob.html_socket().await,
            ann.socket().await,
        );
        follow_all(&mut data, std::slice::from_ref(&feed)).await;
        follow_all(&mut page, std::slice::from_ref(&feed)).await;
        let secret = format!("secret of round {round:02}");
        // Both go over one socket, so the post follows the commit of the removal at once.
        let change =
            json!({ "room": room, "name": "whisper", "private": "yes", "members": [cem.id] });
        let removal = json!({
            "type": "act", "id": "a",
            "action": "community.change-room", "fields": change,
        });
        anns.send(removal).await;
        let post = json!({ "room": room, "body": secret, "key": format!("round-{round:04}") });
        anns.send(json!({ "type": "act", "id": "b", "action": "chat.post", "fields": post }))
            .await;
        anns.expect("the post", |received| {
            received["id"] == "b" && received["type"] == "reply"
        })
        .await;
        witness
            .expect("the post", |received| {
                received.to_string().contains(&secret)
            })
            .await;
        for socket in [&mut data, &mut page] {
            let received = socket.drain().await;
            assert_not_leaked(&secret, &received);
            assert!(
                received
                    .iter()
                    .any(|one| one["type"] == "revoked" && one["feed"] == feed.as_str()),
                "{received:#?}"
            );
            assert_eq!(socket.subscribe(&feed, None).await["type"], "refused");
        }
        set_members(&ann, &room, &[&bob, &cem]).await;
    }
}

#[tokio::test]
async fn no_frame_follows_revocation() {
    one_instance_only!("a right changes on other instances a moment later");
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let room = ann.create_room("whisper").private().with(&[&bob]).await;
    let feed = format!("room/{room}");
    let mut socket = bob.socket().await;
    for round in 0..20 {
        socket.follow(&feed).await;
        let posts = async {
            for number in 0..5 {
                ann.try_post(
                    &room,
                    &format!("{round}-{number}"),
                    &format!("race-{round:03}-{number}"),
                )
                .await
                .done();
            }
        };
        tokio::join!(posts, set_members(&ann, &room, &[]));
        socket.wait_for("revoked").await;
        let received = socket.drain().await;
        assert!(received.is_empty(), "after the end: {received:#?}");
        set_members(&ann, &room, &[&bob]).await;
    }
}

#[tokio::test]
async fn removed_member_loses_feeds_of_space() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let direct = ann.direct(&[&bob]).await;
    let secret = ann.create_room("whisper").private().with(&[&bob]).await;
    let lost = [
        bob.feed("room/general"),
        bob.feed("room/general/typing"),
        format!("space/{}", bob.space),
        format!("space/{}/presence", bob.space),
        format!("room/{secret}"),
    ];
    let kept = [format!("account/{}", bob.id), format!("room/{direct}")];
    let mut socket = bob.socket().await;
    follow_all(&mut socket, &lost).await;
    follow_all(&mut socket, &kept).await;
    ann.act(
        "community.remove-member",
        json!({ "space": ann.space, "account": bob.id }),
    )
    .await
    .done();
    ann.post("general", "without bob").await;
    let mut revoked = Vec::new();
    for _ in &lost {
        revoked.push(
            socket.wait_for("revoked").await["feed"]
                .as_str()
                .expect("a feed")
                .to_owned(),
        );
    }
    revoked.sort();
    let mut expected = lost.to_vec();
    expected.sort();
    assert_eq!(revoked, expected);
    ann.post(&direct, "between us").await;
    let received = socket
        .expect("the direct message", |received| {
            received["feed"] == kept[1].as_str()
        })
        .await;
    assert!(received.to_string().contains("between us"));
    for feed in &lost {
        assert_eq!(
            socket.subscribe(feed, None).await["type"],
            "refused",
            "{feed}"
        );
    }
}

#[tokio::test]
async fn removed_member_cannot_resume() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let room = ann.create_room("whisper").private().with(&[&bob]).await;
    let feed = format!("room/{room}");
    let mut socket = bob.socket().await;
    let cursor = socket.follow(&feed).await;
    ann.post(&room, "seen").await;
    socket.wait_for("event").await;
    set_members(&ann, &room, &[]).await;
    ann.post(&room, "unseen").await;
    assert_eq!(
        socket.subscribe(&feed, Some(&cursor)).await["type"],
        "refused"
    );
    let mut back = bob.socket_at(&format!("/live?feed={feed}@{cursor}")).await;
    assert_eq!(back.wait_for("refused").await["feed"], feed.as_str());
    assert_not_leaked("unseen", &back.drain().await);
    let answer = bob
        .act("chat.history", json!({ "room": room }))
        .await
        .expect(404);
    assert!(!answer.body.contains("seen"));
}

#[tokio::test]
async fn ended_session_gets_no_later_frame() {
    let server = TestServer::with(&[("TIDEPOOL_BEHIND_PROXY", "true")]).await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut witness = bob.following("room/general").await;
    for round in 0..5 {
        let device = if round == 0 {
            ann.clone()
        } else {
            ann.other_device(&server).await
        };
        let (mut data, mut page) = (
            device.following("room/general").await,
            device.html_socket().await,
        );
        page.follow(&device.feed("room/general")).await;
        device.form("/sign-out", &[]).await.location();
        let late = format!("after the end {round}");
        bob.post("general", &late).await;
        witness
            .expect("the post", |received| received.to_string().contains(&late))
            .await;
        for socket in [&mut data, &mut page] {
            assert_not_leaked(&late, &socket.read_until_closed().await);
            assert_eq!(socket.closed, Some(4401));
        }
    }
}
#[tokio::test]
async fn unreadable_right_closes_socket_without_revoking() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let other = bob.other_device(&server).await;
    let mut socket = bob.following("room/general").await;
    let mut second = other.socket().await;
    // Nothing that is cached of the account's rights outlives a change of its settings.
    bob.act("community.set-language", json!({ "language": "en" }))
        .await
        .done();
    server
        .change_schema("ALTER TABLE members RENAME TO hidden")
        .await;
    // Ending one session has the sockets of the others ask for their rights again.
    assert_eq!(bob.form("/sign-out", &[]).await.location(), "/sign-in");
    assert_eq!(
        socket.close_code().await,
        Some(4401),
        "its own session ended"
    );
    let feed = bob.feed("room/general");
    second
        .send(json!({ "type": "subscribe", "feed": feed }))
        .await;
    let received = second.read_until_closed().await;
    assert_not_leaked("revoked", &received);
    assert_not_leaked("refused", &received);
    assert_eq!(second.close_code().await, Some(1013), "come back later");
    server
        .change_schema("ALTER TABLE hidden RENAME TO members")
        .await;
    let mut again = other.following(&feed).await;
    ann.post("general", "here we are").await;
    again.event("chat.message.posted").await;
}

#[tokio::test]
async fn unreadable_right_at_recheck_is_not_revoked() {
    let server = TestServer::start().await;
    server.owner("ann").await;
    let bob = server.member("bob").await;
    let other = bob.other_device(&server).await;
    let mut socket = other.following(&bob.feed("room/general")).await;
    // Nothing that is cached of the account's rights outlives a change of its settings.
    bob.act("community.set-language", json!({ "language": "en" }))
        .await
        .done();
    server
        .change_schema("ALTER TABLE members RENAME TO hidden")
        .await;
    assert_eq!(bob.form("/sign-out", &[]).await.location(), "/sign-in");
    assert_not_leaked("revoked", &socket.read_until_closed().await);
    assert_eq!(socket.close_code().await, Some(1013), "come back later");
}
