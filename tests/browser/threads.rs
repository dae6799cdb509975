//! Threads in the browser: in the pane beside their room, live, with a composer of their own.

use serde_json::json;

use super::driver::acquire_browsers;
use super::session::{Browser, Kind};
use super::two_people;
use crate::support::TestServer;

const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const PHONE: Kind = Kind {
    without_scripts: false,
    language: None,
    phone: true,
    host: None,
    without_udp: false,
};
const PANE: &str = "#app > .pane.thread";

/// Waits until a composer has the focus.
async fn wait_focused(page: &Browser, css: &str) {
    let script = format!("document.activeElement?.matches({})", json!(css));
    page.wait_until(&script).await;
}

#[tokio::test]
async fn thread_in_the_pane_is_begun_answered_and_closed() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let (page, other) = (&people.ann_browser, &people.bob_browser);
    let general = people.ann.room("general");
    let room_field = format!("#body-{general}");
    page.send_message("今晚有霜吗？").await;
    page.wait_message("今晚有霜吗？").await;
    other.wait_message("今晚有霜吗？").await;
    page.type_into(&room_field, "a draft for the room").await;
    let id = page.message("今晚有霜吗？").await;
    page.wait_until(&format!(
        "document.querySelector('#{id} [data-act=thread]').click() || true"
    ))
    .await;
    page.wait_visible(PANE).await;
    let in_pane = format!("{PANE} textarea[name=body]");
    wait_focused(page, &in_pane).await;
    page.wait_text(&format!("{PANE} .log.root .body"), "今晚有霜吗？")
        .await;
    assert_eq!(
        page.js("getComputedStyle(document.getElementById('people')).display")
            .await,
        "none"
    );
    page.type_into(&in_pane, &format!("ใช่ หนาวมาก{ENTER}"))
        .await;
    page.wait_text(
        &format!("{PANE} .region .msg:not([data-pending]) .body"),
        "ใช่ หนาวมาก",
    )
    .await;
    page.type_into(&in_pane, "a draft for the thread").await;
    // The other one sees the line live, and answers in the pane.
    other
        .wait_text(&format!("#{id} .thread-line span"), "1 reply")
        .await;
    other.click(&format!("#{id} .thread-line")).await;
    other
        .wait_text(&format!("{PANE} .region .msg .body"), "ใช่ หนาวมาก")
        .await;
    other.type_into(&in_pane, &format!("نعم، غدا{ENTER}")).await;
    page.wait_text(
        &format!("{PANE} .region .msg:nth-last-child(1) .body"),
        "نعم، غدا",
    )
    .await;
    page.wait_text(&format!("main #{id} .thread-line span"), "2 replies")
        .await;
    // What was said there is not in the room.
    assert_eq!(page.count("main .region .msg").await, 1);
    // The address shows the same when it is loaded again, with both drafts.
    page.reload().await;
    page.wait_visible(PANE).await;
    page.wait_until(&format!(
        "document.querySelector('{in_pane}').value === 'a draft for the thread' \
            && document.querySelector('{room_field}').value === 'a draft for the room'"
    ))
    .await;
    page.wait_live().await;
    // Esc closes it and leaves the room where it was.
    page.click(&in_pane).await;
    page.type_into(&in_pane, ESCAPE).await;
    page.wait_until(&format!("!document.querySelector('{PANE}')"))
        .await;
    page.wait_until(&format!(
        "location.pathname + location.search === '/rooms/{general}'"
    ))
    .await;
    assert_ne!(
        page.js("getComputedStyle(document.getElementById('people')).display")
            .await,
        "none"
    );
    // Closed by its button, it gives the focus back to the line.
    page.click(&format!("#{id} .thread-line")).await;
    wait_focused(page, &in_pane).await;
    page.click(&format!("{PANE} [data-close-thread]")).await;
    wait_focused(page, &format!("#{id} .thread-line")).await;
}

#[tokio::test]
async fn unread_thread_marks_its_link_and_no_room() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let bob = server.member("Bob").await;
    let garden = ann.create_room("garden").await;
    let root = ann.post("general", "who waters?").await;
    let page = Browser::signed_in(&ann, &server.base()).await;
    page.open_room(&garden).await;
    let begun = bob
        .act(
            "chat.thread",
            json!({ "message": root.id, "body": "I, @Ann" }),
        )
        .await;
    let thread = begun.done()["message"]["room"]
        .as_str()
        .expect("a room")
        .to_owned();
    page.wait_until("document.querySelector('#unread-threads > i')")
        .await;
    page.wait_text("#mentions-threads .pill", "1").await;
    page.wait_until("document.title.startsWith('(1) ')").await;
    let general = ann.room("general");
    assert_eq!(page.count(&format!("#unread-{general} > i")).await, 0);
    page.click("a.room[data-room=threads]").await;
    page.wait_visible(&format!("#unread-{thread} > i")).await;
    page.click(".threads a").await;
    page.wait_message("I, @Ann").await;
    page.wait_until("!document.querySelector('#unread-threads > i')")
        .await;
    page.wait_until("!document.title.startsWith('(')").await;
}

#[tokio::test]
async fn thread_is_a_page_of_its_own_on_a_phone() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let root = ann.post("general", "आज पाला पड़ेगा?").await;
    ann.act("chat.thread", json!({ "message": root.id, "body": "हाँ" }))
        .await
        .done();
    let page = Browser::signed_in_as(PHONE, &ann, &server.base()).await;
    page.open_room(&ann.room("general")).await;
    page.click(&format!("#t-{}", root.id)).await;
    page.wait_text(".log.root .body", "आज पाला पड़ेगा?").await;
    page.wait_message("हाँ").await;
    assert_eq!(page.count(PANE).await, 0);
    assert_eq!(
        page.js("document.documentElement.scrollWidth <= innerWidth")
            .await,
        json!(true)
    );
    page.click(".top .back").await;
    page.wait_until(&format!("document.getElementById('m-{}')", root.id))
        .await;
}
