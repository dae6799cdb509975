//! Lines in the first room of a space about who joined.

use serde_json::{Value, json};

use crate::support::{Person, TestServer, eventually};

/// The lines of a room: each with its count, names, revision and id.
async fn lines(person: &Person, room: &str) -> Vec<Value> {
    let history = person
        .act("chat.history", json!({ "room": room }))
        .await
        .done();
    let messages = history["messages"].as_array().expect("a list").iter();
    let lines = messages.filter(|message| !message["told"]["joined"].is_null());
    lines.cloned().collect()
}

#[tokio::test]
async fn many_joins_make_one_line_nobody_edits() {
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let general = ann.room("general");
    let tell = json!({ "space": ann.space, "tell": "yes" });
    ann.act("community.tell-joins", tell).await.done();
    let mut people = Vec::new();
    for number in 1..=9 {
        people.push(server.member(&format!("Member {number}")).await);
        // A conversation between them makes no more lines.
        ann.post("general", &format!("welcome {number}")).await;
    }
    let line = eventually("a line about all", || async {
        let lines = lines(&ann, &general).await;
        (lines.len() == 1 && lines[0]["told"]["joined"]["count"] == 9).then(|| lines[0].clone())
    })
    .await;
    assert_eq!(
        line["told"]["joined"]["names"],
        json!(["Member 1", "Member 2", "Member 3"])
    );
    assert_eq!(line["body"], "");
    let page = ann.page(&format!("/rooms/{general}")).await;
    assert!(
        page.contains("<bdi>Member 1</bdi>, <bdi>Member 2</bdi> and 7 others joined"),
        "{page}"
    );

    // It is nobody's own message, and what its author writes next is none of its continuations.
    let edit = json!({ "message": line["id"], "body": "changed" });
    people[0].act("chat.edit", edit).await.expect(403);
    let delete = json!({ "message": line["id"] });
    people[0]
        .act("chat.delete", delete.clone())
        .await
        .expect(403);
    ann.act("chat.delete", delete).await.done();
    assert!(lines(&ann, &general).await.is_empty());
}

#[tokio::test]
async fn joins_are_told_only_where_wanted_in_public_rooms() {
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let general = ann.room("general");
    let tell = |tell: &str| json!({ "space": ann.space, "tell": tell });
    ann.act("community.tell-joins", tell("yes")).await.done();
    server.member("Bob").await;
    eventually("a line about Bob", || async {
        (lines(&ann, &general).await.len() == 1).then_some(())
    })
    .await;
    // Of a space without a public room nothing is told, and nothing breaks.
    let private = json!({ "room": general, "name": "general", "private": "yes" });
    ann.act("community.change-room", private).await.done();
    server.member("Cem").await;
    let public = json!({ "room": general, "name": "general" });
    ann.act("community.change-room", public).await.done();
    let dee = server.member("Dee").await;
    let told = eventually("a line about Dee", || async {
        let lines = lines(&ann, &general).await;
        let names = lines[0]["told"]["joined"]["names"].clone();
        names.to_string().contains("Dee").then_some(names)
    })
    .await;
    let is_bounded = told == json!(["Bob", "Dee"]) || told == json!(["Bob", "Cem", "Dee"]);
    assert!(is_bounded, "{told}");
    let refused = dee.act("community.tell-joins", tell("")).await;
    refused.expect(403);
}

#[tokio::test]
async fn join_line_leaves_room_read() {
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let general = ann.room("general");
    let tell = json!({ "space": ann.space, "tell": "yes" });
    ann.act("community.tell-joins", tell).await.done();
    let bob = server.member("Bob").await;
    server.member("Cem").await;
    eventually("a line about both", || async {
        let lines = lines(&ann, &general).await;
        let is_told = lines.iter().any(|line| line.to_string().contains("Cem"));
        is_told.then_some(())
    })
    .await;
    assert_eq!(bob.get("/unread").await.json(), json!([]));
    ann.post("general", "welcome").await;
    assert_eq!(
        bob.get("/unread").await.json(),
        json!([{ "room": general, "space": ann.space, "mentions": 0 }])
    );
}
