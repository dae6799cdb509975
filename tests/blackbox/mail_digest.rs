//! The mail digest of what stayed unread.

use serde_json::json;

use super::account_data::{copy_of, delete, erased};
use crate::support::{Mailbox, Person, TestServer, eventually, link_in};

/// Waits for the first mail to Bob, which is about one notice.
async fn mail_to_bob(mailbox: &Mailbox) -> String {
    let first = async || mailbox.to("bob@example.org").pop();
    let mail = eventually("a mail", first).await;
    let subject = "Subject: You have one unread notice on 127.0.0.1";
    assert!(mail.contains(subject), "{mail}");
    mail
}

async fn start(mailbox: &Mailbox) -> TestServer {
    TestServer::with(&[
        ("TIDEPOOL_MAIL", &*mailbox.setting()),
        ("TIDEPOOL_MAIL_FROM", "Glasshouse <chat@example.org>"),
    ])
    .await
}

async fn wants(person: &Person, every: &str) {
    let fields = json!({ "every": every });
    person.act("notices.set-digest", fields).await.done();
}

/// Waits until so many things are in somebody's inbox.
async fn has_unread(person: &Person, count: usize) {
    eventually("the inbox", async || {
        let inbox = person.page("/inbox/list").await;
        (inbox.matches(" class=\"unread\"").count() == count).then_some(())
    })
    .await;
}

/// Has the time of every digest come.
async fn let_morning_come(server: &mut TestServer) {
    server.stop().await;
    server
        .change_rows("UPDATE mail_digests SET next_at = 1")
        .await;
    let schedule = "UPDATE job_schedules SET next_at = 1 WHERE name = 'notices.find-digests'";
    server.change_rows(schedule).await;
    server.start_again().await;
}

async fn are_done(server: &TestServer, mails: f64) {
    let done = "tidepool_jobs_total{kind=\"notices.mail-digest\",end=\"done\"}";
    server.metric_reaches(done, |done| done >= mails).await;
}

#[tokio::test]
async fn unread_notices_are_mailed_once() {
    let mailbox = Mailbox::new();
    let mut server = start(&mailbox).await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    ann.post("general", "@bob from before").await;
    has_unread(&bob, 1).await;
    assert!(
        bob.page("/account/notices")
            .await
            .contains("bob@example.org")
    );
    wants(&bob, "daily").await;
    let read = ann.post("general", "@bob this was read").await;
    let fields = json!({ "room": read.room, "message": read.id });
    bob.act("chat.read", fields).await.done();
    let gone = ann.post("general", "@bob this was deleted").await;
    ann.post("general", "@bob the tide ||is late|| 潮が満ちる")
        .await;
    has_unread(&bob, 2).await;
    let fields = json!({ "message": gone.id });
    ann.act("chat.delete", fields).await.done();
    let_morning_come(&mut server).await;
    let mail = mail_to_bob(&mailbox).await;
    assert!(
        mail.contains("#general") && mail.contains("潮が満ちる"),
        "{mail}"
    );
    for missing in ["from before", "this was", "is late"] {
        assert!(!mail.contains(missing), "{missing}: {mail}");
    }
    assert!(
        mail.contains("List-Unsubscribe: <http://127.0.0.1"),
        "{mail}"
    );
    are_done(&server, 1.0).await;
    // What was mailed is not mailed again.
    let_morning_come(&mut server).await;
    are_done(&server, 1.0).await;
    assert_eq!(mailbox.to("bob@example.org").len(), 1);
    assert_eq!(mailbox.to("ann@example.org").len(), 0, "who did not ask");
}

#[tokio::test]
async fn who_has_a_page_open_gets_no_mail() {
    let mailbox = Mailbox::new();
    let server = start(&mailbox).await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    wants(&bob, "weekly").await;
    ann.post("general", "@bob look").await;
    has_unread(&bob, 1).await;
    let feed = format!("space/{}/presence", ann.space);
    // One for each instance: any of them may write the mail.
    let mut watches = [ann.following(&feed).await, ann.following(&feed).await];
    let _page = bob.html_socket().await;
    for watch in &mut watches {
        watch
            .expect("bob is here", |received| {
                let people = received["event"]["people"].to_string();
                people.contains("\"here\"") && people.contains(&bob.id)
            })
            .await;
    }
    let db = server.database();
    db.execute("UPDATE mail_digests SET next_at = 1").await;
    let schedule = "UPDATE job_schedules SET next_at = 1 WHERE name = 'notices.find-digests'";
    db.execute(schedule).await;
    // A new job with a time of its own has all times looked at again.
    let fields = json!({ "text": "tea", "when": "20m" });
    ann.act("reminders.add", fields).await.done();
    are_done(&server, 1.0).await;
    assert_eq!(mailbox.to("bob@example.org").len(), 0);
    let waits = "SELECT COUNT(*) FROM mail_digests WHERE next_at > 1000";
    assert_eq!(db.number(waits).await, Some(1), "the next one will have it");
}

#[tokio::test]
async fn mails_are_ended_by_their_link() {
    let mailbox = Mailbox::new();
    let mut server = start(&mailbox).await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    wants(&bob, "daily").await;
    let copy = copy_of(&bob).await.to_string();
    assert!(copy.contains("\"mail_digest\":\"daily\""), "{copy}");
    ann.post("general", "@bob look").await;
    has_unread(&bob, 1).await;
    let_morning_come(&mut server).await;
    let mail = mail_to_bob(&mailbox).await;
    let at = mail.find("/digest/").expect("the link that ends them");
    let link = mail[at..].lines().next().expect("a line");
    let link = link.trim_end_matches('>').to_owned();
    assert_eq!(link_in(&mail), "/inbox");
    let visitor = server.visitor();
    let asked = visitor.page(&link).await;
    assert!(asked.contains("Do you want no more"), "{asked}");
    let db = server.database();
    let count = "SELECT COUNT(*) FROM mail_digests";
    assert_eq!(db.number(count).await, Some(1), "looking ends nothing");
    for path in [
        "/digest/x".to_owned(),
        format!("/digest/{}", "x".repeat(43)),
    ] {
        visitor.form(&path, &[]).await.expect(200);
    }
    assert_eq!(db.number(count).await, Some(1));
    let ended = visitor
        .form(&link, &[("List-Unsubscribe", "One-Click")])
        .await;
    assert!(ended.expect(200).body.contains("no more of these mails"));
    assert_eq!(db.number(count).await, Some(0));
}

#[tokio::test]
async fn digest_needs_mail_and_goes_with_the_account() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let fields = json!({ "every": "daily" });
    let answer = ann.act("notices.set-digest", fields).await;
    assert_eq!(answer.status, 409);
    assert!(!ann.page("/account/notices").await.contains("set-digest"));
    let mailbox = Mailbox::new();
    let server = start(&mailbox).await;
    let ann = server.owner("ann").await;
    let fields = json!({ "every": "hourly" });
    assert_eq!(ann.act("notices.set-digest", fields).await.status, 422);
    let bob = server.member("bob").await;
    wants(&bob, "daily").await;
    wants(&bob, "weekly").await;
    let page = bob.page("/account/notices").await;
    assert!(page.contains("value=\"weekly\" selected"), "{page}");
    delete(&bob, "delete").await;
    erased(&server).await;
    let count = "SELECT COUNT(*) FROM mail_digests";
    assert_eq!(server.database().number(count).await, Some(0));
}
