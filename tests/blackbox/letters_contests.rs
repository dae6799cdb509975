//! Contests in which members design envelopes.

use serde_json::json;

use super::files::pictures::png;
use super::letters::{begin, draft, has};
use super::letters_by_hand::{act, refused};
use crate::support::{Person, TestServer, eventually};

/// Proposes a picture in a contest by the form of its page.
async fn propose(person: &Person, contest: &str, title: &str) -> u16 {
    let page = format!("/spaces/{}/letters/contests", person.space);
    let picture = png(90, 60);
    let fields = [("contest", contest), ("title", title)];
    let files = [("front.png", &picture[..])];
    person
        .form_with_files("/act/letters.propose-design", &page, &fields, &files)
        .await
        .status
}

/// The id of the design that can be voted for below a title.
fn design_of(page: &str, title: &str) -> String {
    let (_, card) = page
        .split_once(&format!("<b dir=\"auto\">{title}</b>"))
        .expect(title);
    let (_, rest) = card.split_once("name=\"design\" value=\"").expect("a form");
    rest.split('"').next().expect("its end").to_owned()
}

#[tokio::test]
async fn winning_envelope_is_bought_and_used() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let space = ann.space.clone();
    let page = format!("/spaces/{space}/letters/contests");
    let opens = json!({ "space": space, "title": "秋の海" });
    assert_eq!(
        refused(&bob, "open-contest", opens.clone()).await,
        "forbidden"
    );
    let contest = act(&ann, "open-contest", opens).await["contest"].clone();
    let contest = contest.as_str().expect("an id").to_owned();
    assert_eq!(propose(&bob, &contest, "waves").await, 303);
    assert_eq!(propose(&cem, &contest, "لفافة").await, 303);
    assert_eq!(
        propose(&bob, &contest, "more waves").await,
        409,
        "one of each"
    );
    let empty = json!({ "contest": contest, "title": "none" });
    assert_eq!(refused(&ann, "propose-design", empty).await, "invalid");
    let shown = has(&ann, &page, "لفافة").await;
    let (waves, other) = (design_of(&shown, "waves"), design_of(&shown, "لفافة"));

    // Once each, and not for one's own.
    let vote = |design: &str| json!({ "design": design });
    assert_eq!(refused(&bob, "vote", vote(&waves)).await, "conflict");
    let tries = (0..3).map(|_| ann.act("letters.vote", vote(&waves)));
    let tries = futures_util::future::join_all(tries).await;
    assert_eq!(
        tries.iter().filter(|answer| answer.status == 200).count(),
        1
    );
    assert_eq!(refused(&ann, "vote", vote(&other)).await, "conflict");
    act(&cem, "vote", vote(&waves)).await;
    act(&bob, "vote", vote(&other)).await;
    let early = json!({ "space": space, "item": format!("envelope:{waves}") });
    assert_eq!(refused(&bob, "buy", early.clone()).await, "not_found");
    let this = json!({ "contest": contest });
    assert_eq!(
        refused(&bob, "close-contest", this.clone()).await,
        "forbidden"
    );
    for _ in 0..2 {
        act(&ann, "close-contest", this.clone()).await;
    }
    let over = has(&ann, &page, "This one won").await;
    assert!(over.contains("waves") && !over.contains("لفافة"), "{over}");
    assert_ne!(propose(&ann, &contest, "late").await, 303);

    // Its author has it; the others buy it.
    assert_eq!(
        refused(&ann, "buy", early).await,
        "conflict",
        "too few points"
    );
    let letter = begin(&bob, json!({ "kind": "person", "to": ann.id })).await;
    let mut text = draft(&letter, 0, "in an envelope");
    text["envelope"] = json!(waves);
    let desk = eventually("the envelope is on the desk", async || {
        let desk = bob.page(&format!("/letters/{letter}/desk")).await;
        desk.contains("name=\"envelope\"").then_some(desk)
    })
    .await;
    assert!(desk.contains("waves"), "{desk}");
    act(&bob, "seal", text.clone()).await;
    let sheet = format!("/letters/{letter}");
    let front = has(&bob, &sheet, "envelope-front").await;
    let (_, src) = front
        .split_once("envelope-front\"><img src=\"")
        .expect("a picture");
    let src = src.split('"').next().expect("its end");
    assert_eq!(
        cem.fetch(src).await.status,
        200,
        "all members saw it in the contest"
    );
    let letter = begin(&cem, json!({ "kind": "person", "to": ann.id })).await;
    text["letter"] = json!(letter);
    assert_eq!(refused(&cem, "seal", text).await, "invalid", "not theirs");
    server.assert_undamaged();
}
