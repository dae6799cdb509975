//! Appeals: once for each sanction, lifted or upheld with words.

use serde_json::{Value, json};

use crate::support::{Person, TestServer, eventually};

async fn code(by: &Person, action: &str, fields: Value) -> String {
    let answer = by.act(action, fields).await;
    match answer.status {
        200 => String::new(),
        _ => answer.code(),
    }
}

async fn appeal(by: &Person, space: &str) -> String {
    let fields = json!({ "space": space, "words": "I am <sorry>" });
    code(by, "moderation.appeal", fields).await
}

/// The newest open appeal of a space.
async fn open_appeal(by: &Person) -> String {
    let page = by.page(&format!("/spaces/{}/queue", by.space)).await;
    let id = page.split("href=\"/appeals/").nth(1);
    let id = id.and_then(|rest| rest.split('"').next());
    id.unwrap_or_else(|| panic!("no appeal: {page}")).to_owned()
}

async fn resolve(by: &Person, appeal: &str, outcome: &str) -> String {
    let fields = json!({ "appeal": appeal, "outcome": outcome, "answer": "be <kind>" });
    code(by, "moderation.resolve-appeal", fields).await
}

#[tokio::test]
async fn ban_is_appealed_once_and_lifted() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let link = ann.invite().await;
    assert_eq!(
        appeal(&bob, &ann.space).await,
        "not_found",
        "nothing was done"
    );
    let ban = json!({ "space": ann.space, "account": bob.id, "reason": "shoes",
        "address": "yes" });
    ann.act("community.ban", ban).await.done();
    let closed = bob.page(&format!("/spaces/{}/closed", ann.space)).await;
    let path = format!("/spaces/{}/appeal", ann.space);
    assert!(closed.contains(&path), "{closed}");
    let page = bob.page(&path).await;
    assert!(
        page.contains("shoes") && page.contains("/act/moderation.appeal"),
        "{page}"
    );
    let long = json!({ "space": ann.space, "words": "x".repeat(1001) });
    assert_eq!(code(&bob, "moderation.appeal", long).await, "invalid");
    assert_eq!(appeal(&bob, &ann.space).await, "");
    assert_eq!(appeal(&bob, &ann.space).await, "conflict");
    let id = open_appeal(&ann).await;
    let page = ann.page(&format!("/appeals/{id}")).await;
    assert!(page.contains("I am &#60;sorry&#62;"), "{page}");
    cem.get(&format!("/appeals/{id}")).await.expect(404);
    assert_eq!(resolve(&cem, &id, "lifted").await, "not_found");
    assert_eq!(resolve(&bob, &id, "lifted").await, "not_found");
    bob.submit(&link, &json!({})).await.expect(403);
    assert_eq!(resolve(&ann, &id, "lifted").await, "");
    assert_eq!(resolve(&ann, &id, "upheld").await, "conflict");
    let told = bob.page(&path).await;
    let words = "The sanction was lifted.";
    assert!(
        told.contains(words) && told.contains("be &#60;kind&#62;"),
        "{told}"
    );
    eventually("the notice", async || {
        let inbox = bob.page("/inbox").await;
        inbox.contains("Your appeal was accepted").then_some(())
    })
    .await;
    bob.submit(&link, &json!({})).await.done();
    let log = ann.page(&format!("/spaces/{}/audit", ann.space)).await;
    for words in ["Lifted on appeal", "Lifted the ban of: <bdi>bob</bdi>"] {
        assert!(log.contains(words), "{words}: {log}");
    }
}

#[tokio::test]
async fn time_out_is_appealed_upheld_and_another_one_anew() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let time_out = json!({ "space": ann.space, "account": bob.id, "minutes": "60",
        "reason": "too loud" });
    ann.act("community.time-out", time_out.clone()).await.done();
    let path = format!("/spaces/{}/appeal", ann.space);
    let room = bob.page(&format!("/rooms/{}", bob.room("general"))).await;
    assert!(room.contains(&path), "{room}");
    assert_eq!(appeal(&bob, &ann.space).await, "");
    let id = open_appeal(&ann).await;
    assert_eq!(resolve(&bob, &id, "lifted").await, "not_found");
    assert_eq!(resolve(&ann, &id, "upheld").await, "");
    let told = bob.page(&path).await;
    assert!(
        told.contains("The sanction stays.") && told.contains("be &#60;kind"),
        "{told}"
    );
    assert_eq!(appeal(&bob, &ann.space).await, "conflict");
    // Another time-out may be appealed again, and lifting it lets them write at once.
    ann.act("community.time-out", time_out).await.done();
    assert_eq!(appeal(&bob, &ann.space).await, "");
    let id = open_appeal(&ann).await;
    assert_eq!(
        bob.try_post("general", "hi", "appeal-0001").await.code(),
        "forbidden"
    );
    assert_eq!(resolve(&ann, &id, "lifted").await, "");
    bob.post("general", "thank you").await;
}

#[tokio::test]
async fn of_two_decisions_at_once_one_stands() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let time_out = json!({ "space": ann.space, "account": bob.id, "minutes": "60" });
    ann.act("community.time-out", time_out).await.done();
    assert_eq!(appeal(&bob, &ann.space).await, "");
    let id = open_appeal(&ann).await;
    let (lifted, upheld) = tokio::join!(resolve(&ann, &id, "lifted"), resolve(&ann, &id, "upheld"));
    let may_post = bob.try_post("general", "hi", "decided-0001").await.status == 200;
    match (lifted.as_str(), upheld.as_str()) {
        ("", "conflict") => assert!(may_post),
        ("conflict", "") => assert!(!may_post),
        other => panic!("{other:?}"),
    }
}
