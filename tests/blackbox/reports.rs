//! Reports: what members report, and what reviewers see and resolve.

use serde_json::{Value, json};

use crate::support::{Message, Person, TestServer};

fn of_message(message: &Message, reason: &str) -> Value {
    json!({ "kind": "message", "thing": message.id, "reason": reason, "words": "look <here>" })
}

fn of_person(account: &str, space: &str) -> Value {
    json!({ "kind": "account", "thing": account, "space": space, "reason": "harassment" })
}

async fn code(by: &Person, action: &str, fields: Value) -> String {
    let answer = by.act(action, fields).await;
    match answer.status {
        200 => String::new(),
        _ => answer.code(),
    }
}

async fn queue(by: &Person) -> String {
    by.page(&format!("/spaces/{}/queue", by.space)).await
}

/// The ids of the cases on a page.
fn cases(page: &str) -> Vec<String> {
    let links = page.split("href=\"/cases/").skip(1);
    let ids = links.map(|rest| rest.split('"').next().unwrap_or_default());
    ids.map(str::to_owned).collect()
}

async fn resolve(by: &Person, case: &str) -> String {
    let fields = json!({ "case": case, "outcome": "acted", "note": "talked to them" });
    code(by, "moderation.resolve", fields).await
}

/// Gives somebody the role of moderators.
async fn make_moderator(owner: &Person, person: &Person) {
    let page = owner
        .page(&format!("/spaces/{}/members/{}", owner.space, person.id))
        .await;
    let role = page.split("name=\"role\" value=\"").nth(1);
    let role = role
        .and_then(|rest| rest.split('"').next())
        .expect("a role");
    let give = json!({ "space": owner.space, "account": person.id, "role": role, "give": "yes" });
    owner.act("community.give-role", give).await.done();
}

#[tokio::test]
async fn reported_message_is_reviewed_and_its_reporters_are_told() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem, dan) = (
        server.member("bob").await,
        server.member("cem").await,
        server.member("dan").await,
    );
    let spam = bob.post("general", "buy <shoes> now").await;
    let form = cem.page(&format!("/report/message/{}", spam.id)).await;
    assert!(form.contains("buy &#60;shoes&#62; now"), "{form}");
    assert_eq!(
        code(&cem, "moderation.report", of_message(&spam, "spam")).await,
        ""
    );
    let again = code(&cem, "moderation.report", of_message(&spam, "hate")).await;
    assert_eq!(again, "conflict");
    assert_eq!(
        code(&bob, "moderation.report", of_message(&spam, "spam")).await,
        "invalid"
    );
    // The second one saw something else: both are kept, also when it is gone.
    bob.edit(&spam, "buy hats now").await;
    assert_eq!(
        code(&dan, "moderation.report", of_message(&spam, "illegal")).await,
        ""
    );
    bob.delete(&spam).await;
    let page = queue(&ann).await;
    assert!(
        page.contains("2 reports") && page.contains("buy hats now"),
        "{page}"
    );
    let case = cases(&page)[0].clone();
    let page = ann.page(&format!("/cases/{case}")).await;
    for words in [
        "buy &#60;shoes&#62; now",
        "look &#60;here&#62;",
        "cem",
        "dan",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    // Neither the reported person nor other members learn of it.
    for person in [&bob, &cem] {
        person.get(&format!("/cases/{case}")).await.expect(404);
        let refused = person.get(&format!("/spaces/{}/queue", ann.space)).await;
        refused.expect(403);
        assert_eq!(resolve(person, &case).await, "not_found");
    }
    let waiting = cem.page("/reports").await;
    assert!(
        waiting.contains("Waiting") && !waiting.contains("Reviewed"),
        "{waiting}"
    );
    let mut socket = cem.following(&format!("account/{}", cem.id)).await;
    assert_eq!(resolve(&ann, &case).await, "");
    let told = socket.event("moderation.reports.resolved").await;
    assert!(
        !told.to_string().contains(&dan.id),
        "who else reported it: {told}"
    );
    assert_eq!(resolve(&ann, &case).await, "conflict");
    let sidebar = format!("/sidebar?space={}", cem.space);
    let told = "Your report was reviewed";
    assert!(cem.page(&sidebar).await.contains(told));
    let reports = cem.page("/reports").await;
    assert!(
        reports.contains("Reviewed") && !reports.contains("talked to them"),
        "{reports}"
    );
    assert!(!cem.page(&sidebar).await.contains(told), "seen");
    assert!(cases(&queue(&ann).await).is_empty());
    let done = ann
        .page(&format!("/spaces/{}/queue?show=resolved", ann.space))
        .await;
    assert_eq!(cases(&done), [case]);
    let log = ann.page(&format!("/spaces/{}/audit", ann.space)).await;
    assert!(
        log.contains("Resolved reports about: <bdi>bob</bdi>"),
        "{log}"
    );
    // What comes back is a new case.
    let more = bob.post("general", "buy shoes again").await;
    assert_eq!(
        code(&cem, "moderation.report", of_message(&more, "spam")).await,
        ""
    );
    assert_eq!(cases(&queue(&ann).await).len(), 1);
}

#[tokio::test]
async fn report_in_private_room_is_for_its_readers() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem, dan) = (
        server.member("bob").await,
        server.member("cem").await,
        server.member("dan").await,
    );
    make_moderator(&ann, &dan).await;
    let cellar = ann
        .create_room("cellar")
        .private()
        .with(&[&bob, &cem])
        .await;
    let secret = bob.post(&cellar, "a secret insult").await;
    // Who does not read the room cannot report what is in it.
    let refused = code(&dan, "moderation.report", of_message(&secret, "hate")).await;
    assert_eq!(refused, "not_found");
    dan.get(&format!("/report/message/{}", secret.id))
        .await
        .expect(404);
    assert_eq!(
        code(&cem, "moderation.report", of_message(&secret, "hate")).await,
        ""
    );
    let hidden = queue(&dan).await;
    assert!(
        !hidden.contains("secret") && cases(&hidden).is_empty(),
        "{hidden}"
    );
    assert!(!hidden.contains("Reports (1)"), "{hidden}");
    let shown = queue(&ann).await;
    let case = cases(&shown)[0].clone();
    assert!(shown.contains("Reports (1)"), "{shown}");
    dan.get(&format!("/cases/{case}")).await.expect(404);
    assert_eq!(resolve(&dan, &case).await, "not_found");
    assert_eq!(resolve(&ann, &case).await, "");
}

#[tokio::test]
async fn nobody_resolves_reports_about_themselves_or_their_peers() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem, dan) = (
        server.member("bob").await,
        server.member("cem").await,
        server.member("dan").await,
    );
    make_moderator(&ann, &bob).await;
    make_moderator(&ann, &cem).await;
    let of = |person: &Person| of_person(&person.id, &ann.space);
    assert_eq!(code(&dan, "moderation.report", of(&bob)).await, "");
    let case = cases(&queue(&ann).await)[0].clone();
    assert_eq!(resolve(&bob, &case).await, "forbidden", "oneself");
    assert_eq!(resolve(&cem, &case).await, "forbidden", "as high");
    let page = cem.page(&format!("/cases/{case}")).await;
    assert!(!page.contains("/act/moderation.resolve"), "{page}");
    assert_eq!(resolve(&ann, &case).await, "");
    // The only owner has nobody above, and does not decide about themselves.
    assert_eq!(code(&dan, "moderation.report", of(&ann)).await, "");
    let case = cases(&queue(&ann).await)[0].clone();
    assert_eq!(resolve(&ann, &case).await, "forbidden");
}

#[tokio::test]
async fn reports_outside_of_spaces_go_to_the_host() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem, dan) = (
        server.member("bob").await,
        server.member("cem").await,
        server.member("dan").await,
    );
    let room = bob.direct(&[&cem]).await;
    let insult = bob.post(&room, "a whispered insult").await;
    assert_eq!(
        code(&dan, "moderation.report", of_message(&insult, "hate")).await,
        "not_found"
    );
    let report = of_message(&insult, "harassment");
    assert_eq!(code(&cem, "moderation.report", report).await, "");
    assert_eq!(
        code(&dan, "moderation.report", of_person(&bob.id, "")).await,
        ""
    );
    assert!(cases(&queue(&ann).await).is_empty());
    let page = ann.page("/queue").await;
    assert!(page.contains("a whispered insult"), "{page}");
    assert_eq!(cases(&page).len(), 2);
    bob.get("/queue").await.expect(403);
    for case in cases(&page) {
        assert_eq!(resolve(&cem, &case).await, "not_found");
        assert_eq!(resolve(&ann, &case).await, "");
    }
    assert!(cases(&ann.page("/queue").await).is_empty());
    assert!(
        ann.page("/audit")
            .await
            .contains("Resolved reports about: <bdi>bob</bdi>")
    );
    // A person of another space is not there.
    let eve = server.stranger("eve").await;
    let refused = code(&eve, "moderation.report", of_person(&bob.id, &ann.space)).await;
    assert_eq!(refused, "not_found");
}

#[tokio::test]
async fn of_two_reviewers_at_once_one_resolves() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    make_moderator(&ann, &cem).await;
    for number in 0..3 {
        let spam = bob.post("general", &format!("spam {number}")).await;
        assert_eq!(
            code(&cem, "moderation.report", of_message(&spam, "spam")).await,
            ""
        );
        let case = cases(&queue(&ann).await)[0].clone();
        let (one, other) = tokio::join!(resolve(&ann, &case), resolve(&cem, &case));
        let mut both = [one.as_str(), other.as_str()];
        both.sort_unstable();
        assert_eq!(both, ["", "conflict"]);
    }
}

#[tokio::test]
async fn open_reports_of_one_account_are_limited() {
    let server = TestServer::with(&[("TIDEPOOL_WRITES_PER_10_SECONDS", "1000")]).await;
    server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    for number in 0..21 {
        let spam = bob.post("general", &format!("spam {number}")).await;
        let expected = if number < 20 { "" } else { "conflict" };
        let answer = code(&cem, "moderation.report", of_message(&spam, "spam")).await;
        assert_eq!(answer, expected, "{number}");
    }
    let long = json!({ "kind": "account", "thing": bob.id, "space": "", "reason": "other",
        "words": "x".repeat(501) });
    assert_eq!(code(&cem, "moderation.report", long).await, "invalid");
    let silent = json!({ "kind": "account", "thing": bob.id, "reason": "other" });
    assert_eq!(code(&cem, "moderation.report", silent).await, "invalid");
    server.assert_undamaged();
}

#[tokio::test]
async fn queue_is_live_for_reviewers() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    // At every instance: a report reaches reviewers wherever they are.
    let mut sockets = Vec::new();
    for number in 0..server.instances() {
        let ann = ann.at_instance(&server, number);
        let mut socket = ann.html_socket().await;
        socket.follow(&format!("account/{}/unread", ann.id)).await;
        let mut queue = ann.socket().await;
        queue.follow(&format!("space/{}/queue", ann.space)).await;
        sockets.push((socket, queue));
    }
    let spam = bob.post("general", "buy shoes").await;
    assert_eq!(
        code(&cem, "moderation.report", of_message(&spam, "spam")).await,
        ""
    );
    for (socket, queue) in &mut sockets {
        let frame = socket.frame("queue-").await;
        assert!(frame.contains("Reports (1)"), "{frame}");
        queue.event("moderation.queue.changed").await;
    }
    let case = cases(&queue(&ann).await)[0].clone();
    assert_eq!(resolve(&ann, &case).await, "");
    for (socket, _) in &mut sockets {
        let frame = socket.frame("queue-").await;
        assert!(!frame.contains("Reports ("), "{frame}");
    }
}
