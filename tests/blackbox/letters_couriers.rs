//! How couriers share the work: bags, assignment, breaks, and the next rank.

use serde_json::{Value, json};

use super::letters::{begin, draft, has};
use super::letters_by_hand::{act, print_sheet, refused, with_places};
use crate::support::{Person, TestServer, eventually};

/// A letter by hand from one to the other that is posted with a sticker. Gives its id.
async fn post(from: &Person, to: &Person, code: &str) -> String {
    let fields = json!({ "kind": "person", "way": "hand", "to": to.id });
    let letter = begin(from, fields).await;
    act(from, "seal", draft(&letter, 0, "on paper")).await;
    act(from, "bind", json!({ "letter": letter, "code": code })).await;
    letter
}

fn appoint(of: &Person, rank: &str, branch: &str) -> Value {
    json!({ "space": of.space, "account": of.id, "rank": rank, "branch": branch })
}

async fn shows(person: &Person, path: &str, text: &str) -> String {
    eventually(text, async || {
        let page = person.page(path).await;
        page.contains(text).then_some(page)
    })
    .await
}

#[tokio::test]
async fn bag_moves_all_its_letters_at_once() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let (dee, eli) = (server.member("dee").await, server.member("eli").await);
    let space = ann.space.clone();
    with_places(&ann, [(&ann, "A1"), (&bob, "B2")]).await;
    let codes = print_sheet(&ann).await;
    act(&ann, "appoint", appoint(&cem, "1", "QR07")).await;
    act(&ann, "appoint", appoint(&dee, "2", "QR07")).await;
    act(&ann, "appoint", appoint(&eli, "2", "QR08")).await;
    let mut letters = Vec::new();
    for code in &codes[..3] {
        letters.push(post(&ann, &bob, code).await);
    }
    let pack = |letters: &[String]| json!({ "space": space, "code": codes[9], "letters": letters });
    let early = refused(&cem, "pack-bag", pack(&letters[..1])).await;
    assert_eq!(early, "invalid", "they do not carry it yet");
    for letter in &letters {
        act(&cem, "take", json!({ "letter": letter })).await;
    }
    // By the form of the round, whose boxes are ticked; and one more later.
    let round = format!("/spaces/{space}/letters/round");
    let page = has(&cem, &round, "Put letters into a bag").await;
    assert!(
        page.contains(&format!("name=\"letters\" value=\"{}\"", letters[2])),
        "{page}"
    );
    let fields = [
        ("space", &*space),
        ("code", &*codes[9]),
        ("letters", &*letters[0]),
        ("letters", &*letters[1]),
    ];
    let bag = format!("/l/{}", codes[9]);
    let packed = cem
        .form_from(&round, "/act/letters.pack-bag", &fields)
        .await;
    assert_eq!(packed.location(), bag);
    let id = act(&cem, "pack-bag", pack(&letters[2..])).await["bag"].clone();
    for code in [&codes[0], &"34679ACD".to_owned()] {
        let fields = json!({ "space": space, "code": code, "letters": [letters[0]] });
        assert_eq!(refused(&cem, "pack-bag", fields).await, "invalid");
    }
    let other = json!({ "space": space, "code": codes[8], "letters": [letters[0]] });
    assert_eq!(
        refused(&cem, "pack-bag", other).await,
        "invalid",
        "it is in a bag"
    );
    let this = json!({ "letter": letters[0] });
    assert_eq!(refused(&cem, "deliver", this.clone()).await, "conflict");
    let bind = json!({ "letter": letters[0], "code": codes[9] });
    assert_eq!(refused(&ann, "bind", bind).await, "conflict");
    act(&cem, "unpack", json!({ "letter": letters[2] })).await;
    has(&cem, &bag, "2 letters in this bag").await;

    // Handed over whole, which both confirm; nobody whom a letter does not concern gets it.
    let carry = |deed: &str, to: &str| json!({ "bag": id, "deed": deed, "to": to });
    assert_eq!(
        refused(&cem, "carry-bag", carry("offer", &eli.id)).await,
        "invalid"
    );
    assert_eq!(
        refused(&dee, "carry-bag", carry("take", "")).await,
        "not_found"
    );
    for _ in 0..2 {
        act(&cem, "carry-bag", carry("offer", &dee.id)).await;
    }
    let inbox = has(&dee, "/inbox", "wants to hand letters to you").await;
    assert_eq!(
        inbox.matches("wants to hand letters to you").count(),
        1,
        "one for the bag"
    );
    has(&dee, &bag, "act-take-bag").await;
    assert!(bob.page(&bag).await.contains("If you found it"));
    let scan = |deed: &str| json!({ "code": codes[9], "deed": deed, "key": deed });
    for _ in 0..2 {
        act(&dee, "scan", scan("take")).await;
    }
    assert_eq!(
        refused(&cem, "carry-bag", carry("open", "")).await,
        "not_found"
    );
    act(&dee, "scan", scan("open")).await;
    assert_eq!(refused(&dee, "scan", scan("open")).await, "conflict");
    act(&dee, "deliver", this).await;
    has(&bob, "/inbox", "A letter arrived for you").await;
    let count = format!(
        "SELECT COUNT(*) FROM letter_journey WHERE letter_id = {}",
        letters[1]
    );
    if let Some(entries) = server.database().number(&count).await {
        // Seal, post, take, hand over, take.
        assert_eq!(entries, 5);
    }
    // The bag is used again.
    act(&cem, "pack-bag", pack(&letters[2..])).await;
    has(&cem, &bag, "1 letter in this bag").await;
    server.assert_undamaged();
}

#[tokio::test]
async fn waiting_work_moves_to_next_courier() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let (dee, eli) = (server.member("dee").await, server.member("eli").await);
    let space = ann.space.clone();
    with_places(&ann, [(&ann, "A1"), (&bob, "B2")]).await;
    let codes = print_sheet(&ann).await;
    let rules = |hours: &str, delivered: &str| {
        json!({
            "space": space, "assigns": "yes", "take_hours": hours, "max_load": "5",
            "promote_delivered": delivered, "promote_percent": "50",
        })
    };
    assert_eq!(
        refused(&ann, "set-courier-rules", rules("0", "1")).await,
        "invalid"
    );
    act(&ann, "set-courier-rules", rules("5", "1")).await;
    let round = format!("/spaces/{space}/letters/round");
    let letter = post(&ann, &bob, &codes[0]).await;
    act(&ann, "appoint", appoint(&dee, "2", "QR07")).await;
    shows(&dee, &round, "For you to pick up").await;
    act(&ann, "appoint", appoint(&cem, "1", "QR07")).await;
    let second = post(&ann, &bob, &codes[1]).await;
    let page = has(&cem, &round, "For you to pick up").await;
    assert!(page.contains(&codes[1][4..]), "{page}");
    has(&cem, "/inbox", "A letter waits for you to pick it up").await;

    // Who does not pick it up in time loses it to the next rank, and it counts.
    server.stop().await;
    for change in [
        "UPDATE letters SET assigned_until = 1 WHERE state = 'posted'",
        "UPDATE job_schedules SET next_at = 1 WHERE name = 'letters.assign'",
    ] {
        server.change_rows(change).await;
    }
    server.start_again().await;
    shows(&dee, &round, &codes[1][4..]).await;
    eventually("the letters changed hands", async || {
        let page = cem.page(&round).await;
        let (_, assigned) = page.split_once("For you to pick up")?;
        let (assigned, _) = assigned.split_once("round-held")?;
        (assigned.contains(&codes[0][4..]) && !assigned.contains(&codes[1][4..])).then_some(())
    })
    .await;

    // A break: who stands in is named by the rank above, and gets the work.
    let stands_in = |who: &str| json!({ "space": space, "account": cem.id, "substitute": who });
    assert_eq!(
        refused(&cem, "set-substitute", stands_in(&eli.id)).await,
        "forbidden"
    );
    assert_eq!(
        refused(&dee, "set-substitute", stands_in(&eli.id)).await,
        "invalid"
    );
    act(&ann, "appoint", appoint(&eli, "1", "QR08")).await;
    act(&dee, "set-substitute", stands_in(&eli.id)).await;
    act(&cem, "pause", json!({ "space": space, "pause": "yes" })).await;
    shows(&eli, &round, &codes[0][4..]).await;
    let shift = |days: &[&str]| json!({ "space": space, "days": days, "from_hour": "0", "until_hour": "24" });
    assert_eq!(refused(&eli, "set-shift", shift(&[])).await, "invalid");
    act(&eli, "set-shift", shift(&["0", "6"])).await;
    let this = json!({ "letter": letter });
    act(&eli, "take", this.clone()).await;
    act(&eli, "deliver", this).await;

    // That is enough for the next rank here: who appoints it decides.
    let board = format!("/spaces/{space}/letters/board");
    has(&ann, "/inbox", "A courier is proposed for the next rank").await;
    let page = has(&ann, &board, "Proposed for the next rank").await;
    assert!(page.contains("1 delivered, 100 % in time"), "{page}");
    let decide = json!({ "space": space, "account": eli.id, "approve": "yes" });
    assert_eq!(
        refused(&dee, "decide-promotion", decide.clone()).await,
        "forbidden"
    );
    act(&ann, "decide-promotion", decide.clone()).await;
    assert_eq!(refused(&ann, "decide-promotion", decide).await, "not_found");
    has(&eli, &round, "Sorter").await;

    // What cannot be delivered is decided by the rank above, when it is asked.
    act(&cem, "pause", json!({ "space": space, "pause": "no" })).await;
    let this = json!({ "letter": second });
    let settle = json!({ "letter": second, "step": "return" });
    act(&cem, "take", this.clone()).await;
    act(
        &cem,
        "fail",
        json!({ "letter": second, "reason": "absent" }),
    )
    .await;
    assert_eq!(refused(&dee, "settle", settle.clone()).await, "forbidden");
    for _ in 0..2 {
        act(&cem, "escalate", this.clone()).await;
    }
    has(
        &dee,
        "/inbox",
        "You are asked to decide about a letter by hand",
    )
    .await;
    has(&dee, &board, "A decision is asked for").await;
    assert_eq!(refused(&cem, "settle", settle.clone()).await, "forbidden");
    act(&dee, "settle", settle).await;
    has(&ann, &format!("/letters/{second}"), "Came back").await;
    server.assert_undamaged();
}
