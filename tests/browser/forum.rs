//! Forum rooms in the browser: a post is made by mouse, seen live by others, and answered beside the
//! list.

use serde_json::json;

use super::driver::acquire_browsers;
use super::session::{Browser, Kind};
use super::two_people;
use crate::support::{Person, TestServer};

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

async fn new_forum(person: &Person) -> String {
    let fields = json!({ "space": person.space, "name": "agora", "kind": "forum" });
    let made = person.act("community.create-room", fields).await.done();
    let forum = made["room"].as_str().expect("a room").to_owned();
    let fields = json!({ "room": forum, "tags": "help\n🌊 海" });
    person.act("chat.set-tags", fields).await.done();
    forum
}

#[tokio::test]
async fn post_is_made_seen_live_and_answered_in_the_pane() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let (page, other) = (&people.ann_browser, &people.bob_browser);
    let forum = new_forum(&people.ann).await;
    let path = format!("/rooms/{forum}");
    tokio::join!(page.go(&path), other.go(&path));
    other.wait_visible(".empty").await;
    other.wait_live().await;
    page.click(".new-post > summary").await;
    page.type_into("#f-title", "كيف نزرع الطماطم؟").await;
    page.type_into("#f-body", "霜の対策は？").await;
    page.click(".new-post input[name=tags]").await;
    page.click(".new-post .buttons .btn").await;
    page.wait_text(".top h1", "كيف نزرع الطماطم؟").await;
    page.wait_text(".log.root .body", "霜の対策は？").await;
    // The other window lists it, and has read the room by that.
    other.wait_text(".post .name", "كيف نزرع الطماطم؟").await;
    assert_eq!(other.count(".empty").await, 0);
    other
        .wait_until(&format!("!document.querySelector('#unread-{forum} > i')"))
        .await;
    other.click(".post .name").await;
    other.wait_visible(PANE).await;
    let in_pane = format!("{PANE} textarea[name=body]");
    other.type_into(&in_pane, &format!("ใช่{ENTER}")).await;
    page.wait_message("ใช่").await;
    other
        .wait_until("document.querySelector('.post')?.textContent.includes('1 reply')")
        .await;
    other.click(&in_pane).await;
    other.type_into(&in_pane, ESCAPE).await;
    other
        .wait_until(&format!("!document.querySelector('{PANE}')"))
        .await;
    other
        .wait_until("document.activeElement?.matches('.post .name')")
        .await;
    // By keyboard.
    other.type_into(".post .name", ENTER).await;
    other.wait_visible(PANE).await;
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}

#[tokio::test]
async fn forum_fits_a_phone() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let forum = new_forum(&ann).await;
    let fields = json!({ "room": forum, "title": "पाला".repeat(25), "body": "x".repeat(300),
        "key": "forum-on-a-phone" });
    ann.act("chat.new-post", fields).await.done();
    let page = Browser::signed_in_as(PHONE, &ann, &server.base()).await;
    page.go(&format!("/rooms/{forum}")).await;
    page.click(".new-post > summary").await;
    page.wait_visible("#f-title").await;
    assert_eq!(
        page.js("document.documentElement.scrollWidth <= innerWidth")
            .await,
        json!(true)
    );
    page.click(".post .name").await;
    page.wait_visible(".log.root").await;
    assert_eq!(page.count(PANE).await, 0);
    page.click(".top .back").await;
    page.wait_visible(".post").await;
}
