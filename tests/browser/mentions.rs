//! Mentions in the browser: completion, marks in the log, numbers in sidebar and title, and the card
//! of a person.

use serde_json::json;

use super::driver::acquire_browsers;
use super::session::{Browser, Kind};
use super::two_people;
use crate::support::TestServer;

const UP: &str = "\u{e013}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
/// What is written by completion.
const TEXT: &str = "@王小明 @Zoë Lind 你好@Bob @Zoë Lind @x";

#[tokio::test]
async fn mention_is_completed_marked_counted_and_read() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let (ann, page, other) = (&people.ann, &people.ann_browser, &people.bob_browser);
    let garden = ann.create_room("garden").await;
    people.server.member("王小明").await;
    people.server.member("Zoë Lind").await;
    page.open_room(&garden).await;
    let field = format!("#body-{garden}");
    let list = ".compose .completion li";
    // Names of any script, and with spaces.
    for (typed, name) in [("@小", "王小明"), ("@lind", "Zoë Lind"), ("你好@bo", "Bob")] {
        page.type_into(&field, typed).await;
        page.wait_text(list, name).await;
        page.wait_until(&format!(
            "document.querySelector('{field}').getAttribute('aria-activedescendant')"
        ))
        .await;
        page.type_into(&field, ENTER).await;
        page.wait_until(&format!(
            "document.querySelector('{field}').value.endsWith('@{name} ')"
        ))
        .await;
    }
    // Enter that is faster than the answer takes what was typed, not what the list still shows.
    page.type_into(&field, "@").await;
    page.wait_visible(list).await;
    page.js(&format!(
        "(() => {{
            const field = document.querySelector('{field}');
            field.setRangeText('lind', field.selectionEnd, field.selectionEnd, 'end');
            field.dispatchEvent(new InputEvent('input', {{ bubbles: true }}));
            field.dispatchEvent(new KeyboardEvent('keydown',
                {{ key: 'Enter', bubbles: true, cancelable: true }}));
        }})()"
    ))
    .await;
    page.wait_until(&format!(
        "document.querySelector('{field}').value.endsWith('@Bob @Zoë Lind ')"
    ))
    .await;
    // Esc closes the list; nothing is taken.
    page.type_into(&field, "@").await;
    page.wait_visible(list).await;
    page.type_into(&field, &format!("{UP}{ESCAPE}")).await;
    page.wait_hidden(".compose .completion").await;
    page.type_into(&field, &format!("x{ENTER}")).await;
    page.wait_until("document.querySelectorAll('.log .mention').length === 4")
        .await;
    // One's own message mentions others: it is not marked.
    let wash =
        |id: &str| format!("getComputedStyle(document.getElementById('{id}')).backgroundColor");
    let id = page.message(TEXT).await;
    assert_eq!(page.js(&wash(&id)).await, json!("rgba(0, 0, 0, 0)"));
    // Bob is elsewhere.
    other
        .wait_text(&format!("#mentions-{garden} .mention"), "1")
        .await;
    other
        .wait_until("document.title === '(1) general · Tidepool'")
        .await;
    people
        .bob
        .act("community.set-presence", json!({ "presence": "busy" }))
        .await
        .done();
    other
        .wait_until("document.title === 'general · Tidepool'")
        .await;
    people
        .bob
        .act("community.set-presence", json!({ "presence": "automatic" }))
        .await
        .done();
    other
        .wait_until("document.title === '(1) general · Tidepool'")
        .await;
    other.click(&format!("#room-link-{garden}")).await;
    other.wait_message(TEXT).await;
    let id = other.message(TEXT).await;
    other
        .wait_until(&format!("{} !== 'rgba(0, 0, 0, 0)'", wash(&id)))
        .await;
    other
        .wait_until(&format!(
            "!document.querySelector('#mentions-{garden}').textContent.trim()"
        ))
        .await;
    other
        .wait_until("document.title === 'garden · Tidepool'")
        .await;
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}

#[tokio::test]
async fn mention_of_own_group_is_marked() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let (ann, bob, page) = (&people.ann, &people.bob, &people.bob_browser);
    let make = json!({ "space": ann.space, "name": "Owls", "open": "yes" });
    let group = ann.act("community.create-group", make).await.done()["group"].take();
    ann.post("general", "@owls wake up").await;
    page.wait_visible(".log .mention[data-group]").await;
    assert_eq!(page.count(".log .mention.mine").await, 0);
    let join = json!({ "space": ann.space, "group": group, "join": "yes" });
    bob.act("community.join-group", join).await.done();
    page.wait_visible(".log .mention.mine").await;
    ann.post("general", "@owls again").await;
    page.wait_until("document.querySelectorAll('.log .mention.mine').length === 2")
        .await;
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}

#[tokio::test]
async fn card_opens_over_name_and_gives_the_focus_back() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let (bob, page) = (&people.bob, &people.ann_browser);
    bob.post("general", "hello").await;
    let id = page.message("hello").await;
    let name = format!("#{id} .by");
    page.click(&name).await;
    page.wait_text("#profile-card .person-card", "@Bob").await;
    assert_eq!(page.path().await, format!("/rooms/{}", bob.room("general")));
    page.type_keys(ESCAPE).await;
    page.wait_hidden("#profile-card").await;
    page.wait_until(&format!("document.activeElement.matches('{name}')"))
        .await;
    // By keyboard, and in the list of people.
    page.type_keys(ENTER).await;
    page.wait_visible("#profile-card .person-card").await;
    page.click("#profile-card button[aria-label]").await;
    page.wait_hidden("#profile-card").await;
    page.click(&format!(
        "#people .person[data-account='{}'] .name a",
        bob.id
    ))
    .await;
    page.wait_text("#profile-card .person-card", "@Bob").await;
    // What is within leads on.
    page.click("#profile-card form[action='/act/community.open-direct'] .btn")
        .await;
    page.wait_text("main h1", "Bob").await;
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}

#[tokio::test]
async fn presence_is_chosen_in_the_menu_and_shown() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let (bob, page, other) = (&people.bob, &people.bob_browser, &people.ann_browser);
    let person = format!("#people .person[data-account='{}']", bob.id);
    other
        .wait_visible(&format!("{person}[data-state=here]"))
        .await;
    page.click(".side .me summary").await;
    page.click(".side .me button[value=busy]").await;
    other
        .wait_visible(&format!("{person}[data-state=busy]"))
        .await;
    page.wait_visible(".side .me[data-state=busy]").await;
    page.click(".side .me summary").await;
    page.click(".side .me button[value=invisible]").await;
    other
        .wait_visible(&format!("{person}[data-state=away]"))
        .await;
    let status = json!({ "emoji": "🌴", "text": "at sea" });
    bob.act("community.set-status", status).await.done();
    other
        .wait_text(&format!("{person} .status"), "🌴 at sea")
        .await;
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}

#[tokio::test]
async fn mentions_work_without_scripts() {
    const PLAIN: Kind = Kind {
        host: None,
        without_scripts: true,
        language: None,
        phone: false,
        without_udp: false,
    };
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    ann.post("general", "hello @bob").await;
    let page = Browser::signed_in_as(PLAIN, &bob, &server.base()).await;
    page.go("/mentions").await;
    page.click(".side .me summary").await;
    page.click(".side .me button[value=busy]").await;
    page.wait_for_path("/mentions").await;
    page.click(".listed .mention").await;
    page.wait_for_path(&format!("/people/{}", bob.id)).await;
    page.close().await;
}

impl Browser {
    /// Waits for another page: without scripts nothing in it can be asked.
    async fn wait_for_path(&self, path: &str) {
        let started = std::time::Instant::now();
        while self.path().await != path {
            assert!(started.elapsed().as_secs() < 60, "no page {path}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
}
