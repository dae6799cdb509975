//! A phone, and a keyboard alone.

use fantoccini::actions::{InputSource, KeyAction, KeyActions};

use super::driver::acquire_browsers;
use super::session::{Browser, Kind};
use super::two_people;
use crate::support::TestServer;

const PHONE: Kind = Kind {
    without_scripts: false,
    language: None,
    phone: true,
    host: None,
    without_udp: false,
};

#[tokio::test]
async fn phone_shows_one_pane_without_overflow() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    server
        .member("Bartholomew of the Long Name and Story")
        .await;
    let general = ann.room("general");
    ann.post(
        "general",
        &format!(
            "A {} word, and code:\n\n```rust\nlet tide = {};\n```\n\n| a | b |\n|---|---|\n| {} | \
                d |",
            "long".repeat(40),
            "1 + ".repeat(60),
            "wide".repeat(30)
        ),
    )
    .await;
    let phone = Browser::signed_in_as(PHONE, &ann, &server.base()).await;
    let (space, room) = (&ann.space, &general);
    let pages = [
        format!("/rooms/{room}"),
        format!("/spaces/{space}"),
        format!("/spaces/{space}/people"),
        format!("/spaces/{space}/settings"),
        format!("/spaces/{space}/invitations"),
        format!("/spaces/{space}/start"),
        format!("/spaces/{space}/joining"),
        format!("/spaces/{space}/applications"),
        format!("/spaces/{space}/rules-text"),
        format!("/spaces/{space}/welcome"),
        "/spaces".into(),
        "/registration".into(),
        format!("/spaces/{space}/rooms/new"),
        format!("/rooms/{room}/settings"),
        "/account".into(),
        "/direct".into(),
        "/find?q=a".into(),
        "/dead-letters".into(),
        "/jobs".into(),
    ];
    for page in &pages {
        phone.go(page).await;
        phone.wait_visible("#app").await;
        assert_eq!(
            phone
                .js("document.documentElement.scrollWidth <= innerWidth")
                .await,
            true,
            "{page} is wider than the phone"
        );
        let small = phone
            .js(
                "[...document.querySelectorAll('main .btn, .act, a.room, .rail a, main select, \
                main input:not([type=hidden], [type=checkbox], [type=radio])')]
                .filter((one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: \
                true }) && !one.closest('.msg, #people-none'))
                .filter((one) => { const box = one.getBoundingClientRect(); return box.width > 2 \
                && (box.height < 43.5 || box.width < 43.5); })
                .map((one) => one.outerHTML.slice(0, 120))",
            )
            .await;
        assert_eq!(
            small,
            serde_json::json!([]),
            "too small for a thumb on {page}"
        );
    }
    phone.open_room(room).await;
    assert_eq!(
        phone
            .js("document.querySelector('.side').checkVisibility() || \
            document.querySelector('#people').checkVisibility()")
            .await,
        false
    );
    phone.click("main .to-people").await;
    phone.wait_text("main .person .name", "Bartholomew").await;
    phone.click("main .back").await;
    phone.wait_visible(".side a.room[href^='/rooms/']").await;
    phone.click(".side a.room[href^='/rooms/']").await;
    phone.wait_visible(".compose textarea").await;
    phone.type_into(".compose textarea", "from a phone").await;
    phone.click(".compose .send").await;
    phone.wait_message("from a phone").await;

    // What a long press shows goes when something else is touched.
    phone
        .js(
            "document.querySelector('.log > .msg .body').dispatchEvent(new MouseEvent('contextmenu', \
            { bubbles: true, cancelable: true }))",
        )
        .await;
    phone.wait_visible(".msg.open .acts").await;
    phone.click(".compose textarea").await;
    phone.wait_hidden(".msg .acts").await;
    phone.close().await;
}

impl Browser {
    /// Presses a key with others held, wherever the focus is.
    async fn press(&self, held: &[char], key: char) {
        let mut keys = KeyActions::new("keys".to_owned());
        for value in held {
            keys = keys.then(KeyAction::Down { value: *value });
        }
        keys = keys
            .then(KeyAction::Down { value: key })
            .then(KeyAction::Up { value: key });
        for value in held {
            keys = keys.then(KeyAction::Up { value: *value });
        }
        self.client
            .perform_actions(keys)
            .await
            .expect("keys can be pressed");
    }
}

const TAB: char = '\u{e004}';
const ENTER: char = '\u{e007}';
const END: char = '\u{e010}';
const ESCAPE: char = '\u{e00c}';
const ALT: char = '\u{e00a}';
const SHIFT: char = '\u{e008}';
const CONTROL: char = '\u{e009}';
const UP: char = '\u{e013}';
const DOWN: char = '\u{e015}';

#[tokio::test]
async fn keyboard_reaches_everything() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    people.ann.create_room("garden").await;
    let ann_browser = &people.ann_browser;
    ann_browser.reload().await;
    ann_browser.wait_live().await;
    // Every stop on the way to the composer can be seen.
    ann_browser
        .js("(document.querySelector('.skip').focus(), true)")
        .await;
    // There and back: whether a script's own focus is shown differs between versions of Chromium.
    ann_browser.press(&[], TAB).await;
    ann_browser.press(&[SHIFT], TAB).await;
    for _ in 0..60 {
        if ann_browser
            .js("document.activeElement.matches('.compose textarea')")
            .await
            == true
        {
            break;
        }
        let seen = ann_browser
            .js(
                "(() => { const style = getComputedStyle(document.activeElement);
                return document.activeElement === document.body || style.outlineStyle !== 'none' \
                && parseFloat(style.outlineWidth) > 0; })()",
            )
            .await;
        assert_eq!(
            seen,
            true,
            "the focus cannot be seen on {}",
            ann_browser
                .js("document.activeElement.outerHTML.slice(0, 120)")
                .await
        );
        ann_browser.press(&[], TAB).await;
    }
    assert_eq!(
        ann_browser
            .js("document.activeElement.matches('.compose textarea')")
            .await,
        true,
        "Tab leads to the composer"
    );
    ann_browser.send_message("typed").await;
    ann_browser.wait_message("typed").await;

    ann_browser.press(&[], UP).await;
    ann_browser.wait_visible("form.edit textarea:focus").await;
    ann_browser.press(&[], ESCAPE).await;
    ann_browser.wait_hidden("form.edit").await;

    ann_browser.press(&[ALT], DOWN).await;
    ann_browser.wait_text("main h1", "garden").await;
    ann_browser.wait_live().await;
    ann_browser.press(&[ALT], UP).await;
    ann_browser.wait_text("main h1", "general").await;
    ann_browser.press(&[CONTROL], 'k').await;
    ann_browser.wait_visible("#goto[open]").await;
    ann_browser.type_into("#goto input", "gard").await;
    ann_browser.press(&[], ENTER).await;
    ann_browser.wait_text("main h1", "garden").await;
    ann_browser
        .js("(document.activeElement.blur(), true)")
        .await;
    ann_browser.press(&[], '?').await;
    ann_browser.wait_visible("#keys[open]").await;
    ann_browser.press(&[], ESCAPE).await;
    ann_browser.wait_hidden("#keys[open]").await;

    // A page that was swapped in is read from its content on, and the focus survives a deletion.
    ann_browser
        .js("(document.querySelector('.side > header a').focus(), true)")
        .await;
    ann_browser.press(&[], ENTER).await;
    ann_browser.wait_text("main h1", "Space settings").await;
    ann_browser
        .wait_until("document.activeElement.id === 'main'")
        .await;
    ann_browser
        .wait_until("document.getElementById('said').textContent.includes('Space settings')")
        .await;
    ann_browser.open_room(&people.ann.room("general")).await;
    ann_browser.wait_message("typed").await;
    ann_browser
        .js("(document.querySelector('.log > .msg .when').focus(), true)")
        .await;
    for _ in 0..10 {
        ann_browser.press(&[], TAB).await;
        let reached = ann_browser
            .js("document.activeElement.dataset.act === 'menu'")
            .await;
        if reached == true {
            break;
        }
    }
    ann_browser.press(&[], ENTER).await;
    ann_browser
        .wait_until("document.activeElement.closest('#message-menu')")
        .await;
    ann_browser.press(&[], END).await;
    ann_browser.press(&[], ENTER).await;
    ann_browser.wait_visible("#confirm[open]").await;
    ann_browser.click("#confirm .danger").await;
    ann_browser
        .wait_until("document.activeElement.matches('.msg[data-deleted] .when')")
        .await;
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}

#[tokio::test]
async fn first_tab_stop_is_skip_link() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let page = Browser::signed_in(&ann, &server.base()).await;
    page.go("/account").await;
    // A key that comes before the window has the focus is lost.
    for _ in 0..20 {
        page.press(&[], TAB).await;
        if page.js("document.activeElement !== document.body").await == true {
            break;
        }
    }
    let focused = page
        .js("document.activeElement.outerHTML.slice(0, 120)")
        .await;
    assert_eq!(
        page.js("document.activeElement.matches('.skip')").await,
        true,
        "{focused}"
    );
    page.wait_visible(".skip:focus").await;
    page.press(&[], ENTER).await;
    page.wait_until("location.hash === '#main'").await;
    page.close().await;
}
