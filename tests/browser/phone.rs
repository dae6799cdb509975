//! A phone, and a keyboard alone.

use fantoccini::actions::{InputSource, KeyAction, KeyActions};

use super::driver::seats;
use super::person::{Browser, Kind};
use super::scene::two;
use crate::support::TestServer;

const PHONE: Kind = Kind {
    without_scripts: false,
    language: None,
    phone: true,
};

#[tokio::test]
async fn phone_shows_one_pane_without_overflow() {
    let _seats = seats(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    server
        .member("Bartholomew of the Long Name and Story")
        .await;
    let general = ann.room("general");
    ann.post(
        "general",
        &format!(
            "A {} word, and code:\n\n```rust\nlet tide = {};\n```\n\n| a | b |\n|---|---|\n| {} | d |",
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
        format!("/spaces/{space}/rooms/new"),
        format!("/rooms/{room}/settings"),
        "/account".into(),
        "/direct".into(),
        "/dead-letters".into(),
        "/jobs".into(),
    ];
    for page in &pages {
        phone.go(page).await;
        phone.sees("#app").await;
        assert_eq!(
            phone
                .js("document.documentElement.scrollWidth <= innerWidth")
                .await,
            true,
            "{page} is wider than the phone"
        );
        let small = phone
            .js("[...document.querySelectorAll('main .btn, .act, a.room, .rail a, main select, main input:not([type=hidden], [type=checkbox])')]
                .filter((one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !one.closest('.msg, #people-none'))
                .filter((one) => { const box = one.getBoundingClientRect(); return box.width > 2 && (box.height < 43.5 || box.width < 43.5); })
                .map((one) => one.outerHTML.slice(0, 120))")
            .await;
        assert_eq!(
            small,
            serde_json::json!([]),
            "too small for a thumb on {page}"
        );
    }
    phone.enters(room).await;
    assert_eq!(
        phone.js("document.querySelector('.side').checkVisibility() || document.querySelector('#people').checkVisibility()").await,
        false
    );
    phone.click("main .to-people").await;
    phone.reads("main .person .name", "Bartholomew").await;
    phone.click("main .back").await;
    phone.sees(".side a.room").await;
    phone.click(".side a.room").await;
    phone.sees(".compose textarea").await;
    phone.says("from a phone").await;
    phone.hears("from a phone").await;
    phone.leaves().await;
}

impl Browser {
    /// Presses a key with others held, wherever the focus is.
    async fn presses(&self, held: &[char], key: char) {
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
const ESCAPE: char = '\u{e00c}';
const ALT: char = '\u{e00a}';
const SHIFT: char = '\u{e008}';
const CONTROL: char = '\u{e009}';
const UP: char = '\u{e013}';
const DOWN: char = '\u{e015}';

#[tokio::test]
async fn keyboard_reaches_everything() {
    let _seats = seats(2).await;
    let scene = two(&[]).await;
    scene.ann.create_room("garden").await;
    let anns = &scene.anns;
    anns.reload().await;
    anns.live().await;
    // Every stop on the way to the composer can be seen.
    anns.js("(document.querySelector('.skip').focus(), true)")
        .await;
    // There and back: whether a script's own focus is shown differs between versions of Chromium.
    anns.presses(&[], TAB).await;
    anns.presses(&[SHIFT], TAB).await;
    for _ in 0..60 {
        if anns
            .js("document.activeElement.matches('.compose textarea')")
            .await
            == true
        {
            break;
        }
        let seen = anns
            .js("(() => { const style = getComputedStyle(document.activeElement);
                return document.activeElement === document.body || style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0; })()")
            .await;
        assert_eq!(
            seen,
            true,
            "the focus cannot be seen on {}",
            anns.js("document.activeElement.outerHTML.slice(0, 120)")
                .await
        );
        anns.presses(&[], TAB).await;
    }
    assert_eq!(
        anns.js("document.activeElement.matches('.compose textarea')")
            .await,
        true,
        "Tab leads to the composer"
    );
    anns.says("typed").await;
    anns.hears("typed").await;

    anns.presses(&[], UP).await;
    anns.sees("form.edit textarea:focus").await;
    anns.presses(&[], ESCAPE).await;
    anns.sees_no("form.edit").await;

    anns.presses(&[ALT], DOWN).await;
    anns.reads("main h1", "garden").await;
    anns.live().await;
    anns.presses(&[ALT], UP).await;
    anns.reads("main h1", "general").await;
    anns.presses(&[CONTROL], 'k').await;
    anns.sees("#goto[open]").await;
    anns.types("#goto input", "gard").await;
    anns.presses(&[], ENTER).await;
    anns.reads("main h1", "garden").await;
    anns.js("(document.activeElement.blur(), true)").await;
    anns.presses(&[], '?').await;
    anns.sees("#keys[open]").await;
    anns.presses(&[], ESCAPE).await;
    anns.sees_no("#keys[open]").await;
    scene.anns.leaves().await;
    scene.bobs.leaves().await;
}

#[tokio::test]
async fn first_tab_stop_is_skip_link() {
    let _seats = seats(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let page = Browser::signed_in(&ann, &server.base()).await;
    page.go("/account").await;
    // A key that comes before the window has the focus is lost.
    for _ in 0..20 {
        page.presses(&[], TAB).await;
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
    page.sees(".skip:focus").await;
    page.presses(&[], ENTER).await;
    page.until("location.hash === '#main'").await;
    page.leaves().await;
}
