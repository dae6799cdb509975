//! Reminders: kept by a command or a form, told at their time, and only to who wants them.

use serde_json::{Value, json};

use super::account_data::{copy_of, delete, erased};
use crate::support::{Person, TestServer, eventually};

async fn remind(person: &Person, text: &str, key: &str) -> crate::support::Answer {
    let fields = json!({
        "room": person.room("general"), "body": format!("/remind {text}"), "key": key,
        "zone": "Asia/Tokyo",
    });
    person.act("chat.post", fields).await
}

/// Has what waits for a time be due.
async fn let_time_pass(server: &TestServer, table: &str) {
    server
        .change_rows(&format!("UPDATE {table} SET due_at = 1"))
        .await;
    server.change_rows("UPDATE jobs SET run_at = 1").await;
}

#[tokio::test]
async fn command_keeps_reminder_once_and_posts_nothing() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    let first = remind(&bob, "1h30m お茶を <b>淹れる", "remind-of-tea")
        .await
        .done();
    let again = remind(&bob, "1h30m お茶を <b>淹れる", "remind-of-tea")
        .await
        .done();
    assert_eq!(first["reminder"], again["reminder"]);
    let page = bob.page("/reminders").await;
    assert_eq!(
        page.matches("お茶を &#60;b&#62;淹れる").count(),
        1,
        "{page}"
    );
    let room = ann.page(&format!("/rooms/{}", ann.room("general"))).await;
    assert!(!room.contains("お茶"), "{room}");
    assert!(!ann.page("/reminders").await.contains("お茶"));
    // Times are by the clock of the browser.
    let done = remind(&bob, "2027-01-02 9:30 شاي", "remind-in-tokyo")
        .await
        .done();
    assert_eq!(done["at"], "2027-01-02T00:30:00Z");
    for (number, wrong) in ["", "tea", "20m", "2020-01-01 tea", "9000d tea"]
        .into_iter()
        .enumerate()
    {
        let answer = remind(&bob, wrong, &format!("remind-wrong-{number}")).await;
        assert_eq!(answer.status, 422, "{wrong}");
    }
    let long = format!("20m {}", "長".repeat(201));
    assert_eq!(remind(&bob, &long, "remind-too-long").await.status, 422);
    let key = "k".repeat(300_000);
    assert_eq!(remind(&bob, "20m tea", &key).await.status, 422);
}

#[tokio::test]
async fn reminder_of_message_is_told_at_its_time() {
    let mut server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    let message = ann.post("general", "see this").await;
    let menu = bob.page(&format!("/messages/{}/menu", message.id)).await;
    let path = format!("/reminders/new?about=/messages/{}", message.id);
    assert!(menu.contains(&path), "{menu}");
    let about = format!("/messages/{}", message.id);
    let fields = [
        ("about", about.as_str()),
        ("when", "20m"),
        ("text", "ระลึกถึง"),
    ];
    let answer = bob.form_from(&path, "/act/reminders.add", &fields).await;
    assert_eq!(answer.location(), about);
    assert!(
        !bob.page("/inbox").await.contains("ระลึกถึง"),
        "not before its time"
    );
    server.stop().await;
    let_time_pass(&server, "reminders").await;
    server.start_again().await;
    let inbox = eventually("the notice", async || {
        let page = bob.page("/inbox").await;
        page.contains("ระลึกถึง").then_some(page)
    })
    .await;
    assert!(inbox.contains("A reminder"), "{inbox}");
    let (_, link) = inbox
        .split_once("href=\"/inbox/")
        .expect("the notice's link");
    let (notice, _) = link.split_once('"').expect("its end");
    let opened = bob.get(&format!("/inbox/{notice}")).await;
    assert_eq!(opened.location(), about);
    assert!(
        !bob.page("/reminders").await.contains("ระลึกถึง"),
        "it is told once"
    );
    assert!(!ann.page("/inbox").await.contains("ระลึกถึง"));
}

#[tokio::test]
async fn reminder_leads_only_to_messages_and_has_bounds() {
    let server = TestServer::start().await;
    let bob = server.owner("bob").await;
    for about in [
        "https://example.org",
        "//example.org",
        "/messages/1/../../x",
        "/rooms/1",
        "/messages/",
    ] {
        let fields = json!({ "about": about, "text": "x", "when": "20m" });
        assert_eq!(
            bob.act("reminders.add", fields).await.status,
            422,
            "{about}"
        );
    }
    for at in ["2020-01-01T10:00", "2099-01-01T10:00", "tomorrow"] {
        let fields = json!({ "text": "x", "at": at });
        assert_eq!(bob.act("reminders.add", fields).await.status, 422, "{at}");
    }
    let fields = json!({ "text": "x", "when": "20m", "key": "k".repeat(65) });
    assert_eq!(bob.act("reminders.add", fields).await.status, 422);
}

#[tokio::test]
async fn reminder_is_removed_by_its_owner_alone() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    let fields = json!({ "text": "चाय", "when": "tomorrow" });
    let id = bob.act("reminders.add", fields).await.done()["reminder"].clone();
    let fields = json!({ "reminder": id });
    assert_eq!(
        ann.act("reminders.remove", fields.clone()).await.code(),
        "not_found"
    );
    let id = id.as_str().expect("an id");
    let answer = bob.form("/act/reminders.remove", &[("reminder", id)]).await;
    assert_eq!(answer.location(), "/reminders");
    assert!(!bob.page("/reminders").await.contains("चाय"));
    let waiting = "SELECT COUNT(*) FROM jobs WHERE kind = 'reminders.tell'";
    if let Some(waiting) = server.database().number(waiting).await {
        assert_eq!(waiting, 0, "its job goes with it");
    }
    assert_eq!(
        bob.act("reminders.remove", fields).await.code(),
        "not_found"
    );
}

#[tokio::test]
async fn data_of_account_has_its_reminders_and_scheduled_messages() {
    let server = TestServer::start().await;
    let _ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let fields = json!({ "text": "of tea", "when": "monday" });
    bob.act("reminders.add", fields).await.done();
    let fields = json!({
        "room": bob.room("general"), "body": "for later", "at": "2027-01-02T09:30",
    });
    bob.act("chat.schedule", fields).await.done();
    let data = copy_of(&bob).await;
    let text = |part: &str, name: &str| data[part][0][name].clone();
    assert_eq!(text("reminders", "text"), Value::from("of tea"));
    assert_eq!(text("scheduled_messages", "body"), Value::from("for later"));
    delete(&bob, "keep").await.location();
    erased(&server).await;
    if let Some(left) = server
        .database()
        .number("SELECT COUNT(*) FROM reminders")
        .await
    {
        assert_eq!(left, 0);
    }
}
