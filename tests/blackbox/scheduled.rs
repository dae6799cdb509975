//! Messages for later: posted at their time, once, with the rights of that moment.

use serde_json::{Value, json};

use crate::support::{Person, TestServer, eventually};

async fn schedule(person: &Person, body: &str) -> Value {
    let fields = json!({
        "room": person.room("general"), "body": body, "at": "2027-06-01T09:30",
        "zone": "Asia/Kolkata",
    });
    person.act("chat.schedule", fields).await.done()
}

/// Has what is scheduled be due.
async fn let_time_pass(server: &mut TestServer) {
    server.stop().await;
    server
        .change_rows("UPDATE jobs SET run_at = 1 WHERE kind = 'chat.post-scheduled'")
        .await;
    server.start_again().await;
}

#[tokio::test]
async fn message_is_posted_at_its_time_once() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    let path = format!("/rooms/{}/schedule", bob.room("general"));
    assert!(bob.page(&path).await.contains("datetime-local"));
    let scheduled = schedule(&bob, "おはよう **all**").await;
    assert_eq!(scheduled["at"], "2027-06-01T04:00:00Z");
    let page = bob.page("/scheduled").await;
    assert!(page.contains("おはよう all"), "{page}");
    assert!(!ann.page("/scheduled").await.contains("おはよう"));
    let room = format!("/rooms/{}", ann.room("general"));
    assert!(
        !ann.page(&room).await.contains("おはよう"),
        "not before its time"
    );
    let mut html = ann.html_socket().await;
    html.follow(&ann.feed("room/general")).await;
    let id = scheduled["scheduled"].as_str().expect("an id");
    let sent = bob
        .form("/act/chat.send-scheduled", &[("scheduled", id)])
        .await;
    assert_eq!(sent.location(), format!("/rooms/{}", bob.room("general")));
    html.frame("おはよう").await;
    let again = bob
        .form("/act/chat.send-scheduled", &[("scheduled", id)])
        .await;
    assert_eq!(again.status, 404, "it is posted once");
    assert!(!bob.page("/scheduled").await.contains("おはよう"));
}

#[tokio::test]
async fn due_message_is_posted_by_a_job_as_its_author() {
    let mut server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    schedule(&bob, "@ann สวัสดี").await;
    let_time_pass(&mut server).await;
    let room = format!("/rooms/{}", ann.room("general"));
    eventually("the message", async || {
        let page = ann.page(&room).await;
        (page.contains("สวัสดี") && page.contains("bob")).then_some(())
    })
    .await;
    eventually("the mention", async || {
        ann.page("/mentions").await.contains("สวัสดี").then_some(())
    })
    .await;
    eventually("the list is empty", async || {
        (!bob.page("/scheduled").await.contains("สวัสดี")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn message_without_right_at_its_time_stays_with_reason() {
    let mut server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    schedule(&bob, "too late").await;
    let fields = json!({ "room": ann.room("general"), "archive": "yes" });
    ann.act("community.archive-room", fields).await.done();
    let_time_pass(&mut server).await;
    eventually("the notice", async || {
        let page = bob.page("/inbox").await;
        (page.contains("was not posted") && page.contains("too late")).then_some(())
    })
    .await;
    let page = bob.page("/scheduled").await;
    assert!(
        page.contains("It was not posted.") && page.contains("archived"),
        "{page}"
    );
    let room = ann.page(&format!("/rooms/{}", ann.room("general"))).await;
    assert!(!room.contains("too late"), "{room}");
}

#[tokio::test]
async fn changed_message_waits_for_its_new_time() {
    let mut server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    let scheduled = schedule(&bob, "first words").await;
    let fields = json!({
        "room": bob.room("general"), "body": "other words", "at": "2027-07-01T09:30",
        "scheduled": scheduled["scheduled"],
    });
    let theirs = json!({
        "room": ann.room("general"), "body": "not mine", "at": "2027-07-01T09:30",
        "scheduled": scheduled["scheduled"],
    });
    assert_eq!(ann.act("chat.schedule", theirs).await.code(), "conflict");
    let changed = bob.act("chat.schedule", fields).await.done();
    assert_eq!(changed["scheduled"], scheduled["scheduled"]);
    // The job of the first time is gone: changing a message adds none.
    let waiting = "SELECT COUNT(*) FROM jobs WHERE kind = 'chat.post-scheduled'";
    if let Some(waiting) = server.database().number(waiting).await {
        assert_eq!(waiting, 1);
    }
    let_time_pass(&mut server).await;
    let room = format!("/rooms/{}", ann.room("general"));
    eventually("the message", async || {
        ann.page(&room).await.contains("other words").then_some(())
    })
    .await;
    assert!(!ann.page(&room).await.contains("first words"));
}

#[tokio::test]
async fn bounds_of_scheduled_messages_hold() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    ann.create_room("cellar").private().await;
    let try_it = async |room: String, body: &str, at: &str| {
        let fields = json!({ "room": room, "body": body, "at": at });
        bob.act("chat.schedule", fields).await.status
    };
    let general = bob.room("general");
    assert_eq!(
        try_it(ann.room("cellar"), "hi", "2027-06-01T09:30").await,
        404
    );
    assert_eq!(try_it(general.clone(), "  ", "2027-06-01T09:30").await, 422);
    let long = "長".repeat(4_001);
    assert_eq!(
        try_it(general.clone(), &long, "2027-06-01T09:30").await,
        422
    );
    for at in ["2020-01-01T10:00", "2099-01-01T10:00", "soon", ""] {
        assert_eq!(try_it(general.clone(), "hi", at).await, 422, "{at}");
    }
    // The same form sent twice is one message.
    for _ in 0..2 {
        assert_eq!(
            try_it(general.clone(), "once", "2027-06-01T09:30").await,
            200
        );
    }
    assert_eq!(bob.page("/scheduled").await.matches(">once<").count(), 1);
    let scheduled = schedule(&bob, "mine alone").await;
    let fields = json!({ "scheduled": scheduled["scheduled"] });
    for action in ["chat.cancel-scheduled", "chat.send-scheduled"] {
        assert_eq!(ann.act(action, fields.clone()).await.code(), "not_found");
    }
    bob.act("chat.cancel-scheduled", fields.clone())
        .await
        .done();
    assert_eq!(
        bob.act("chat.cancel-scheduled", fields).await.code(),
        "not_found"
    );
}

#[tokio::test]
async fn suspended_account_posts_nothing_later() {
    let mut server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    schedule(&bob, "from the shadows").await;
    let suspend = json!({ "name": "bob", "reason": "spam", "days": "30" });
    ann.act("community.suspend", suspend).await.done();
    let_time_pass(&mut server).await;
    let done = "tidepool_jobs_total{kind=\"chat.post-scheduled\",end=\"done\"}";
    server.metric_reaches(done, |done| done >= 1.0).await;
    let room = ann.page(&format!("/rooms/{}", ann.room("general"))).await;
    assert!(!room.contains("from the shadows"), "{room}");
}

#[tokio::test]
async fn scheduled_files_are_seen_by_nobody_until_they_are_posted() {
    let mut server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    let map = bob.attach("general", "карта.txt", b"north").await;
    let list = bob.attach("general", "قائمة.txt", b"rope, lamp").await;
    let fields = json!({
        "room": bob.room("general"), "body": "", "at": "2027-06-01T09:30",
        "files": [map, list], "captions": ["The map"],
    });
    let scheduled = bob.act("chat.schedule", fields).await.done();
    let path = format!("/files/{map}/map.txt");
    bob.get(&path).await.expect(200);
    ann.get(&path).await.expect(404);
    let page = bob.page("/scheduled").await;
    assert!(
        page.contains("карта.txt") && page.contains("قائمة.txt"),
        "{page}"
    );
    // One of them is taken off and another added, by the form of a page without scripts.
    let id = scheduled["scheduled"].as_str().expect("an id");
    let form = format!("/rooms/{}/schedule?scheduled={id}", bob.room("general"));
    assert!(bob.page(&form).await.contains("карта.txt"));
    let room = bob.room("general");
    let fields = [
        ("room", room.as_str()),
        ("scheduled", id),
        ("body", ""),
        ("at", "2027-06-01T09:30"),
        ("without", &list),
    ];
    let files = [("灯台.txt", b"light".as_slice())];
    let changed = bob
        .form_with_files("/act/chat.schedule", &form, &fields, &files)
        .await;
    assert_eq!(changed.location(), "/scheduled");
    bob.get(&format!("/files/{list}/list.txt"))
        .await
        .expect(404);
    let_time_pass(&mut server).await;
    let room = format!("/rooms/{}", ann.room("general"));
    let shown = eventually("the message", async || {
        let page = ann.page(&room).await;
        page.contains("灯台.txt").then_some(page)
    })
    .await;
    assert!(
        shown.contains("The map") && !shown.contains("قائمة.txt"),
        "{shown}"
    );
    ann.get(&path).await.expect(200);
}

#[tokio::test]
async fn scheduled_message_without_words_and_files_is_refused() {
    let server = TestServer::start().await;
    let bob = server.owner("bob").await;
    let file = bob.attach("general", "only.txt", b"only").await;
    let fields = json!({
        "room": bob.room("general"), "body": "", "at": "2027-06-01T09:30", "files": [file],
    });
    let scheduled = bob.act("chat.schedule", fields.clone()).await.done();
    let without = json!({
        "room": bob.room("general"), "body": " ", "at": "2027-06-01T09:30",
        "scheduled": scheduled["scheduled"], "without": [file],
    });
    assert_eq!(bob.act("chat.schedule", without).await.status, 422);
    bob.get(&format!("/files/{file}/only.txt"))
        .await
        .expect(200);
    // A file belongs to one message.
    assert_eq!(
        bob.act("chat.schedule", fields).await.status,
        200,
        "the same form twice"
    );
    let other = json!({
        "room": bob.room("general"), "body": "again", "at": "2027-06-01T09:30", "files": [file],
    });
    assert_eq!(bob.act("chat.schedule", other).await.status, 422);
    let cancel = json!({ "scheduled": scheduled["scheduled"] });
    bob.act("chat.cancel-scheduled", cancel).await.done();
    bob.get(&format!("/files/{file}/only.txt"))
        .await
        .expect(404);
}
