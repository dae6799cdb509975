//! Notices in the browser: the number in every window, the inbox, what one window reads the other
//! drops, and the settings of a device.

use super::driver::acquire_browsers;
use super::session::Browser;
use super::two_people;

const NUMBER: &str = "#mentions-inbox";

#[tokio::test]
async fn number_and_inbox_are_live_in_two_windows() {
    let _browsers = acquire_browsers(3).await;
    let people = two_people::start(&[]).await;
    let (ann, page) = (&people.ann, &people.bob_browser);
    let other = Browser::signed_in(&people.bob, &people.server.base()).await;
    let garden = ann.create_room("garden").await;
    other.go("/inbox").await;
    other.wait_live().await;
    other.wait_text("#inbox h2", "Nothing here yet").await;
    ann.post(&garden, "@Bob 霜が降りた").await;
    for window in [page, &other] {
        window.wait_text(NUMBER, "1").await;
    }
    page.wait_until("document.title === '(1) general · Tidepool'")
        .await;
    other
        .wait_until("document.title === '(1) Inbox · Tidepool'")
        .await;
    other
        .wait_text("#inbox .unread .text", "@Bob 霜が降りた")
        .await;
    page.wait_until("document.querySelector('link[rel=icon]').href.includes('favicon-unread')")
        .await;
    // A conversation counts, too; the inbox opens where it is, and reading it is told everywhere.
    let conversation = ann.direct(&[&people.bob]).await;
    ann.post(&conversation, "مرحبا").await;
    for window in [page, &other] {
        window.wait_text(NUMBER, "2").await;
    }
    page.click("#room-link-inbox").await;
    page.wait_text("#inbox .unread:first-child .text", "مرحبا")
        .await;
    page.click("#inbox .unread:first-child > a").await;
    page.wait_message("مرحبا").await;
    for window in [page, &other] {
        window.wait_text(NUMBER, "1").await;
    }
    other
        .wait_until("document.querySelectorAll('#inbox .unread').length === 1")
        .await;
    // By a button, and all at once.
    other.click("#inbox .unread button").await;
    for window in [page, &other] {
        window
            .wait_until(&format!(
                "document.querySelector('{NUMBER}').textContent === ''"
            ))
            .await;
    }
    page.wait_until("!document.title.startsWith('(')").await;
    people.ann_browser.close().await;
    people.bob_browser.close().await;
    other.close().await;
}

#[tokio::test]
async fn muted_room_marks_nothing() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let (ann, page) = (&people.ann, &people.bob_browser);
    let (garden, shed) = (
        ann.create_room("garden").await,
        ann.create_room("shed").await,
    );
    page.go(&format!("/rooms/{garden}")).await;
    page.click(".top .tools a[href$='/notices']").await;
    page.wait_visible("input[value=nothing]").await;
    page.click("input[value=nothing]").await;
    page.click("form.form button").await;
    page.wait_visible(&format!("#room-link-{garden}[data-muted]"))
        .await;
    page.go("/inbox").await;
    page.wait_live().await;
    ann.post(&garden, "the frost came").await;
    page.wait_visible(&format!("#room-link-{garden} .unread > i"))
        .await;
    page.wait_until("document.title === 'Inbox · Tidepool'")
        .await;
    ann.post(&shed, "the rake is gone").await;
    page.wait_until("document.title === '• Inbox · Tidepool'")
        .await;
    let weight = |room: &str| {
        format!("Number(getComputedStyle(document.getElementById('room-link-{room}')).fontWeight)")
    };
    page.wait_until(&format!("{} < {}", weight(&garden), weight(&shed)))
        .await;
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}

#[tokio::test]
async fn device_notifies_and_sounds_once_it_is_asked_to() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let (ann, page) = (&people.ann, &people.bob_browser);
    // Instead of the desktop: the browser of the tests has none.
    let fake = "window.told = []; window.Notification = class extends EventTarget {
        static permission = 'default';
        static async requestPermission() { return Notification.permission = 'granted'; }
        constructor(title, { body }) {
            super();
            told.push(title + ': ' + body);
            window.last = this;
        }
        close() { told.push('closed'); this.dispatchEvent(new Event('close')); }
    }; window.AudioContext = class { constructor() { told.push('sound'); throw new Error(); } }";
    let run = |script: &str| format!("(() => {{ {script}; return true; }})()");
    page.go("/account/notices").await;
    page.wait_live().await;
    page.wait_visible("[data-do=desktop-on]").await;
    page.js(&run(fake)).await;
    // Nothing is shown before it is asked for.
    ann.post("general", "@Bob one").await;
    page.wait_text(NUMBER, "1").await;
    page.click("[data-do=desktop-on]").await;
    page.wait_visible("[data-do=desktop-off]").await;
    ann.post("general", "@Bob two").await;
    page.wait_until("told.includes('Ann mentioned you: @Bob two')")
        .await;
    page.wait_until("!told.some((text) => text.includes('@Bob one')) && !told.includes('sound')")
        .await;
    // It closes when it was read elsewhere.
    let read = ann.history("general").await;
    let last = &read.last().expect("a message").id;
    let fields = serde_json::json!({ "room": ann.room("general"), "message": last });
    people.bob.act("chat.read", fields).await.done();
    page.wait_until("told.includes('closed')").await;
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}
