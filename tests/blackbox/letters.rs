//! Letters by tide: written, sealed, carried while the server is down, opened and answered.

use serde_json::{Value, json};

use super::account_data::{copy_of, delete, erased};
use crate::support::{Person, TestServer, eventually};

const TEXT: &str = "Dear Bob,\n\nthe lemons are in.\n\n敬具";

/// Begins a draft. Gives its id.
pub(super) async fn begin(person: &Person, fields: Value) -> String {
    let mut fields = fields;
    fields["space"] = json!(person.space);
    let answer = person.act("letters.write", fields).await.done();
    answer["letter"].as_str().expect("an id").to_owned()
}

pub(super) fn draft(letter: &str, revision: i64, body: &str) -> Value {
    json!({
        "letter": letter, "revision": revision.to_string(), "body": body, "paper": "cream",
        "signature": "own", "pen_name": "",
    })
}

/// Writes a letter to somebody and seals it. Gives its id.
pub(super) async fn send(from: &Person, to: &Person, text: &str) -> String {
    let letter = begin(from, json!({ "kind": "person", "to": to.id })).await;
    from.act("letters.seal", draft(&letter, 0, text))
        .await
        .done();
    letter
}

/// Has the tide come in while the server is down.
pub(super) async fn let_tide_come(server: &mut TestServer) {
    server.stop().await;
    for change in [
        "UPDATE letters SET departs_at = 1, arrives_at = 1 WHERE departs_at IS NOT NULL",
        "UPDATE jobs SET run_at = 1",
    ] {
        server.change_rows(change).await;
    }
    server.start_again().await;
}

/// What a page shows of its own, without the people beside it.
pub(super) fn main_of(page: &str) -> String {
    let main = page.split("<main").nth(1).expect("the page");
    main.split("</main>").next().expect("its part").to_owned()
}

/// Waits until a page has a text.
pub(super) async fn has(person: &Person, path: &str, text: &str) -> String {
    let what = format!("{text} on {path}");
    eventually(&what, async || {
        let answer = person.get(path).await;
        (answer.status == 200 && answer.body.contains(text)).then_some(answer.body)
    })
    .await
}

#[tokio::test]
async fn letter_by_tide_arrives_is_opened_and_answered() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let lists = format!("/spaces/{}/letters", ann.space);
    let found = ann.page(&format!("{lists}/new?q=bo")).await;
    assert!(
        found.contains("value=\"person\"") && found.contains(&bob.id),
        "{found}"
    );
    let fields = [
        ("space", &*ann.space),
        ("kind", "person"),
        ("to", &*bob.id),
        ("key", "one"),
    ];
    let begun = ann
        .form_from(&format!("{lists}/new"), "/act/letters.write", &fields)
        .await;
    let again = ann
        .form_from(&format!("{lists}/new"), "/act/letters.write", &fields)
        .await;
    assert_eq!(
        begun.location(),
        again.location(),
        "sent twice it is begun once"
    );
    let desk = begun.location().to_owned();
    let letter = desk
        .trim_start_matches("/letters/")
        .trim_end_matches("/desk")
        .to_owned();

    // Saved, by a form and by a script; another window does not overwrite it.
    let text = [
        ("letter", &*letter),
        ("revision", "0"),
        ("body", TEXT),
        ("paper", "sea"),
    ];
    let signed = [("signature", "own"), ("pen_name", "")];
    let form: Vec<_> = text.iter().chain(&signed).copied().collect();
    let saved = ann.form_from(&desk, "/act/letters.save", &form).await;
    assert_eq!(saved.location(), desk);
    has(&ann, &desk, "the lemons are in.").await;
    let stale = ann
        .act("letters.save", draft(&letter, 0, "another text"))
        .await;
    assert_eq!(stale.code(), "conflict");
    for (path, person) in [
        (&desk, &bob),
        (&format!("/letters/{letter}"), &bob),
        (&desk, &cem),
    ] {
        assert_eq!(person.get(path).await.status, 404, "{path}");
    }
    assert_eq!(
        bob.act("letters.seal", draft(&letter, 1, TEXT))
            .await
            .code(),
        "not_found"
    );

    // Sealing asks first, and is for ever.
    let mut sealing = form.clone();
    sealing[1].1 = "1";
    sealing.push(("ask", "seal-letter"));
    let asked = ann.form_from(&desk, "/act/letters.seal", &sealing).await;
    assert!(
        asked.body.contains("can never be changed"),
        "{}",
        asked.body
    );
    sealing.pop();
    let sealed = ann.form_from(&desk, "/act/letters.seal", &sealing).await;
    let sheet = format!("/letters/{letter}");
    assert_eq!(sealed.location(), sheet);
    let page = has(&ann, &sheet, "Given to the tide").await;
    assert!(
        page.contains("Expected") && page.contains("act-recall"),
        "{page}"
    );
    let late = ann.act("letters.save", draft(&letter, 2, "changed")).await;
    assert_eq!(late.code(), "conflict");
    assert_eq!(bob.get(&sheet).await.status, 404, "it has not arrived");

    // The tide comes while the server is down; the notice says nothing of the text.
    let_tide_come(&mut server).await;
    let inbox = has(&bob, &lists, "ann").await;
    assert!(
        inbox.contains("class=\"unread\"") && !inbox.contains("lemons"),
        "{inbox}"
    );
    let notices = has(&bob, "/inbox", "A letter arrived for you").await;
    assert!(!notices.contains("lemons"), "{notices}");
    let envelope = bob.page(&sheet).await;
    assert!(
        envelope.contains("act-open") && !envelope.contains("lemons"),
        "{envelope}"
    );
    assert_eq!(cem.get(&sheet).await.status, 404);
    assert_eq!(
        ann.act("letters.recall", json!({ "letter": letter }))
            .await
            .code(),
        "conflict"
    );
    assert_eq!(
        cem.act("letters.open", json!({ "letter": letter }))
            .await
            .code(),
        "not_found"
    );

    // Opened, while its author looks on.
    let mut socket = ann.following(&format!("letters/{letter}")).await;
    let opened = bob
        .form_from(&sheet, "/act/letters.open", &[("letter", &letter)])
        .await;
    assert_eq!(opened.location(), sheet);
    let event = socket.event("letters.letter.changed").await;
    assert_eq!(event["event"], json!({ "letter": letter, "state": "read" }));
    has(&bob, &sheet, "the lemons are in.").await;
    has(&ann, &format!("{sheet}/journey"), "Opened").await;

    // Answered in one tap, by the same correspondence.
    let answer = begin(&bob, json!({ "kind": "person", "reply_to": letter })).await;
    let fields = draft(&answer, 0, "Dear Ann, thank you.");
    bob.act("letters.seal", fields).await.done();
    has(&ann, &sheet, "An answer was sealed").await;
    let_tide_come(&mut server).await;
    let back = has(&ann, &format!("/letters/{answer}"), "act-open").await;
    assert!(
        back.contains("The correspondence") && back.contains(&sheet),
        "{back}"
    );
    if let Some(entries) = server
        .database()
        .number(&format!(
            "SELECT COUNT(*) FROM letter_journey WHERE letter_id = {letter}"
        ))
        .await
    {
        // Sealed, given, taken, delivered, opened, answered.
        assert_eq!(entries, 6);
    }
}

#[tokio::test]
async fn recalled_letter_and_refused_letter_do_not_arrive() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let recalled = send(&ann, &bob, "a mistake").await;
    let fields = json!({ "letter": recalled });
    assert_eq!(
        bob.act("letters.recall", fields.clone()).await.code(),
        "not_found"
    );
    ann.act("letters.recall", fields.clone()).await.done();
    ann.act("letters.recall", fields).await.done();
    let (to_bob, to_cem) = (
        send(&ann, &bob, "hello").await,
        send(&ann, &cem, "hello").await,
    );
    let refusal = json!({ "space": bob.space, "refuse": "yes" });
    bob.act("letters.refuse", refusal).await.done();
    cem.act("community.block", json!({ "account": ann.id }))
        .await
        .done();
    for person in [&bob, &cem] {
        let fields = json!({ "space": ann.space, "kind": "person", "to": person.id });
        let refused = ann.act("letters.write", fields).await.json();
        // Nobody is told why.
        assert_eq!(
            refused["error"]["message"], "This person takes no letters from you now.",
            "{refused}"
        );
    }
    let_tide_come(&mut server).await;
    for letter in [&to_bob, &to_cem] {
        has(&ann, &format!("/letters/{letter}"), "Came back").await;
    }
    has(&ann, &format!("/letters/{recalled}"), "Taken back").await;
    for (person, letter) in [(&bob, &recalled), (&bob, &to_bob), (&cem, &to_cem)] {
        assert_eq!(person.get(&format!("/letters/{letter}")).await.status, 404);
    }
}

#[tokio::test]
async fn unsigned_letter_names_nobody() {
    let mut server = TestServer::start().await;
    let ann = server.owner("annabel").await;
    let bob = server.member("bob").await;
    let letter = begin(&ann, json!({ "kind": "person", "to": bob.id })).await;
    let mut fields = draft(&letter, 0, "guess who wrote about marzipan");
    fields["signature"] = json!("none");
    assert_eq!(
        ann.act("letters.seal", fields.clone()).await.code(),
        "invalid"
    );
    let settings = json!({
        "space": ann.space, "tide": "yes", "unsigned": "yes", "pen_names": "yes",
        "min_hours": "1", "max_hours": "2",
    });
    assert_eq!(
        bob.act("letters.configure", settings.clone()).await.code(),
        "forbidden"
    );
    ann.act("letters.configure", settings).await.done();
    ann.act("letters.seal", fields).await.done();
    let_tide_come(&mut server).await;
    let sheet = format!("/letters/{letter}");
    has(&bob, &sheet, "act-open").await;
    bob.act("letters.open", json!({ "letter": letter }))
        .await
        .done();
    let page = has(&bob, &sheet, "marzipan").await;
    let main = main_of(&page);
    assert!(
        main.contains("From Somebody") && !main.contains("annabel"),
        "{main}"
    );
    let list = bob.page(&format!("/spaces/{}/letters", bob.space)).await;
    assert!(!main_of(&list).contains("annabel"));
    // Nor does the form that reports it.
    let report = bob.page(&format!("/report/letter/{letter}")).await;
    let main = main_of(&report);
    assert!(
        main.contains("Somebody") && !main.contains("annabel"),
        "{main}"
    );
    // Whom one blocks oneself makes no difference: the answer would tell who wrote it.
    let block = json!({ "account": ann.id, "kind": "block" });
    bob.act("community.block", block).await.done();
    let answer = begin(&bob, json!({ "kind": "person", "reply_to": letter })).await;
    let desk = bob.page(&format!("/letters/{answer}/desk")).await;
    let main = main_of(&desk);
    assert!(
        main.contains("Somebody") && !main.contains("annabel"),
        "{main}"
    );
    // Found by its reader, but not by who wrote it.
    let search = async |query: &str| {
        let found = bob.act("search.find", json!({ "q": query })).await.done();
        found["found"].as_array().map_or(0, Vec::len)
    };
    eventually("the letter is found", async || {
        (search("marzipan").await == 1).then_some(())
    })
    .await;
    assert_eq!(search("from:annabel marzipan").await, 0);
}

#[tokio::test]
async fn future_letter_to_oneself_opens_on_its_day() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let letter = begin(&ann, json!({ "kind": "future", "to": ann.id })).await;
    let mut fields = draft(&letter, 0, "did you plant the fig?");
    for wrong in ["", "2020-01-01T10:00", "2099-01-01T10:00"] {
        fields["opens_at"] = json!(wrong);
        assert_eq!(
            ann.act("letters.seal", fields.clone()).await.code(),
            "invalid",
            "{wrong}"
        );
    }
    fields["opens_at"] = json!("2030-05-01T09:00");
    ann.act("letters.seal", fields).await.done();
    let sheet = format!("/letters/{letter}");
    let waits = has(&ann, &sheet, "It is sealed, and on its way").await;
    assert!(
        waits.contains("2030-05-01") && !waits.contains("fig?"),
        "{waits}"
    );
    let_tide_come(&mut server).await;
    has(&ann, &sheet, "act-open").await;
    ann.act("letters.open", json!({ "letter": letter }))
        .await
        .done();
    has(&ann, &sheet, "did you plant the fig?").await;
}

#[tokio::test]
async fn open_letter_hangs_in_plaza_until_taken_down() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, eve) = (server.member("bob").await, server.stranger("eve").await);
    let letter = begin(&bob, json!({ "kind": "open" })).await;
    let mut fields = draft(&letter, 0, "To all who water the gardenias");
    fields["signature"] = json!("pen");
    assert_eq!(
        bob.act("letters.seal", fields.clone()).await.code(),
        "invalid"
    );
    fields["pen_name"] = json!("Fern");
    bob.act("letters.seal", fields).await.done();
    let (plaza, sheet) = (
        format!("/spaces/{}/letters/plaza", ann.space),
        format!("/letters/{letter}"),
    );
    assert!(!ann.page(&plaza).await.contains("gardenias"));
    let_tide_come(&mut server).await;
    has(&ann, &plaza, "Fern").await;
    has(&ann, &sheet, "gardenias").await;
    assert_eq!(eve.get(&sheet).await.status, 404);
    assert_eq!(eve.get(&plaza).await.status, 404);
    let search = async |person: &Person| {
        let found = person
            .act("search.find", json!({ "q": "gardenias" }))
            .await
            .done();
        found["found"].as_array().map_or(0, Vec::len)
    };
    eventually("it is found", async || {
        (search(&ann).await == 1).then_some(())
    })
    .await;
    assert_eq!(search(&eve).await, 0);
    let report = ann.page(&format!("/report/letter/{letter}")).await;
    assert!(report.contains("gardenias"), "{report}");
    let hide = json!({ "letter": letter, "hide": "yes" });
    assert_eq!(
        eve.act("letters.hide", hide.clone()).await.code(),
        "not_found"
    );
    ann.act("letters.hide", hide).await.done();
    eventually("it is gone", async || {
        (ann.get(&sheet).await.status == 404).then_some(())
    })
    .await;
    has(&bob, &sheet, "took this letter down").await;
    eventually("nobody finds it", async || {
        (search(&ann).await == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn letters_of_account_are_in_its_copy_and_go_with_it() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let (sent, unopened) = (
        send(&bob, &ann, "from bob").await,
        send(&ann, &bob, "to bob").await,
    );
    begin(&bob, json!({ "kind": "open" })).await;
    let_tide_come(&mut server).await;
    has(&ann, &format!("/letters/{sent}"), "act-open").await;
    has(&bob, &format!("/letters/{unopened}"), "act-open").await;
    let data = copy_of(&bob).await;
    let letters = data["letters"].as_array().expect("letters").clone();
    assert_eq!(
        letters.len(),
        2,
        "what is not opened is not there: {letters:?}"
    );
    assert_eq!(letters[0]["body"], "from bob");
    delete(&bob, "delete").await.location();
    erased(&server).await;
    let gone = async || (ann.get(&format!("/letters/{sent}")).await.status == 404).then_some(());
    eventually("it is gone", gone).await;
    assert_eq!(ann.get(&format!("/letters/{unopened}")).await.status, 200);
}

#[tokio::test]
async fn earlier_text_of_draft_is_kept_and_restored() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let letter = begin(&ann, json!({ "kind": "open" })).await;
    for (revision, text) in ["first thoughts", "second thoughts"]
        .into_iter()
        .enumerate()
    {
        let revision = i64::try_from(revision).expect("a number");
        let saved = ann
            .act("letters.save", draft(&letter, revision, text))
            .await
            .done();
        assert_eq!(saved["revision"], revision + 1);
    }
    let desk = format!("/letters/{letter}/desk");
    has(&ann, &desk, "first thoughts").await;
    let restore = json!({ "letter": letter, "revision": 1 });
    ann.act("letters.restore", restore).await.done();
    let page = has(&ann, &desk, "second thoughts").await;
    let sheet = page.split("<textarea").nth(1).expect("the text");
    assert!(
        sheet
            .split("</textarea")
            .next()
            .expect("it")
            .contains("first"),
        "{sheet}"
    );
    let long = ann
        .act("letters.save", draft(&letter, 3, &"長".repeat(20_001)))
        .await;
    assert_eq!(long.code(), "invalid");
    let discard = [("letter", &*letter)];
    ann.form_from(&desk, "/act/letters.discard", &discard)
        .await
        .location();
    let is_gone = async || (ann.get(&desk).await.status == 404).then_some(());
    eventually("the draft is gone", is_gone).await;
}

#[tokio::test]
async fn museum_shows_what_both_give_and_not_a_moment_longer() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bobby").await, server.member("cem").await);
    let letter = send(&bob, &cem, "what the tide brought").await;
    let give = async |person: &Person, give: &str, named: &str| {
        let fields = json!({ "letter": letter, "give": give, "named": named });
        person.act("letters.give", fields).await
    };
    assert_eq!(
        give(&bob, "yes", "").await.code(),
        "conflict",
        "nobody opened it"
    );
    let_tide_come(&mut server).await;
    has(&cem, &format!("/letters/{letter}"), "act-open").await;
    cem.act("letters.open", json!({ "letter": letter }))
        .await
        .done();
    let museum = format!("/spaces/{}/letters/museum", ann.space);
    let hang = json!({ "letter": letter, "decision": "hang" });
    give(&cem, "yes", "").await.done();
    assert_eq!(
        ann.act("letters.curate", hang.clone()).await.code(),
        "conflict"
    );
    assert_eq!(give(&ann, "yes", "").await.code(), "not_found");
    has(
        &bob,
        &format!("/letters/{letter}/journey"),
        "only if you give it",
    )
    .await;
    give(&bob, "yes", "yes").await.done();
    assert_eq!(
        cem.act("letters.curate", hang.clone()).await.code(),
        "forbidden"
    );
    assert!(!main_of(&cem.page(&museum).await).contains("tide brought"));
    has(&ann, &museum, "Given, to be hung").await;
    ann.act("letters.curate", hang.clone()).await.done();
    let shown = main_of(&has(&cem, &museum, "tide brought").await);
    assert!(
        shown.contains("bobby") && !shown.contains(">cem<"),
        "{shown}"
    );
    // Taken back by one of the two: it is gone, and does not come back by itself.
    give(&cem, "no", "").await.done();
    eventually("it is gone", async || {
        (!ann.page(&museum).await.contains("tide brought")).then_some(())
    })
    .await;
    give(&cem, "yes", "").await.done();
    has(&ann, &museum, "Given, to be hung").await;
    assert!(!main_of(&cem.page(&museum).await).contains("tide brought"));

    // Hung again, in an exhibition that has opened; readers leave hearts and notes.
    ann.act("letters.curate", hang).await.done();
    let opens = [
        ("space", &*ann.space),
        ("title", "海の手紙"),
        ("about", "What water carries"),
        ("opens", "2026-01-01"),
        ("closes", "2090-01-01"),
    ];
    let opened = ann
        .form_from(&museum, "/act/letters.set-exhibition", &opens)
        .await;
    let exhibition = opened.location().to_owned();
    let id = exhibition.split('=').nth(1).expect("an id");
    let by_cem = json!({ "letter": letter, "exhibition": id });
    assert_eq!(
        cem.act("letters.place-exhibit", by_cem.clone())
            .await
            .code(),
        "forbidden"
    );
    ann.act("letters.place-exhibit", by_cem).await.done();
    has(&cem, &exhibition, "tide brought").await;
    let exhibit = format!("/letters/{letter}/exhibit");
    let mut socket = ann.following(&format!("space/{}/museum", ann.space)).await;
    for _ in 0..2 {
        let heart = [("letter", &*letter), ("heart", "yes")];
        cem.form_from(&exhibit, "/act/letters.heart", &heart)
            .await
            .location();
    }
    socket.event("letters.museum.changed").await;
    has(&ann, &exhibit, "1 heart<").await;
    let note = json!({ "letter": letter, "body": "I know that beach.", "key": "one" });
    for _ in 0..2 {
        cem.act("letters.note", note.clone()).await.done();
    }
    let page = main_of(&has(&ann, &exhibit, "know that beach").await);
    assert_eq!(page.matches("know that beach").count(), 1);
    let (_, report) = page
        .split_once("href=\"/report/museum-note/")
        .expect("a link");
    let note = report.split('"').next().expect("an id").to_owned();
    let report = ann.page(&format!("/report/museum-note/{note}")).await;
    assert!(report.contains("know that beach"), "{report}");
    let dee = server.member("dee").await;
    let remove = json!({ "note": note });
    assert_eq!(
        dee.act("letters.remove-note", remove.clone()).await.code(),
        "forbidden"
    );
    ann.act("letters.remove-note", remove).await.done();
    // Taken back: gone everywhere, with what was left beside it.
    give(&bob, "no", "").await.done();
    for path in [&exhibit, &exhibition, &museum] {
        eventually("it is gone", async || {
            (!dee.get(path).await.body.contains("tide brought")).then_some(())
        })
        .await;
    }
    let heart = json!({ "letter": letter, "heart": "yes" });
    assert_eq!(dee.act("letters.heart", heart).await.code(), "not_found");
    // One that has not opened hides what hangs in it.
    give(&bob, "yes", "").await.done();
    let hang = json!({ "letter": letter, "decision": "hang" });
    ann.act("letters.curate", hang).await.done();
    let later = json!({
        "space": ann.space, "exhibition": id, "title": "later", "opens": "2089-01-01",
        "closes": "2090-01-01",
    });
    ann.act("letters.set-exhibition", later).await.done();
    let place = json!({ "letter": letter, "exhibition": id });
    ann.act("letters.place-exhibit", place).await.done();
    eventually("it is hidden", async || {
        (dee.get(&exhibition).await.status == 404).then_some(())
    })
    .await;
    assert_eq!(dee.get(&exhibit).await.status, 404);
    has(&ann, &exhibition, "tide brought").await;

    // What a banned member wrote leaves the pages that show it.
    let mut socket = ann.following(&format!("space/{}/museum", ann.space)).await;
    socket.drain().await;
    let ban = json!({ "space": ann.space, "account": bob.id, "delete_hours": "24" });
    ann.act("community.ban", ban).await.done();
    socket.event("letters.museum.changed").await;
    assert!(!main_of(&ann.page(&exhibition).await).contains("tide brought"));
}
