//! Letters by hand: places, stickers that are printed before letters, couriers who scan them, and
//! the recipient who has the letter in the end.

use serde_json::{Value, json};

use super::letters::{begin, draft, has};
use crate::support::{Person, TestServer, eventually};

pub(super) async fn act(person: &Person, action: &str, fields: Value) -> Value {
    person
        .act(&format!("letters.{action}"), fields)
        .await
        .done()
}

pub(super) async fn refused(person: &Person, action: &str, fields: Value) -> String {
    person
        .act(&format!("letters.{action}"), fields)
        .await
        .code()
}

/// A space with a school `QR`, an area `QR07` and the doors of two people there.
pub(super) async fn with_places(ann: &Person, people: [(&Person, &str); 2]) {
    let space = &ann.space;
    let settings = json!({
        "space": space, "tide": "yes", "by_hand": "yes", "unsigned": "yes", "pen_names": "yes",
        "min_hours": "1", "max_hours": "2",
    });
    act(ann, "configure", settings).await;
    for (code, kind) in [("qr", "school"), ("QR07", "area"), ("QR08", "area")] {
        let place = json!({ "space": space, "code": code, "name": "東の家", "kind": kind });
        act(ann, "add-place", place).await;
    }
    for (person, pair) in people {
        let applies = json!({ "space": space, "area": "QR07", "name": "the 3rd door" });
        let place = act(person, "apply-place", applies).await["place"].clone();
        let decides = json!({ "place": place, "pair": pair, "approve": "yes" });
        if person.id != ann.id {
            let own = refused(person, "decide-place", decides.clone()).await;
            assert_eq!(own, "forbidden");
        }
        act(ann, "decide-place", decides).await;
    }
}

/// A letter, a draft and a sheet of stickers, with names of digits: all other words are the
/// program's.
pub(super) async fn pages(ann: &Person) -> [String; 3] {
    let space = &ann.space;
    let settings = json!({
        "space": space, "tide": "yes", "by_hand": "yes", "pen_names": "yes", "unsigned": "yes",
        "drift": "yes", "min_hours": "1", "max_hours": "2",
    });
    act(ann, "configure", settings).await;
    for (code, kind) in [("12", "school"), ("1234", "area"), ("123456", "box")] {
        let place = json!({ "space": space, "code": code, "name": "80", "kind": kind });
        act(ann, "add-place", place).await;
    }
    let letter = begin(ann, json!({ "kind": "open" })).await;
    act(ann, "seal", draft(&letter, 0, "81")).await;
    let unsent = begin(ann, json!({ "kind": "open" })).await;
    for (revision, text) in ["82", "83"].into_iter().enumerate() {
        let revision = i64::try_from(revision).expect("a number");
        act(ann, "save", draft(&unsent, revision, text)).await;
    }
    let sheet = act(ann, "print-sheet", json!({ "space": space })).await["sheet"].clone();
    [letter, unsent, sheet.as_str().expect("an id").to_owned()]
}

/// Makes a sheet of stickers. Gives their codes.
pub(super) async fn print_sheet(ann: &Person) -> Vec<String> {
    let sheet = act(ann, "print-sheet", json!({ "space": ann.space })).await["sheet"].clone();
    let page = format!("/letters/sheets/{}", sheet.as_str().expect("an id"));
    let page = has(ann, &page, "<svg").await;
    let codes = page.split("<b translate=\"no\">").skip(1);
    let codes = codes.map(|rest| rest.split('<').next().expect("a code").replace('-', ""));
    codes.collect()
}

#[tokio::test]
async fn letter_by_hand_goes_from_sticker_to_reader() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let (dee, eve) = (server.member("dee").await, server.stranger("eve").await);
    let space = ann.space.clone();
    with_places(&ann, [(&ann, "A1"), (&bob, "B2")]).await;

    // Stickers exist before letters; what one is good for depends on who looks.
    let codes = print_sheet(&ann).await;
    assert_eq!(codes.len(), 24);
    assert_eq!(
        refused(&bob, "print-sheet", json!({ "space": space })).await,
        "forbidden"
    );
    let sticker = format!("/l/{}", codes[0]);
    for person in [&eve, &server.visitor()] {
        let page = person.page(&sticker).await;
        assert!(
            page.contains("If you found it") && !page.contains("act/letters"),
            "{page}"
        );
    }
    assert_eq!(bob.get("/l/AAAAAAAA").await.status, 404);

    // Sealed, copied on paper, and bound once.
    let letter = begin(
        &ann,
        json!({ "kind": "person", "way": "hand", "to": bob.id }),
    )
    .await;
    act(&ann, "seal", draft(&letter, 0, "carried by friends")).await;
    let sheet = format!("/letters/{letter}");
    // The area; the door once a sticker is bound, which cannot be undone.
    let area = has(&ann, &sheet, "QR07").await;
    assert!(!area.contains("QR07B2"), "{area}");
    let choose = has(&ann, &sticker, "Which of your letters").await;
    assert!(choose.contains(&letter), "{choose}");
    let fields = [
        ("letter", &*letter),
        ("code", &*codes[0]),
        ("ask", "bind-sticker"),
    ];
    let asked = ann.form_from(&sticker, "/act/letters.bind", &fields).await;
    assert!(asked.body.contains("for ever"), "{}", asked.body);
    let bound = ann
        .form_from(&sticker, "/act/letters.bind", &fields[..2])
        .await;
    assert_eq!(bound.location(), sheet);
    has(&ann, &sheet, "QR07B2").await;
    act(&ann, "bind", json!({ "letter": letter, "code": codes[0] })).await;
    let other = begin(
        &ann,
        json!({ "kind": "person", "way": "hand", "to": bob.id }),
    )
    .await;
    act(&ann, "seal", draft(&other, 0, "another")).await;
    for code in [&codes[0], &"34679ACD".to_owned()] {
        let fields = json!({ "letter": other, "code": code });
        assert_eq!(refused(&ann, "bind", fields).await, "invalid");
    }

    // A carrier applies; each rank appoints the one below it in its branch.
    let applies = json!({ "space": space, "branch": "QR07", "about": "by bike" });
    act(&cem, "apply-courier", applies).await;
    let take = json!({ "letter": letter });
    assert_eq!(refused(&cem, "take", take.clone()).await, "not_found");
    let appoint = |account: &str, rank: &str, branch: &str| {
        let mut fields = json!({ "space": space, "account": account });
        fields["rank"] = json!(rank);
        fields["branch"] = json!(branch);
        fields
    };
    act(&ann, "appoint", appoint(&dee.id, "2", "QR07")).await;
    assert_eq!(
        refused(&cem, "appoint", appoint(&cem.id, "1", "QR07")).await,
        "forbidden"
    );
    assert_eq!(
        refused(&dee, "appoint", appoint(&cem.id, "1", "QR08")).await,
        "forbidden"
    );
    assert_eq!(
        refused(&dee, "appoint", appoint(&cem.id, "2", "QR07")).await,
        "forbidden"
    );
    act(&dee, "appoint", appoint(&cem.id, "1", "QR07")).await;

    // Taken, by a scan that comes twice; handed over, which both confirm.
    let round = format!("/spaces/{space}/letters/round");
    has(&cem, &round, "QR07B2").await;
    let page = has(&cem, &sticker, "act/letters.take").await;
    assert!(!page.contains("carried by friends"), "{page}");
    for _ in 0..2 {
        act(&cem, "take", take.clone()).await;
    }
    assert_eq!(refused(&dee, "take", take.clone()).await, "conflict");
    assert_eq!(refused(&ann, "recall", take.clone()).await, "conflict");
    assert_eq!(cem.get(&sheet).await.status, 404, "couriers do not read");
    let over = json!({ "letter": letter, "to": dee.id });
    for _ in 0..2 {
        act(&cem, "hand-over", over.clone()).await;
    }
    has(&dee, "/inbox", "wants to hand letters to you").await;
    for _ in 0..2 {
        act(&dee, "take", take.clone()).await;
    }
    assert_eq!(refused(&cem, "deliver", take.clone()).await, "conflict");

    // Nobody was there at first.
    assert_eq!(
        refused(&dee, "fail", json!({ "letter": letter, "reason": "lazy" })).await,
        "invalid"
    );
    act(
        &dee,
        "fail",
        json!({ "letter": letter, "reason": "absent" }),
    )
    .await;
    has(&ann, &sheet, "Nobody was there").await;
    let board = format!("/spaces/{space}/letters/board");
    has(&ann, &board, "To be decided").await;
    assert_eq!(bob.get(&board).await.status, 403);
    act(&dee, "retry", take.clone()).await;
    for _ in 0..2 {
        act(&dee, "deliver", take.clone()).await;
    }
    has(&bob, "/inbox", "A letter arrived for you").await;
    assert_eq!(bob.get(&sticker).await.location(), sheet);
    act(&bob, "open", take).await;
    has(&bob, &sheet, "carried by friends").await;
    let journey = has(&ann, &sheet, "Opened").await;
    assert!(
        journey.contains("Taken by cem") && journey.contains("Taken by dee"),
        "{journey}"
    );
    let count = format!("SELECT COUNT(*) FROM letter_journey WHERE letter_id = {letter}");
    if let Some(entries) = server.database().number(&count).await {
        // Seal, post, take, hand over, take, fail, retry, deliver, open.
        assert_eq!(entries, 9);
    }
}

#[tokio::test]
async fn private_codes_are_shown_to_few_and_look_ups_are_logged() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let space = ann.space.clone();
    with_places(&ann, [(&ann, "A1"), (&bob, "B2")]).await;
    let places = format!("/spaces/{space}/letters/places");
    let of_cem = cem.page(&places).await;
    assert!(
        of_cem.contains("QR07") && !of_cem.contains("the 3rd door"),
        "{of_cem}"
    );
    has(&bob, &places, "QR07B2").await;
    let of_ann = has(&ann, &places, "Look up").await;
    assert!(
        of_ann.contains("QR07··") && !of_ann.contains("QR07B2"),
        "{of_ann}"
    );
    let (_, link) = of_ann
        .split_once("href=\"/letters/places/")
        .expect("a link");
    let link = format!(
        "/letters/places/{}",
        link.split('"').next().expect("its end")
    );
    has(&ann, &link, "QR07B2").await;
    assert_eq!(cem.get(&link).await.status, 404);
    has(
        &ann,
        &format!("/spaces/{space}/audit"),
        "Looked up whose door",
    )
    .await;
    // A courier of another area learns no more.
    let carrier = json!({ "space": space, "account": cem.id, "rank": "1", "branch": "QR08" });
    act(&ann, "appoint", carrier).await;
    assert_eq!(cem.get(&link).await.status, 404);
    assert_eq!(bob.get(&link).await.status, 200);
    let taken = json!({ "space": space, "code": "QR07B2", "name": "x", "kind": "box" });
    assert_eq!(refused(&ann, "add-place", taken).await, "invalid");
    let below = json!({ "space": space, "code": "ZZ01", "name": "x", "kind": "area" });
    assert_eq!(refused(&ann, "add-place", below.clone()).await, "invalid");
    assert_eq!(refused(&bob, "add-place", below).await, "forbidden");
}

#[tokio::test]
async fn lost_letter_is_settled_by_organisers_alone() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    with_places(&ann, [(&ann, "A1"), (&bob, "B2")]).await;
    let codes = print_sheet(&ann).await;
    let letter = begin(
        &ann,
        json!({ "kind": "person", "way": "hand", "to": bob.id }),
    )
    .await;
    act(&ann, "seal", draft(&letter, 0, "gone astray")).await;
    act(&ann, "bind", json!({ "letter": letter, "code": codes[3] })).await;
    let carrier = json!({ "space": ann.space, "account": cem.id, "rank": "1", "branch": "QR07" });
    act(&ann, "appoint", carrier).await;
    act(&cem, "take", json!({ "letter": letter })).await;
    let ends = json!({ "space": ann.space, "account": cem.id, "rank": "0" });
    assert_eq!(
        refused(&ann, "appoint", ends.clone()).await,
        "conflict",
        "they still carry it"
    );
    server.stop().await;
    server.change_rows("UPDATE letters SET due_at = 1").await;
    server.start_again().await;
    let board = format!("/spaces/{}/letters/board", ann.space);
    has(&ann, &board, "Late").await;
    let settle = |step: &str| json!({ "letter": letter, "step": step });
    assert_eq!(refused(&cem, "settle", settle("lose")).await, "forbidden");
    assert_eq!(refused(&ann, "settle", settle("find")).await, "conflict");
    act(&ann, "settle", settle("lose")).await;
    has(&ann, "/inbox", "stopped on its way").await;
    act(&ann, "appoint", ends).await;
    // It turns up at its recipient's door.
    let sticker = format!("/l/{}", codes[3]);
    has(&bob, &sticker, "This letter is for you").await;
    let has_it = [("letter", &*letter), ("code", &*codes[3])];
    let received = bob
        .form_from(&sticker, "/act/letters.receive", &has_it)
        .await;
    assert_eq!(received.location(), format!("/letters/{letter}"));
    let arrived = async || {
        let page = bob.page(&format!("/letters/{letter}")).await;
        page.contains("act-open").then_some(())
    };
    eventually("it can be opened", arrived).await;
}

#[tokio::test]
async fn courier_returns_letter_and_who_leaves_has_no_post() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    with_places(&ann, [(&ann, "A1"), (&bob, "B2")]).await;
    let codes = print_sheet(&ann).await;
    let fields = json!({ "kind": "person", "way": "hand", "to": bob.id });
    let letter = begin(&ann, fields).await;
    act(&ann, "seal", draft(&letter, 0, "nobody home")).await;
    act(&ann, "bind", json!({ "letter": letter, "code": codes[1] })).await;
    let carrier = json!({ "space": ann.space, "account": cem.id, "rank": "1", "branch": "QR07" });
    act(&ann, "appoint", carrier).await;
    let this = json!({ "letter": letter });
    act(&cem, "take", this.clone()).await;
    let early = refused(&cem, "send-back", this.clone()).await;
    assert_eq!(early, "conflict", "it can be delivered still");
    act(&cem, "fail", json!({ "letter": letter, "reason": "moved" })).await;
    let sticker = format!("/l/{}", codes[1]);
    has(&cem, &sticker, "act-send-back").await;
    for _ in 0..2 {
        act(&cem, "send-back", this.clone()).await;
    }
    has(&ann, &format!("/letters/{letter}"), "Came back").await;

    // Who leaves the space carries nothing any more, also when they come back.
    let couriers = format!("/spaces/{}/letters/couriers", ann.space);
    has(&ann, &couriers, "QR07").await;
    let leaves = json!({ "space": cem.space, "account": cem.id });
    cem.act("community.remove-member", leaves).await.done();
    eventually("the post ended", async || {
        let page = ann.page(&couriers).await;
        page.contains("There are no couriers yet").then_some(())
    })
    .await;
}

#[tokio::test]
async fn scans_kept_by_phone_count_once_and_in_order() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    with_places(&ann, [(&ann, "A1"), (&bob, "B2")]).await;
    let codes = print_sheet(&ann).await;
    let fields = json!({ "kind": "person", "way": "hand", "to": bob.id });
    let letter = begin(&ann, fields).await;
    act(&ann, "seal", draft(&letter, 0, "by way of the hills")).await;
    act(&ann, "bind", json!({ "letter": letter, "code": codes[2] })).await;
    let carrier = json!({ "space": ann.space, "account": cem.id, "rank": "1", "branch": "QR07" });
    act(&ann, "appoint", carrier).await;
    let scan = |deed: &str, key: &str| json!({ "code": codes[2], "deed": deed, "key": key });
    assert_eq!(refused(&bob, "scan", scan("take", "b")).await, "not_found");
    assert_eq!(refused(&cem, "scan", scan("eat", "1")).await, "invalid");
    let early = refused(&cem, "scan", scan("deliver", "2")).await;
    assert_eq!(early, "conflict", "nobody took it yet");
    act(&cem, "scan", scan("take", "1")).await;
    act(&cem, "scan", scan("absent", "3")).await;
    act(&cem, "retry", json!({ "letter": letter })).await;
    // What comes again is not done again: the letter stays with its courier.
    for (deed, key) in [("take", "1"), ("absent", "3")] {
        act(&cem, "scan", scan(deed, key)).await;
    }
    let round = format!("/spaces/{}/letters/round", ann.space);
    let code = [("code", &*codes[2]), ("deed", "deliver")];
    let noted = cem.form_from(&round, "/act/letters.scan", &code).await;
    assert_eq!(noted.location(), round);
    has(&bob, "/inbox", "A letter arrived for you").await;
    let count = format!("SELECT COUNT(*) FROM letter_journey WHERE letter_id = {letter}");
    if let Some(entries) = server.database().number(&count).await {
        // Seal, post, take, fail, retry, deliver.
        assert_eq!(entries, 6);
    }

    // Points: once for each deed, no more in a day than the space says, and never spent twice.
    let page = format!("/spaces/{}/letters/points", ann.space);
    has(&cem, &page, "You have 5 points").await;
    has(&ann, &page, "You have 2 points").await;
    let buy = json!({ "space": ann.space, "item": "fern" });
    assert_eq!(refused(&cem, "buy", buy.clone()).await, "conflict");
    let rules = json!({
        "space": ann.space, "written": "1000", "delivered": "0", "carried": "0", "hung": "0",
        "daily": "40",
    });
    assert_eq!(
        refused(&cem, "set-points", rules.clone()).await,
        "forbidden"
    );
    act(&ann, "set-points", rules).await;
    let fields = json!({ "kind": "person", "way": "hand", "to": bob.id });
    let letter = begin(&ann, fields).await;
    let mut stamped = draft(&letter, 0, "with a stamp");
    stamped["stamp"] = json!("fern");
    assert_eq!(refused(&ann, "save", stamped.clone()).await, "invalid");
    act(&ann, "seal", draft(&letter, 0, "a second one")).await;
    act(&ann, "bind", json!({ "letter": letter, "code": codes[4] })).await;
    let this = json!({ "letter": letter });
    act(&cem, "take", this.clone()).await;
    for _ in 0..2 {
        act(&cem, "deliver", this.clone()).await;
    }
    has(&ann, &page, "You have 40 points").await;
    has(&cem, &page, "You have 5 points").await;
    let tries = futures_util::future::join_all((0..4).map(|_| {
        let buy = buy.clone();
        let ann = &ann;
        async move { ann.act("letters.buy", buy).await.status }
    }));
    let bought = tries
        .await
        .into_iter()
        .filter(|status| *status == 200)
        .count();
    assert_eq!(bought, 1, "it is bought once");
    has(&ann, &page, "You have 15 points").await;
    let fields = json!({ "kind": "person", "way": "hand", "to": bob.id });
    stamped["letter"] = json!(begin(&ann, fields).await);
    act(&ann, "seal", stamped.clone()).await;
    let sheet = format!("/letters/{}", stamped["letter"].as_str().expect("an id"));
    has(&ann, &sheet, "stamp-fern").await;
}

/// The QR codes of a page as the texts that they hold: each is drawn and then read.
fn read_codes(page: &str) -> Vec<String> {
    let drawings = page.split("<svg").filter(|part| part.contains(" d=\""));
    let paths = drawings.filter_map(|part| part.split(" d=\"").nth(1)?.split('"').next());
    paths.filter_map(read_code).collect()
}

/// Draws a path of squares, such as `M4 4h4v4H4V4`, and reads the code that they are.
fn read_code(path: &str) -> Option<String> {
    const SIDE: usize = 400;
    let mut dots = vec![255_u8; SIDE * SIDE];
    for square in path.split('M').skip(1) {
        let numbers = square.split(|c: char| !c.is_ascii_digit());
        let numbers: Vec<usize> = numbers.filter_map(|one| one.parse().ok()).collect();
        let [x, y, width, height] = *numbers.get(..4)? else {
            return None;
        };
        for row in y..y + height {
            dots[row * SIDE + x..row * SIDE + x + width].fill(0);
        }
    }
    let mut image =
        rqrr::PreparedImage::prepare_from_greyscale(SIDE, SIDE, |x, y| dots[y * SIDE + x]);
    let grids = image.detect_grids();
    Some(grids.first()?.decode().ok()?.1)
}

#[tokio::test]
async fn printed_codes_lead_to_stickers_of_their_sheet() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    with_places(&ann, [(&ann, "A1"), (&ann, "B2")]).await;
    let sheet = act(&ann, "print-sheet", json!({ "space": ann.space })).await["sheet"].clone();
    let page = format!("/letters/sheets/{}", sheet.as_str().expect("an id"));
    let page = has(&ann, &page, "<svg").await;
    let codes = page.split("<b translate=\"no\">").skip(1);
    let codes = codes.map(|rest| rest.split('<').next().expect("a code").replace('-', ""));
    let links: Vec<String> = codes
        .map(|code| format!("{}/l/{code}", server.base()))
        .collect();
    assert_eq!(links.len(), 24);
    assert_eq!(read_codes(&page), links);
}

/// Letters of the space in which lists are timed.
const MANY: i64 = 100_000;

#[tokio::test]
#[ignore = "adds 100,000 letters; for a release build"]
async fn lists_of_100000_letters_answer_within_20_ms() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    with_places(&ann, [(&ann, "A1"), (&bob, "B2")]).await;
    let director = json!({ "space": ann.space, "account": ann.id, "rank": "4" });
    act(&ann, "appoint", director).await;
    let (ann_id, bob_id, cem_id, space) = (&ann.id, &bob.id, &cem.id, &ann.space);
    server.stop().await;
    // One in ten is to ann by tide; one in ten is on its way by hand; the others are read.
    let add = format!(
        "INSERT INTO letters (id, space_id, author_id, recipient_id, recipient_name, client_key, \
         kind, way, state, paper, signature, body, thread_id, created_at, sealed_at, \
         delivered_at, place_id, due_at) \
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY}) \
         SELECT i, {space}, {bob_id}, CASE WHEN i % 10 = 0 THEN {ann_id} ELSE {cem_id} END, '', \
         'many-' || i, 'person', CASE WHEN i % 10 = 1 THEN 'hand' ELSE 'tide' END, \
         CASE WHEN i % 10 = 1 THEN 'posted' WHEN i % 100 = 0 THEN 'delivered' ELSE 'read' END, \
         'plain', 'own', 'text', i, i, i, \
         CASE WHEN i % 10 = 1 THEN NULL ELSE i END, \
         CASE WHEN i % 10 = 1 THEN (SELECT MIN(id) FROM letter_places \
         WHERE resident_id = {bob_id}) ELSE NULL END, i FROM n"
    );
    server.change_rows(&add).await;
    server.start_again().await;
    let lists = format!("/spaces/{space}/letters");
    for path in ["", "/sent", "/plaza", "/museum", "/board", "/round"] {
        let path = format!("{lists}{path}");
        let mut times = Vec::new();
        for _ in 0..15 {
            let start = std::time::Instant::now();
            assert_eq!(ann.get(&path).await.status, 200);
            times.push(start.elapsed());
        }
        times.sort();
        println!("{path}: {:?}", times[7]);
        assert!(times[7].as_millis() < 20, "{path}: {times:?}");
    }
}
