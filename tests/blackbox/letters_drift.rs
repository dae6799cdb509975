//! Letters that drift, photographed pages, and what makes silence gentle.

use serde_json::json;

use super::files::pictures::png;
use super::letters::{begin, draft, has, let_tide_come, main_of, send};
use crate::support::{Person, TestServer, eventually};

async fn join(person: &Person, languages: &[&str], interests: &str) {
    let fields = json!({
        "space": person.space, "languages": languages, "interests": interests,
    });
    person.act("letters.join-drift", fields).await.done();
}

/// Begins a letter that drifts. Gives its id.
async fn begin_drift(person: &Person) -> String {
    begin(person, json!({ "kind": "person", "way": "drift" })).await
}

#[tokio::test]
async fn drifting_letter_finds_reader_and_names_nobody_until_answered() {
    let mut server = TestServer::start().await;
    let ann = server.owner("annabel").await;
    let (bob, cem) = (server.member("bobby").await, server.member("cemal").await);
    let drift = format!("/spaces/{}/letters/drift", ann.space);
    let begins = json!({ "space": ann.space, "kind": "person", "way": "drift" });
    let refused = ann.act("letters.write", begins.clone()).await;
    assert_eq!(refused.code(), "conflict", "who takes none sends none");
    let fields = [
        ("space", &*ann.space),
        ("languages", "en"),
        ("languages", "de"),
        ("interests", "Night trains, 茶"),
    ];
    let joined = ann
        .form_from(&drift, "/act/letters.join-drift", &fields)
        .await;
    assert_eq!(joined.location(), drift);
    let page = has(&ann, &drift, "night trains, 茶").await;
    assert!(page.contains("0 of 2 on their way"), "{page}");
    join(&bob, &["en"], "chess, 茶").await;
    join(&cem, &["ja"], "茶").await;

    let letter = begin_drift(&ann).await;
    let text = "Whoever finds this: the plums are ripe.";
    ann.act("letters.seal", draft(&letter, 0, text))
        .await
        .done();
    // Two at first; one that is taken back makes room.
    let second = begin_drift(&ann).await;
    ann.act("letters.seal", draft(&second, 0, "another"))
        .await
        .done();
    let third = begin_drift(&ann).await;
    let full = ann.act("letters.seal", draft(&third, 0, "a third")).await;
    assert_eq!(full.code(), "conflict");
    let second = json!({ "letter": second });
    let not_theirs = ann.act("letters.drift-on", second.clone()).await;
    assert_eq!(not_theirs.code(), "not_found");
    ann.act("letters.recall", second).await.done();

    // Found by who shares a language and an interest; neither learns who the other one is.
    let_tide_come(&mut server).await;
    let (inbox, sheet) = (
        format!("/spaces/{}/letters", ann.space),
        format!("/letters/{letter}"),
    );
    let list = main_of(&has(&bob, &inbox, "Somebody").await);
    assert!(!list.contains("annabel"), "{list}");
    assert_eq!(cem.get(&sheet).await.status, 404);
    bob.act("letters.open", json!({ "letter": letter }))
        .await
        .done();
    let found = main_of(&has(&bob, &sheet, "plums are ripe").await);
    assert!(found.contains("act-drift-on") && !found.contains("annabel"));
    let book = main_of(&bob.page(&format!("{inbox}/new")).await);
    assert!(!book.contains("annabel"), "{book}");
    let mine = main_of(&has(&ann, &sheet, "The tide found somebody").await);
    assert!(mine.contains("Whom the tide finds") && !mine.contains("bobby"));

    // Let drift on: it is gone there, and finds somebody else.
    let fields = [("letter", &*letter), ("ask", "drift-on")];
    let asked = bob
        .form_from(&sheet, "/act/letters.drift-on", &fields)
        .await;
    assert!(asked.body.contains("Somebody else finds it"));
    bob.form_from(&sheet, "/act/letters.drift-on", &fields[..1])
        .await
        .location();
    eventually("it drifted on", async || {
        (bob.get(&sheet).await.status == 404).then_some(())
    })
    .await;
    let dee = server.member("deidre").await;
    join(&dee, &["de", "fr"], "night trains").await;
    let_tide_come(&mut server).await;
    has(&dee, &sheet, "act-open").await;
    assert_eq!(bob.get(&sheet).await.status, 404, "not twice");
    dee.act("letters.open", json!({ "letter": letter }))
        .await
        .done();
    let answer = begin(&dee, json!({ "kind": "person", "reply_to": letter })).await;
    let desk = main_of(&dee.page(&format!("/letters/{answer}/desk")).await);
    assert!(!desk.contains("annabel"), "{desk}");
    dee.act(
        "letters.seal",
        draft(&answer, 0, "I found it, on a night train."),
    )
    .await
    .done();
    // From now on it is a correspondence like any other.
    has(&dee, &sheet, "From annabel").await;
    let_tide_come(&mut server).await;
    let back = has(&ann, &format!("/letters/{answer}"), "act-open").await;
    assert!(back.contains("From deidre"), "{back}");
    has(&ann, &drift, "of 3 on their way").await;
}

#[tokio::test]
async fn drifting_letter_waits_and_expires_while_server_is_down() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    join(&ann, &["en"], "").await;
    let letter = begin_drift(&ann).await;
    ann.act("letters.seal", draft(&letter, 0, "is anybody there?"))
        .await
        .done();
    let_tide_come(&mut server).await;
    let sheet = format!("/letters/{letter}");
    has(&ann, &sheet, "The tide took it").await;
    // Blocked, so never found.
    join(&bob, &["en"], "").await;
    ann.act("community.block", json!({ "account": bob.id }))
        .await
        .done();
    server.stop().await;
    for change in [
        "UPDATE letters SET arrives_at = 1, sealed_at = 1",
        "UPDATE jobs SET run_at = 1",
    ] {
        server.change_rows(change).await;
    }
    server.start_again().await;
    has(&ann, &sheet, "Waited too long").await;
    assert_eq!(bob.get(&sheet).await.status, 404);
    let drift = format!("/spaces/{}/letters/drift", ann.space);
    has(&ann, &drift, "0 of 2 on their way").await;
}

#[tokio::test]
async fn photographed_pages_are_read_with_letter_and_go_with_it() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let letter = begin(&ann, json!({ "kind": "person", "to": bob.id })).await;
    let desk = format!("/letters/{letter}/desk");
    let (first, second) = (png(60, 80), png(90, 120));
    let files = [("one.png", &first[..]), ("two.png", &second[..])];
    let form = [("letter", &*letter)];
    let added = ann
        .form_with_files("/act/letters.add-page", &desk, &form, &files)
        .await;
    assert_eq!(added.location(), desk);
    let of_page = |page: &str| {
        let parts = page.split("src=\"/files/").skip(1);
        let ids = parts.map(|rest| rest.split('/').next().expect("an id").to_owned());
        ids.collect::<Vec<_>>()
    };
    let pages = eventually("both are prepared", async || {
        let pages = of_page(&ann.page(&desk).await);
        (pages.len() == 2).then_some(pages)
    })
    .await;
    let others = bob
        .form_with_files("/act/letters.add-page", "/", &form, &files)
        .await;
    assert_ne!(others.status, 303, "not theirs");
    let up = [("letter", &*letter), ("page", &*pages[1]), ("step", "up")];
    ann.form_from(&desk, "/act/letters.arrange-page", &up)
        .await
        .location();
    eventually("they are in order", async || {
        let now = of_page(&ann.page(&desk).await);
        (now == [pages[1].clone(), pages[0].clone()]).then_some(())
    })
    .await;
    ann.act("letters.seal", draft(&letter, 0, "")).await.done();
    let up = json!({ "letter": letter, "page": pages[0], "step": "up" });
    assert_eq!(ann.act("letters.arrange-page", up).await.code(), "conflict");

    let file = format!("/files/{}/page", pages[0]);
    assert_eq!(ann.fetch(&file).await.status, 200);
    assert_eq!(bob.fetch(&file).await.status, 404);
    let_tide_come(&mut server).await;
    let sheet = format!("/letters/{letter}");
    let sealed = has(&bob, &sheet, "act-open").await;
    assert!(of_page(&sealed).is_empty(), "it is not opened");
    assert_eq!(bob.fetch(&file).await.status, 404);
    bob.act("letters.open", json!({ "letter": letter }))
        .await
        .done();
    let read = has(&bob, &sheet, "/files/").await;
    assert_eq!(of_page(&read), [pages[1].clone(), pages[0].clone()]);
    assert_eq!(bob.fetch(&file).await.status, 200);
    assert_eq!(cem.fetch(&file).await.status, 404);

    // A draft is thrown away with its photographs.
    let other = begin(&ann, json!({ "kind": "open" })).await;
    let desk = format!("/letters/{other}/desk");
    let form = [("letter", &*other)];
    ann.form_with_files("/act/letters.add-page", &desk, &form, &files[..1])
        .await
        .location();
    let page = eventually("it is prepared", async || {
        of_page(&ann.page(&desk).await).pop()
    })
    .await;
    ann.act("letters.discard", json!({ "letter": other }))
        .await
        .done();
    eventually("it is erased", async || {
        let file = format!("/files/{page}/page");
        (ann.fetch(&file).await.status == 404).then_some(())
    })
    .await;
}

#[tokio::test]
async fn silence_is_asked_about_once_and_last_letter_ends_it() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let lists = format!("/spaces/{}/letters", bob.space);
    let away = [
        ("space", &*bob.space),
        ("from", "2020-01-01"),
        ("until", "2020-01-02"),
        ("note", "Up in the hills"),
    ];
    let past = bob.form_from(&lists, "/act/letters.away", &away).await;
    assert!(past.body.contains("Choose two days"), "{}", past.body);
    let fields = json!({
        "space": bob.space, "from": "2026-01-01", "until": tomorrow(), "note": "Up in the hills",
    });
    bob.act("letters.away", fields).await.done();
    let letter = begin(&ann, json!({ "kind": "person", "to": bob.id })).await;
    let desk = has(&ann, &format!("/letters/{letter}/desk"), "Up in the hills").await;
    assert!(desk.contains("Away from"), "{desk}");
    ann.act("letters.seal", draft(&letter, 0, "How are the hills?"))
        .await
        .done();
    let_tide_come(&mut server).await;
    let sheet = format!("/letters/{letter}");
    has(&bob, &sheet, "act-open").await;
    let asks = json!({ "letter": letter });
    assert_eq!(
        ann.act("letters.ask-here", asks.clone()).await.code(),
        "conflict"
    );
    server.stop().await;
    server
        .change_rows("UPDATE letters SET delivered_at = 1")
        .await;
    server.start_again().await;
    has(&ann, &sheet, "act-ask-here").await;
    ann.act("letters.ask-here", asks.clone()).await.done();
    ann.act("letters.ask-here", asks).await.done();
    has(&bob, "/inbox", "asks whether you are still here").await;
    has(&bob, &sheet, "act-here").await;
    let answer = [("letter", &*letter), ("answer", "here")];
    let by_ann = json!({ "letter": letter, "answer": "rest" });
    assert_eq!(
        ann.act("letters.answer-here", by_ann).await.code(),
        "not_found"
    );
    bob.form_from(&sheet, "/act/letters.answer-here", &answer)
        .await
        .location();
    has(&ann, &sheet, "still here, and they will write").await;

    // A last letter, after which neither answers.
    bob.act("letters.open", json!({ "letter": letter }))
        .await
        .done();
    let last = begin(&bob, json!({ "kind": "person", "reply_to": letter })).await;
    let mut fields = draft(&last, 0, "It was good to write with you.");
    fields["closes"] = json!("yes");
    bob.act("letters.seal", fields).await.done();
    let_tide_come(&mut server).await;
    let end = format!("/letters/{last}");
    has(&ann, &end, "act-open").await;
    ann.act("letters.open", json!({ "letter": last }))
        .await
        .done();
    let closed = has(&ann, &end, "the correspondence ends").await;
    assert!(!closed.contains("act-answer"), "{closed}");
    for (person, answered) in [(&ann, &last), (&bob, &letter)] {
        let fields = json!({ "space": ann.space, "kind": "person", "reply_to": answered });
        assert_eq!(person.act("letters.write", fields).await.code(), "conflict");
    }

    // Taken down by moderators, and brought back by a button.
    let hide = json!({ "letter": last, "hide": "yes" });
    ann.act("letters.hide", hide).await.done();
    let hidden = format!("{lists}/hidden");
    assert_eq!(bob.get(&hidden).await.status, 403);
    let page = main_of(&has(&ann, &hidden, "Letter of bob").await);
    assert!(!page.contains("good to write"), "{page}");
    let shows = [("letter", &*last), ("hide", "no")];
    let shown = ann.form_from(&hidden, "/act/letters.hide", &shows).await;
    assert_eq!(shown.location(), hidden);
    has(&ann, &end, "good to write with you").await;
    send(&ann, &bob, "a new one may begin").await;
}

/// The day after this one, UTC.
fn tomorrow() -> String {
    let at = time::OffsetDateTime::now_utc() + time::Duration::days(1);
    format!("{}-{:02}-{:02}", at.year(), u8::from(at.month()), at.day())
}

#[tokio::test]
async fn two_letters_of_one_pair_meet_once() {
    let mut server = TestServer::start().await;
    let ann = server.owner("annabel").await;
    let bob = server.member("bobby").await;
    for person in [&ann, &bob] {
        join(person, &["en"], "").await;
    }
    let mut letters = Vec::new();
    for person in [&ann, &bob, &ann, &bob] {
        let letter = begin_drift(person).await;
        let fields = draft(&letter, 0, "to whom it may concern");
        person.act("letters.seal", fields).await.done();
        letters.push(letter);
    }
    // All four look for somebody at once, and there is nobody but the other one.
    let_tide_come(&mut server).await;
    let lists = |person: &Person| format!("/spaces/{}/letters", person.space);
    let found = eventually("one of them finds somebody", async || {
        let (of_ann, of_bob) = (ann.page(&lists(&ann)).await, bob.page(&lists(&bob)).await);
        let unread =
            [of_ann, of_bob].map(|page| main_of(&page).matches("class=\"unread\"").count());
        (unread != [0, 0]).then_some(unread)
    })
    .await;
    assert_eq!(found[0] + found[1], 1);
    // The others were looked at, too: they wait for the next time.
    for (person, letter) in [&ann, &bob, &ann, &bob].into_iter().zip(&letters) {
        let sheet = format!("/letters/{letter}");
        eventually("it was taken", async || {
            let page = person.page(&sheet).await;
            page.contains("The tide took it").then_some(())
        })
        .await;
    }
    if let Some(met) = server
        .database()
        .number("SELECT COUNT(*) FROM letter_meetings")
        .await
    {
        assert_eq!(met, 1);
    }
    server.assert_undamaged();
}
