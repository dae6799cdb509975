//! Rooms and spaces that are deleted: closed at once, brought back for a week, then erased.

use serde_json::json;

use crate::support::{Person, TestServer, eventually};

/// Has a week pass for what was deleted of these tables, and the jobs that erase it begin.
pub(super) async fn pass_a_week(server: &mut TestServer, tables: &[&str]) {
    server.stop().await;
    let week = 8_i64 * 86_400 * 1_000_000;
    let age = format!(
        "UPDATE jobs SET run_at = run_at - {week}, created_at = created_at - {week} \
         WHERE state = 'later' AND kind LIKE 'community.erase-%'"
    );
    server.change_rows(&age).await;
    for table in tables {
        let age = format!(
            "UPDATE {table} SET deleted_at = deleted_at - {week} WHERE deleted_at IS NOT NULL"
        );
        server.change_rows(&age).await;
    }
    server.start_again().await;
}

pub(super) async fn wait_until_erased(server: &TestServer, sql: &str) {
    eventually(sql, async || {
        (server.database().number(sql).await == Some(0)).then_some(())
    })
    .await;
}

/// Follows feeds with one socket.
async fn follow(person: &Person, feeds: &[&str]) -> crate::support::Socket {
    let mut socket = person.socket().await;
    for feed in feeds {
        socket.follow(feed).await;
    }
    socket
}

#[tokio::test]
async fn deleted_space_closes_at_once_and_is_brought_back() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let (space, general) = (&ann.space, ann.room("general"));
    ann.post("general", "hello").await;
    let link = ann.invite().await;
    let feed = format!("room/{general}");
    let mut socket = follow(&bob, &[&feed, &format!("account/{}", bob.id)]).await;
    let fields = json!({ "space": space });
    let refused = bob.act("community.delete-space", fields.clone()).await;
    assert_eq!(refused.code(), "forbidden");
    ann.act("community.delete-space", fields.clone())
        .await
        .done();
    socket.wait_for("revoked").await;
    // Nobody finds it, and nothing can be written.
    eventually("it is closed to bob", async || {
        (bob.get(&format!("/rooms/{general}/log")).await.status == 404).then_some(())
    })
    .await;
    let late = bob.try_post(&general, "late", "key-late-1").await;
    assert_eq!(late.code(), "not_found");
    let answer = bob.get(&format!("/spaces/{space}")).await;
    assert_eq!(answer.location(), format!("/spaces/{space}/closed"));
    let answer = bob.get(&format!("/rooms/{general}")).await;
    assert_eq!(answer.location(), format!("/rooms/{general}/closed"));
    for path in [
        format!("/spaces/{space}/closed"),
        format!("/rooms/{general}/closed"),
    ] {
        let page = bob.page(&path).await;
        assert!(page.contains("was deleted"), "{page}");
        assert!(!page.contains("restore-space"), "{page}");
        assert!(ann.page(&path).await.contains("restore-space"));
    }
    let visitor = server.visitor();
    visitor.get(&link).await.expect(404);
    assert!(!bob.page("/spaces").await.contains("Glasshouse"));
    // Owners bring it back from their list.
    assert!(ann.page("/spaces").await.contains("Glasshouse"));
    let refused = bob.act("community.restore-space", fields.clone()).await;
    assert_eq!(refused.code(), "not_found");
    ann.act("community.restore-space", fields).await.done();
    eventually("bob reads it again", async || {
        let page = bob.get(&format!("/rooms/{general}")).await;
        page.body.contains("hello").then_some(())
    })
    .await;
    let log = ann.page(&format!("/spaces/{space}/audit")).await;
    assert!(log.contains("Deleted the space") && log.contains("Brought back the deleted space"));
}

#[tokio::test]
async fn deleted_space_is_erased_with_its_files_after_a_week() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let space = ann.space.clone();
    ann.create_room("whisper").private().with(&[&bob]).await;
    for number in 0..60 {
        ann.post("general", &format!("message {number}")).await;
    }
    ann.share(
        "general",
        "with a file",
        &[("note.txt", b"low water at six".to_vec())],
    )
    .await;
    bob.page(&format!("/rooms/{}", bob.room("general"))).await;
    assert!(!server.contents().is_empty());
    // Another space keeps what is its own.
    let made = ann
        .act("community.create-space", json!({ "name": "Kept" }))
        .await
        .done();
    let kept = made["space"].as_str().expect("an id").to_owned();
    ann.act("community.delete-space", json!({ "space": space }))
        .await
        .done();
    pass_a_week(&mut server, &["spaces"]).await;
    let refused = ann
        .act("community.restore-space", json!({ "space": space }))
        .await;
    assert_eq!(refused.code(), "not_found", "its time is over");
    wait_until_erased(
        &server,
        &format!("SELECT COUNT(*) FROM spaces WHERE id = {space}"),
    )
    .await;
    for table in [
        "messages",
        "attachments",
        "files",
        "chat_reads",
        "room_members",
        "invites",
    ] {
        let count = server
            .database()
            .number(&format!("SELECT COUNT(*) FROM {table}"))
            .await;
        assert_eq!(count, Some(0), "{table}");
    }
    for table in ["rooms", "members", "roles"] {
        let others = format!("SELECT COUNT(*) FROM {table} WHERE space_id <> {kept}");
        assert_eq!(server.database().number(&others).await, Some(0), "{table}");
    }
    eventually("the bytes are gone", async || {
        server.contents().is_empty().then_some(())
    })
    .await;
    ann.page(&format!("/spaces/{kept}")).await;
}

#[tokio::test]
async fn deleted_room_closes_at_once_and_is_brought_back() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let room = ann.create_room("garden").await;
    ann.post("garden", "roses").await;
    let mut socket = bob.following(&format!("room/{room}")).await;
    let fields = json!({ "room": room });
    let refused = bob.act("community.delete-room", fields.clone()).await;
    assert_eq!(refused.code(), "forbidden");
    ann.act("community.delete-room", fields.clone())
        .await
        .done();
    socket.wait_for("revoked").await;
    let closed = format!("/rooms/{room}/closed");
    eventually("it leads to why it is closed", async || {
        let answer = bob.get(&format!("/rooms/{room}")).await;
        (answer.status == 303 && answer.location() == closed).then_some(())
    })
    .await;
    assert!(bob.page(&closed).await.contains("garden"));
    let sidebar = bob.page(&format!("/sidebar?space={}", bob.space)).await;
    assert!(!sidebar.contains("garden"));
    let refused = bob.act("community.restore-room", fields.clone()).await;
    assert_eq!(refused.code(), "forbidden");
    // Its name is free, and then is not when it comes back.
    let other = ann.create_room("garden").await;
    let path = format!("/spaces/{}/rooms", ann.space);
    assert!(ann.page(&path).await.contains("Deleted rooms"));
    let taken = ann.act("community.restore-room", fields.clone()).await;
    assert_eq!(taken.code(), "conflict");
    ann.act(
        "community.change-room",
        json!({ "room": other, "name": "other" }),
    )
    .await
    .done();
    let answer = ann
        .form("/act/community.restore-room", &[("room", &room)])
        .await;
    assert_eq!((answer.status, answer.location()), (303, path.as_str()));
    eventually("bob reads it again", async || {
        let page = bob.get(&format!("/rooms/{room}")).await;
        page.body.contains("roses").then_some(())
    })
    .await;
    ann.post(&room, "again").await;
}

#[tokio::test]
async fn deleted_private_room_is_told_to_its_readers_only() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let room = ann.create_room("whisper").private().with(&[&bob]).await;
    ann.act("community.delete-room", json!({ "room": room }))
        .await
        .done();
    let closed = format!("/rooms/{room}/closed");
    eventually("bob is told", async || {
        let page = bob.get(&closed).await;
        page.body.contains("whisper").then_some(())
    })
    .await;
    assert!(!cem.page(&closed).await.contains("whisper"));
    cem.get(&format!("/rooms/{room}")).await.expect(404);
    let refused = cem
        .act("community.restore-room", json!({ "room": room }))
        .await;
    assert_eq!(refused.code(), "not_found");
    let log = ann.page(&format!("/spaces/{}/audit", ann.space)).await;
    assert!(log.contains("Deleted a room") && !log.contains("whisper"));
}

#[tokio::test]
async fn room_deleted_twice_waits_for_the_second_week() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let room = ann.create_room("garden").await;
    ann.share(&room, "a file", &[("note.txt", b"high water".to_vec())])
        .await;
    let fields = json!({ "room": room });
    ann.act("community.delete-room", fields.clone())
        .await
        .done();
    // The job runs before the time of the room is over.
    pass_a_week(&mut server, &[]).await;
    eventually("the job waits again", async || {
        let later = "SELECT COUNT(*) FROM jobs WHERE kind = 'community.erase-room' \
            AND state = 'later' AND run_at > created_at";
        (server.database().number(later).await == Some(1)).then_some(())
    })
    .await;
    ann.act("community.restore-room", fields.clone())
        .await
        .done();
    ann.act("community.delete-room", fields).await.done();
    pass_a_week(&mut server, &["rooms"]).await;
    let left = format!("SELECT COUNT(*) FROM rooms WHERE id = {room}");
    wait_until_erased(&server, &left).await;
    eventually("the bytes are gone", async || {
        server.contents().is_empty().then_some(())
    })
    .await;
    ann.get(&format!("/rooms/{room}")).await.expect(404);
    ann.page(&format!("/rooms/{}", ann.room("general"))).await;
}
