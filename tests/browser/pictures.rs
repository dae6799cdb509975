//! The README's pictures, taken from a seeded server: `scripts/screenshots`. Not a test, so it only
//! runs when asked for.

use serde_json::json;

use super::driver::acquire_browsers;
use super::session::{Browser, Kind};
use crate::support::{Person, Sharer, TestServer};

/// Somebody's words, at a pace at which each begins a group of their own where they change.
async fn conversation(ann: &Person, jun: &Person, mara: &Person, sam: &Person) {
    mara.post(
        "general",
        "The frost came early. I moved the lemons inside, all but the big one by the east wall.",
    )
    .await;
    mara.post("general", "Could two people help carry it tomorrow?")
        .await;
    sam.post(
        "general",
        "I can, after nine. The night was worse than forecast, by the way:\n\n| \
        place | low |\n|---|---|\n| east wall | 1.4 °C |\n| north bench | 6.8 °C |",
    )
    .await;
    jun.post(
        "general",
        "Good morning :wave: I wrote the watering plan down. It is only:\n\n```sh\n\
        for bed in $(beds --dry); do\n  valve open \"$bed\" --minutes 4   # four is enough in \
        autumn\ndone\n```",
    )
    .await;
    ann.post(
        "general",
        "> Could two people help carry it\n\nI am in. *And* I still have the key of the tool \
            cupboard, it hangs **behind the door**.",
    )
    .await;
    jun.post("general", "Then tomorrow at nine it is. 🍋").await;
    sam.post("general", "🎉🎉").await;
}

/// Takes `docs/images/<name>.png`, in a colour scheme.
async fn picture(browser: &Browser, name: &str, scheme: &str) {
    let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }, { "name":
        "prefers-reduced-motion", "value": "reduce" }] });
    browser.devtools("Emulation.setEmulatedMedia", media).await;
    let folder = format!("{}/docs/images", env!("CARGO_MANIFEST_DIR"));
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    let png = browser.client.screenshot().await.expect("a picture");
    std::fs::write(format!("{folder}/{name}.png"), png).expect("it can be written");
}

/// Roles, given to some, and what a moderator did.
async fn space_is_run(ann: &Person, [jun, mara, sam]: &[&Person; 3]) {
    let space = &ann.space;
    let role = async |name: &str, color: &str, permissions: &[&str]| {
        let fields = json!({ "space": space, "name": name, "color": color,
            "permissions": permissions, "listed_apart": "yes" });
        ann.act("community.create-role", fields).await.done()["role"].clone()
    };
    let stewards = role("Stewards", "amber", &["community.invite", "chat.moderate"]).await;
    let gardeners = role("Gardeners", "moss", &["community.invite"]).await;
    for (person, role) in [(mara, &stewards), (jun, &gardeners), (sam, &gardeners)] {
        let fields = json!({ "space": space, "account": person.id, "role": role, "give": "yes" });
        ann.act("community.give-role", fields).await.done();
    }
    let time_out = json!({ "space": space, "account": sam.id, "minutes": "60",
        "reason": "Please let the others finish." });
    ann.act("community.time-out", time_out).await.done();
}

/// A picture and a note on a message, and another two in the tray.
async fn hand_over_files(browser: &Browser) {
    const SEA: &str = "(async () => { const canvas = \
        Object.assign(document.createElement('canvas'), { width: 1200, height: 640 }); \
        const pen = canvas.getContext('2d'); const sky = pen.createLinearGradient(0, 0, 0, 640); \
        [['#f6d7b0', 0], ['#e8b9a0', .4], ['#3f8f9b', .45], ['#0d3b4a', 1]].forEach(([c, at]) => \
        sky.addColorStop(at, c)); \
        pen.fillStyle = sky; pen.fillRect(0, 0, 1200, 640); pen.fillStyle = '#fff4dc'; \
        pen.beginPath(); pen.arc(840, 240, 52, 0, 7); pen.fill(); \
        pen.strokeStyle = '#ffffff55'; pen.lineWidth = 3; for (let y = 300; y < 640; y += 22) { \
        pen.beginPath(); \
        for (let x = 0; x <= 1200; x += 12) pen.lineTo(x, y + 5 * Math.sin(x / (18 + y / 12) + \
        y)); pen.stroke(); } \
        const blob = await new Promise((done) => canvas.toBlob(done, 'image/jpeg')); \
        window.hand = (...files) => { const data = new DataTransfer(); files.forEach((file) => \
        data.items.add(file)); \
        document.querySelector('.scroller').dispatchEvent(new DragEvent('drop', { dataTransfer: \
        data, bubbles: true, cancelable: true })); }; \
        window.sea = new File([blob], 'bay.jpg', { type: 'image/jpeg' }); return true; })()";
    browser.js(SEA).await;
    browser
        .js("(window.hand(window.sea, new File(['x'.repeat(4200)], 'watering plan.pdf')), true)")
        .await;
    browser
        .wait_until("document.querySelectorAll('.upload[data-state=ready]').length === 2")
        .await;
    browser
        .type_into(
            ".upload:first-child input",
            "The bay this morning, from the east wall",
        )
        .await;
    browser.send_message("Worth getting up for.").await;
    browser
        .wait_until("document.querySelector('.attachment.picture img')?.naturalWidth > 100")
        .await;
    let slow = json!({
        "offline": false, "latency": 0,
        "downloadThroughput": -1, "uploadThroughput": 3 << 20,
    });
    browser.devtools("Network.enable", json!({})).await;
    browser
        .devtools("Network.emulateNetworkConditions", slow)
        .await;
    browser
        .js("(window.hand(new File([new Uint8Array(30 << 20)], 'harvest.mp4'), window.sea), true)")
        .await;
    browser
        .wait_until(
            "document.querySelectorAll('.upload[data-state=ready]').length === 1 && \
                document.querySelector('.upload progress').value > 0.3",
        )
        .await;
}

/// A thread beside its room, what a search finds, and the inbox.
async fn found_again(browser: &Browser, ann: &Person, [jun, mara, sam]: &[&Person; 3]) {
    let root = mara
        .post("general", "What shall we do with the frost cloth?")
        .await;
    for (person, body) in [
        (jun, "Leave it on until the end of the week."),
        (
            sam,
            "The forecast says four more nights below three degrees.",
        ),
        (&ann, "Then it stays. I will weigh the corners down."),
        (mara, "There are bricks behind the shed, @Ann Okafor."),
    ] {
        let key = format!("picture-{}", body.len());
        let reply = json!({ "message": root.id, "body": body, "key": key });
        person.act("chat.thread", reply).await.done();
    }
    jun.post(
        "garden-plans",
        "@Ann Okafor, may the squash have the south bed?",
    )
    .await;
    browser.go(&format!("/rooms/{}", ann.room("general"))).await;
    let line = format!("#m-{} .thread-line", root.id);
    browser.wait_visible(&line).await;
    browser.click(&line).await;
    browser
        .wait_text(".thread .region .msg .body", "bricks")
        .await;
    picture(browser, "thread", "light").await;
    browser.go("/search?q=frost").await;
    // What was just written may not be in the index yet.
    browser
        .wait_until(
            "document.querySelectorAll('.results mark').length > 1 || \
                (setTimeout(() => location.reload(), 300), false)",
        )
        .await;
    picture(browser, "search", "light").await;
    browser.go("/inbox").await;
    browser.wait_text("main", "squash").await;
    picture(browser, "inbox", "light").await;
}

/// What is shared in the picture of a voice room, in place of a real screen.
const PLAN: &str = "(() => { const canvas = \
    Object.assign(document.createElement('canvas'), { width: 1280, height: 720 }); \
    const pen = canvas.getContext('2d'); const beds = [['beans', '#7fa650'], ['squash', '#d9a441'], \
    ['lemons', '#e3cf4b'], ['herbs', '#5b9279'], ['roses', '#c56b6b'], ['leeks', '#8aa399']]; \
    const draw = () => { pen.fillStyle = '#f4efe2'; pen.fillRect(0, 0, 1280, 720); \
    pen.fillStyle = '#2f3e3a'; pen.font = '600 44px sans-serif'; \
    pen.fillText('Beds for the spring', 60, 90); beds.forEach(([name, color], n) => { \
    const x = 60 + (n % 3) * 400, y = 140 + Math.floor(n / 3) * 280; pen.fillStyle = color; \
    pen.fillRect(x, y, 360, 240); pen.fillStyle = '#1d2624'; pen.font = '32px sans-serif'; \
    pen.fillText(name, x + 24, y + 56); }); }; draw(); setInterval(draw, 200); \
    navigator.mediaDevices.getDisplayMedia = async () => canvas.captureStream(5); })()";

/// Three talk, and one shares a screen.
async fn people_talk(
    server: &TestServer,
    browser: &Browser,
    ann: &Person,
    [jun, mara]: &[&Person; 2],
) {
    let room = json!({ "space": ann.space, "name": "Greenhouse", "kind": "voice" });
    let room = ann.act("community.create-room", room).await.done()["room"].clone();
    let room = room.as_str().expect("a room");
    let mut others = Vec::new();
    for person in [jun, mara] {
        let other = Browser::signed_in(person, &server.base()).await;
        other.join_voice(room).await;
        others.push(other);
    }
    browser.join_voice(room).await;
    mara.post(room, "The squash could go where the leeks were.")
        .await;
    others[0].js(PLAN).await;
    others[0].click("#voice-bar [data-do=share]").await;
    browser.wait_visible("#voice-bar .stage figure").await;
    browser
        .wait_until("document.querySelector('#voice-bar .stage video').videoWidth > 300")
        .await;
    others[1].click("#voice-bar [data-do=mute]").await;
    browser.wait_visible(".side [data-muted]").await;
    picture(browser, "voice", "light").await;
    browser.click("#voice-bar .stage figure").await;
    browser
        .wait_until("document.querySelector('#voice-bar .stage video').videoWidth > 1000")
        .await;
    picture(browser, "voice-share", "dark").await;
    browser.click("#voice-bar [data-do=leave]").await;
    for other in others {
        other.close().await;
    }
}

/// What a program on the sharer's machine writes.
const BUILD: &str = "\x1b[32;1mjun@shed\x1b[0m:\x1b[34;1m~/valves\x1b[0m$ cargo test\r\n\
    \x1b[32;1m   Compiling\x1b[0m valves v0.3.0 (/home/jun/valves)\r\n\
    \x1b[32;1m    Finished\x1b[0m `test` profile in 4.12s\r\n\
    \x1b[32;1m     Running\x1b[0m unittests src/lib.rs\r\n\r\nrunning 3 tests\r\n\
    test beds_are_watered_in_order ... \x1b[32mok\x1b[0m\r\n\
    test frost_closes_all_valves ... \x1b[32mok\x1b[0m\r\n\
    test four_minutes_are_enough_in_autumn ... \x1b[32mok\x1b[0m\r\n\r\n\
    test result: \x1b[32mok\x1b[0m. 3 passed; 0 failed; 0 ignored\r\n\r\n\
    \x1b[32;1mjun@shed\x1b[0m:\x1b[34;1m~/valves\x1b[0m$ ";

/// One shares a terminal, and lets another type.
async fn terminal_is_shared(
    server: &TestServer,
    browser: &Browser,
    ann: &Person,
    [jun, mara]: &[&Person; 2],
) {
    let room = ann.room("garden-plans");
    let token = jun.terminal_token().await;
    let shared = Sharer::begin(server, &token, Sharer::hello(&room)).await;
    let mut sharer = shared.expect("it is shared");
    sharer.write(BUILD).await;
    let path = format!("/rooms/{room}/terminals/{}", sharer.terminal);
    let watching = Browser::signed_in(mara, &server.base()).await;
    for one in [&watching, browser] {
        one.go(&path).await;
        one.wait_until("document.querySelector('.xterm-rows')?.textContent.includes('3 passed')")
            .await;
    }
    let role = json!({ "terminal": sharer.terminal, "account": ann.id, "role": "typist" });
    jun.act("terminals.set-role", role).await.done();
    browser.wait_text(".terminal-status", "You may type").await;
    picture(browser, "terminal", "light").await;
    watching.close().await;
    sharer.exit(0).await;
}

/// A letter by tide, which arrives and is opened.
async fn letter_arrives(server: &mut TestServer, browser: &Browser, ann: &Person, mara: &Person) {
    const TEXT: &str = "Dear Ann,\n\nthe lemons stand in the hall now, all eleven of them, and the \
        house smells as it did when we were children.\n\nI thought of you when I carried the last \
        one in. You said that a tree remembers who watered it. I did not believe it then.\n\n\
        Come and see them before the spring, and bring the book.\n\nYours,\nMara";
    let begun = json!({ "space": ann.space, "kind": "person", "to": ann.id });
    let begun = mara.act("letters.write", begun).await.done();
    let letter = begun["letter"].as_str().expect("an id");
    let sealed = json!({ "letter": letter, "revision": "0", "body": TEXT, "paper": "cream",
        "signature": "own", "pen_name": "" });
    mara.act("letters.seal", sealed).await.done();
    server.stop().await;
    for change in [
        "UPDATE letters SET departs_at = 1, arrives_at = 1 WHERE departs_at IS NOT NULL",
        "UPDATE jobs SET run_at = 1",
    ] {
        server.change_rows(change).await;
    }
    server.start_again().await;
    let sheet = format!("/letters/{letter}");
    crate::support::eventually("the letter arrives", async || {
        (ann.get(&sheet).await.status == 200).then_some(())
    })
    .await;
    ann.act("letters.open", json!({ "letter": letter }))
        .await
        .done();
    browser.go(&sheet).await;
    browser.wait_text("main", "the lemons stand").await;
    picture(browser, "letter", "light").await;
}

/// Members report what somebody new wrote, and the one who did appeals.
async fn reports_wait(server: &TestServer, members: &[&Person]) {
    let lou = server.member("Lou Deal").await;
    let spam = lou
        .post(
            "garden-plans",
            "Cheap seeds, cheap tools! Write to me, only today",
        )
        .await;
    let rude = lou
        .post("general", "Nobody here knows a thing about beans.")
        .await;
    let report = |message: &str, reason: &str, words: &str| json!({ "kind": "message", "thing": message, "reason": reason, "words": words });
    let [jun, mara, sam] = members else {
        panic!("three members");
    };
    for (person, fields) in [
        (sam, report(&rude.id, "harassment", "")),
        (jun, report(&spam.id, "spam", "The third time this week.")),
        (mara, report(&spam.id, "spam", "")),
    ] {
        person.act("moderation.report", fields).await.done();
    }
}

#[tokio::test]
#[ignore = "writes the README's pictures; run scripts/screenshots"]
async fn screenshots() {
    let _browsers = acquire_browsers(4).await;
    let mut server = TestServer::start().await;
    let visitor = Browser::open(&server.base()).await;
    visitor.go("/").await;
    visitor.wait_visible("[name=community]").await;
    picture(&visitor, "setup", "light").await;
    visitor.close().await;

    let ann = server.owner("Ann Okafor").await;
    let (jun, mara, sam) = (
        server.member("Jun Watanabe").await,
        server.member("Mara Lind").await,
        server.member("Sam Ode").await,
    );
    for name in ["garden-plans", "help"] {
        ann.create_room(name).await;
    }
    ann.create_room("stewards").private().with(&[&mara]).await;
    ann.direct(&[&mara]).await;
    ann.direct(&[&jun, &sam]).await;
    conversation(&ann, &jun, &mara, &sam).await;
    jun.post("garden-plans", "Beans left, squash right, as ever?")
        .await;
    let (_here, _idle) = (mara.html_socket().await, jun.html_socket().await);

    let browser = Browser::signed_in(&ann, &server.base()).await;
    browser.go(&format!("/rooms/{}", ann.room("general"))).await;
    browser.wait_visible(".compose").await;
    browser
        .wait_until("document.querySelectorAll('.person[data-state=away]').length === 1")
        .await;
    picture(&browser, "room", "light").await;
    picture(&browser, "dark", "dark").await;
    found_again(&browser, &ann, &[&jun, &mara, &sam]).await;
    browser.go(&format!("/rooms/{}", ann.room("general"))).await;
    hand_over_files(&browser).await;
    picture(&browser, "files", "light").await;
    people_talk(&server, &browser, &ann, &[&jun, &mara]).await;
    terminal_is_shared(&server, &browser, &ann, &[&jun, &mara]).await;
    letter_arrives(&mut server, &browser, &ann, &mara).await;
    browser.go(&format!("/rooms/{}", ann.room("general"))).await;
    ann.invite().await;
    browser.click(".side > header a").await;
    browser.wait_visible("nav.tabs").await;
    picture(&browser, "space", "light").await;
    space_is_run(&ann, &[&jun, &mara, &sam]).await;
    for (name, page) in [
        ("roles", "roles".to_owned()),
        ("member", format!("members/{}", sam.id)),
        ("audit", "audit".to_owned()),
    ] {
        browser.go(&format!("/spaces/{}/{page}", ann.space)).await;
        browser.wait_visible("nav.tabs").await;
        picture(&browser, name, "light").await;
    }
    reports_wait(&server, &[&jun, &mara, &sam]).await;
    browser.go(&format!("/spaces/{}/queue", ann.space)).await;
    browser.wait_text("#queue .rows", "2 reports").await;
    picture(&browser, "queue", "light").await;
    // The server was down while the letter travelled.
    browser.close_after_network_errors().await;

    let phone = Browser::signed_in_as(
        Kind {
            phone: true,
            ..Kind::default()
        },
        &ann,
        &server.base(),
    )
    .await;
    phone.go(&format!("/rooms/{}", ann.room("general"))).await;
    phone.wait_visible(".compose").await;
    picture(&phone, "phone", "light").await;
    phone.close().await;
}
