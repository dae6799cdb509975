//! Polls: made, voted in, ended, by whom, and what others see.

use serde_json::{Value, json};

use super::account_data::{copy_of, delete, erased};
use super::rules::add_rule;
use crate::support::{Message, Person, TestServer, eventually};

async fn two_people() -> (TestServer, Person, Person) {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    (server, ann, bob)
}

pub(super) async fn make(person: &Person, fields: Value) -> Message {
    let mut all = json!({ "room": person.room("general"), "body": "お茶？" });
    for (name, value) in fields.as_object().expect("fields") {
        all[name] = value.clone();
    }
    Message::of(&person.act("chat.poll", all).await.done()["message"])
}

async fn vote(person: &Person, message: &Message, answer: usize) -> Value {
    let fields = json!({ "message": message.id, "answer": answer });
    person.act("chat.vote", fields).await.done()
}

fn counts(done: &Value) -> Vec<i64> {
    let answers = done["poll"]["answers"].as_array().expect("answers");
    answers
        .iter()
        .map(|one| one["count"].as_i64().expect("a count"))
        .collect()
}

#[tokio::test]
async fn vote_moves_where_only_one_may_be_chosen() {
    let (_server, ann, bob) = two_people().await;
    let poll = make(
        &ann,
        json!({ "answers": ["緑茶", "شاي", "ชา"], "key": "poll-of-tea" }),
    )
    .await;
    let mut html = ann.html_socket().await;
    html.follow(&ann.feed("room/general")).await;
    assert_eq!(counts(&vote(&bob, &poll, 0).await), [1, 0, 0]);
    let frame = html.frame("class=\"poll-answer\"").await;
    assert!(frame.contains("<b>1</b>"), "{frame}");
    assert_eq!(counts(&vote(&bob, &poll, 2).await), [0, 0, 1]);
    assert_eq!(counts(&vote(&ann, &poll, 2).await), [0, 0, 2]);
    // The same one again takes it back.
    let done = vote(&bob, &poll, 2).await;
    assert_eq!(
        (counts(&done), done["poll"]["voters"].as_i64()),
        (vec![0, 0, 1], Some(1))
    );
    let page = bob.page(&format!("/messages/{}/votes", poll.id)).await;
    assert!(page.contains("ชา") && page.contains(">ann<"), "{page}");
    // Without scripts the answers are buttons of a form.
    let fields = [("message", poll.id.as_str()), ("answer", "1")];
    let answer = bob.form("/act/chat.vote", &fields).await;
    assert_eq!(answer.location(), format!("/messages/{}", poll.id));
    assert_eq!(counts(&vote(&ann, &poll, 2).await), [0, 1, 0]);
}

#[tokio::test]
async fn several_answers_are_counted_by_person() {
    let (_server, ann, bob) = two_people().await;
    let fields = json!({ "answers": ["a", "b"], "multiple": "yes", "key": "several-of-them" });
    let poll = make(&ann, fields).await;
    vote(&bob, &poll, 0).await;
    let done = vote(&bob, &poll, 1).await;
    assert_eq!(
        (counts(&done), done["poll"]["voters"].as_i64()),
        (vec![1, 1], Some(1))
    );
    // Said twice it is once.
    let fields = json!({ "message": poll.id, "answer": 1, "on": "yes" });
    let done = bob.act("chat.vote", fields).await.done();
    assert_eq!(counts(&done), [1, 1]);
}

#[tokio::test]
async fn command_makes_poll_once_for_a_key() {
    let (_server, ann, bob) = two_people().await;
    let fields = json!({
        "room": ann.room("general"), "body": "/poll Tea? | Green | 黑茶", "key": "poll-by-command",
    });
    let first = ann.act("chat.post", fields.clone()).await.done();
    let again = ann.act("chat.post", fields).await.done();
    assert_eq!(first["message"]["id"], again["message"]["id"]);
    assert_eq!(first["message"]["body"], "Tea?");
    let page = bob.page(&format!("/rooms/{}", bob.room("general"))).await;
    assert_eq!(page.matches("class=\"poll\"").count(), 1);
    assert!(page.contains("黑茶"), "{page}");
}

#[tokio::test]
async fn form_without_scripts_makes_poll_and_keeps_what_was_refused() {
    let (_server, _ann, bob) = two_people().await;
    let path = format!("/rooms/{}/poll", bob.room("general"));
    let page = bob.page(&path).await;
    assert!(page.contains("name=\"answers\""), "{page}");
    let room = bob.room("general");
    let mut fields = vec![
        ("room", room.as_str()),
        ("body", "Which <b>day</b>?"),
        ("answers", "Friday"),
        ("answers", ""),
        ("hours", "24"),
        ("seen", "7"),
    ];
    let refused = bob
        .form_from(&path, "/act/chat.poll", &fields)
        .await
        .expect(422)
        .body;
    assert!(refused.contains("Give at least two answers"), "{refused}");
    assert!(refused.contains("value=\"Friday\""), "{refused}");
    fields.push(("answers", "الجمعة"));
    for _ in 0..2 {
        let made = bob.form_from(&path, "/act/chat.poll", &fields).await;
        assert!(made.location().starts_with(&format!("/rooms/{room}#m-")));
    }
    let page = bob.page(&format!("/rooms/{room}")).await;
    assert!(
        page.contains("الجمعة") && page.contains("open until"),
        "{page}"
    );
    assert_eq!(
        page.matches("class=\"poll\"").count(),
        1,
        "sent twice it is made once"
    );
}

#[tokio::test]
async fn bounds_of_answers_hold() {
    let (_server, ann, _bob) = two_people().await;
    let eleven: Vec<_> = (0..11).map(|n| n.to_string()).collect();
    let many: Vec<_> = (0..51).map(|n| n.to_string()).collect();
    for (number, answers) in [
        json!(["one"]),
        json!(["same", " SAME "]),
        json!(eleven),
        json!(many),
        json!(["x".repeat(101), "y"]),
        json!([format!("a{}", "\u{301}".repeat(400)), "y"]),
    ]
    .into_iter()
    .enumerate()
    {
        let fields = json!({
            "room": ann.room("general"), "body": "?", "answers": answers,
            "key": format!("bounds-{number}"),
        });
        assert_eq!(ann.act("chat.poll", fields).await.status, 422, "{number}");
    }
    for hours in ["-1", "x", "745", "99999999999"] {
        let fields = json!({
            "room": ann.room("general"), "body": "?", "answers": ["a", "b"], "hours": hours,
            "key": "bounds-of-hours",
        });
        assert_eq!(ann.act("chat.poll", fields).await.status, 422, "{hours}");
    }
    let poll = make(
        &ann,
        json!({ "answers": ["a", "b"], "key": "within-bounds" }),
    )
    .await;
    for answer in [json!(2), json!(-1), json!(u64::MAX), json!("x")] {
        let fields = json!({ "message": poll.id, "answer": answer });
        assert_eq!(ann.act("chat.vote", fields).await.status, 422, "{answer}");
    }
}

#[tokio::test]
async fn ended_poll_takes_no_votes() {
    let (server, ann, bob) = two_people().await;
    let cleo = server.member("cleo").await;
    let poll = make(&bob, json!({ "answers": ["a", "b"], "key": "to-be-ended" })).await;
    vote(&ann, &poll, 1).await;
    let end = json!({ "message": poll.id });
    assert_eq!(cleo.act("chat.end-poll", end.clone()).await.status, 403);
    let page = cleo.page(&format!("/messages/{}/votes", poll.id)).await;
    assert!(!page.contains("chat.end-poll"), "{page}");
    bob.act("chat.end-poll", end.clone()).await.done();
    assert_eq!(bob.act("chat.end-poll", end).await.code(), "conflict");
    let fields = json!({ "message": poll.id, "answer": 0 });
    assert_eq!(ann.act("chat.vote", fields).await.code(), "conflict");
    let page = ann.page(&format!("/rooms/{}", ann.room("general"))).await;
    assert!(
        page.contains("The poll has ended") && page.contains("disabled"),
        "{page}"
    );
}

#[tokio::test]
async fn only_readers_vote_and_deletion_takes_votes() {
    let (_server, ann, bob) = two_people().await;
    ann.create_room("cellar").private().await;
    let secret = ann.room("cellar");
    let fields = json!({ "room": secret, "answers": ["a", "b"], "key": "in-the-cellar" });
    let poll = make(&ann, fields).await;
    let vote_of_bob = json!({ "message": poll.id, "answer": 0 });
    assert_eq!(bob.act("chat.vote", vote_of_bob).await.status, 404);
    assert_eq!(
        bob.get(&format!("/messages/{}/votes", poll.id))
            .await
            .status,
        404
    );
    // What is no poll has no votes.
    let text = ann.post("general", "no poll").await;
    assert_eq!(
        bob.get(&format!("/messages/{}/votes", text.id))
            .await
            .status,
        404
    );
    let fields = json!({ "message": text.id, "answer": 0 });
    assert_eq!(bob.act("chat.vote", fields).await.status, 404);
    ann.act("chat.delete", json!({ "message": poll.id }))
        .await
        .done();
    let fields = json!({ "message": poll.id, "answer": 0 });
    assert_eq!(ann.act("chat.vote", fields).await.code(), "conflict");
}

#[tokio::test]
async fn rules_judge_answers_too() {
    let (_server, ann, bob) = two_people().await;
    let words = json!({ "words": "ナットウ", "patterns": "" });
    add_rule(&ann, "words", "refuse", words).await;
    let fields = json!({
        "room": bob.room("general"), "body": "朝食？", "answers": ["パン", "ナットウ"],
        "key": "judged-answers",
    });
    assert_eq!(bob.act("chat.poll", fields).await.status, 422);
    let fields = json!({
        "room": bob.room("general"), "body": "朝食？", "answers": ["パン", "ご飯"],
        "key": "judged-answers-2",
    });
    bob.act("chat.poll", fields).await.done();
}

#[tokio::test]
async fn search_finds_answers() {
    let (_server, ann, bob) = two_people().await;
    make(
        &ann,
        json!({ "answers": ["ホウジチャ", "b"], "key": "found-by-answer" }),
    )
    .await;
    eventually("the poll is found", async || {
        let page = bob.page("/search?q=%E3%83%9B%E3%82%A6%E3%82%B8").await;
        page.contains("お茶").then_some(())
    })
    .await;
}

#[tokio::test]
async fn data_of_account_has_its_votes_and_erases_them() {
    let (server, ann, bob) = two_people().await;
    let poll = make(
        &ann,
        json!({ "answers": ["a", "b"], "key": "with-votes-of-bob" }),
    )
    .await;
    vote(&bob, &poll, 0).await;
    let data = copy_of(&bob).await;
    let votes = data["votes"].as_array().expect("votes");
    assert_eq!(votes[0]["answers"], json!(["0"]), "{votes:?}");
    delete(&bob, "keep").await.location();
    erased(&server).await;
    eventually("the vote is gone", async || {
        let page = ann.page(&format!("/messages/{}/votes", poll.id)).await;
        page.contains("Nobody").then_some(())
    })
    .await;
}
