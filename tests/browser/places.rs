//! Finding back: the rooms beside a direct conversation, the place in a log, the newest messages,
//! the caret, and links that lead away.

use super::driver::acquire_browsers;
use super::session::{Browser, Kind};
use super::two_people;
use crate::support::TestServer;

const PLAIN: Kind = Kind {
    host: None,
    without_scripts: true,
    language: None,
    phone: false,
    without_udp: false,
};

#[tokio::test]
async fn direct_conversation_keeps_rooms_with_live_marks() {
    let _browsers = acquire_browsers(3).await;
    let people = two_people::start(&[]).await;
    let (ann, bob_browser) = (&people.ann, &people.bob_browser);
    let garden = ann.create_room("garden").await;
    let direct = people.bob.direct(&[ann]).await;
    bob_browser
        .wait_visible(&format!("#room-link-{direct}"))
        .await;
    bob_browser.click(&format!("#room-link-{direct}")).await;
    bob_browser.wait_text("main h1", "Ann").await;
    bob_browser
        .wait_text(".side > header h2", "Glasshouse")
        .await;
    ann.post("garden", "the frost came").await;
    bob_browser
        .wait_visible(&format!("#room-link-{garden}:has(.unread > i)"))
        .await;
    bob_browser.click(&format!("#room-link-{garden}")).await;
    bob_browser.wait_message("the frost came").await;
    bob_browser
        .wait_until(&format!(
            "!document.querySelector('#room-link-{garden}:has(.unread > i)')"
        ))
        .await;

    // The space that was visited last is the one that stays, also without scripts.
    let stranger = people.server.stranger("Cem").await;
    let page = Browser::signed_in_as(PLAIN, ann, &people.server.base()).await;
    page.go(&format!("/spaces/{}", stranger.space)).await;
    page.go(&format!("/rooms/{direct}")).await;
    page.wait_text(".side > header h2", "Elsewhere").await;
    page.go(&format!("/rooms/{garden}")).await;
    for path in [
        format!("/rooms/{direct}"),
        "/account".into(),
        "/direct".into(),
    ] {
        page.go(&path).await;
        page.wait_text(".side > header h2", "Glasshouse").await;
        page.wait_visible(&format!("#room-link-{garden}")).await;
    }
    page.close().await;
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}

#[tokio::test]
async fn back_returns_to_place_in_log() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::with(&[("TIDEPOOL_WRITES_PER_10_SECONDS", "100000")]).await;
    let ann = server.owner("Ann").await;
    let bob = server.member("Bob").await;
    let garden = ann.create_room("garden").await;
    for number in 1..=160 {
        ann.post("general", &format!("message {number}")).await;
    }
    let general = ann.room("general");
    let page = Browser::signed_in(&bob, &server.base()).await;
    page.open_room(&general).await;
    page.scroll_up_to(140).await;
    page.js("(document.querySelector('.scroller').scrollTop = 500, true)")
        .await;
    // Loading earlier messages has settled.
    page.wait_until("!document.querySelector('.htmx-request')")
        .await;
    let (id, offset) = page.first_visible_message().await;
    assert!(
        page.js("document.querySelector('.pill-new').checkVisibility()")
            .await
            == true,
        "a pill leads to the newest"
    );
    let is_back = format!(
        "(() => {{ const one = document.getElementById('{id}'); if (!one) return false; \
         const at = one.getBoundingClientRect().top - \
         document.querySelector('.scroller').getBoundingClientRect().top; \
         return Math.abs(at - {offset}) < 3 && \
         document.querySelector('.scroller').style.visibility === ''; }})()"
    );
    // Within the page, and after another page was loaded.
    page.click(&format!("#room-link-{garden}")).await;
    page.wait_text("main h1", "garden").await;
    page.js("history.back()").await;
    page.wait_text("main h1", "general").await;
    page.wait_until(&is_back).await;
    page.go("/health/live").await;
    page.client.back().await.expect("there is a page before");
    page.wait_live().await;
    page.wait_until(&is_back).await;

    // The pill leads to the newest, which is where Back finds the reader then.
    page.click(".pill-new").await;
    page.wait_message("message 160").await;
    page.wait_hidden(".pill-new").await;
    page.click(&format!("#room-link-{garden}")).await;
    page.wait_text("main h1", "garden").await;
    page.js("history.back()").await;
    page.wait_message("message 160").await;
    page.wait_hidden(".pill-new").await;
    // The page that is no HTML names no icon.
    page.close_expecting(|entry| entry.contains("favicon.ico"))
        .await;
}

#[tokio::test]
async fn pill_leads_from_history_to_newest() {
    let _browsers = acquire_browsers(2).await;
    let server = TestServer::with(&[("TIDEPOOL_WRITES_PER_10_SECONDS", "100000")]).await;
    let ann = server.owner("Ann").await;
    let mut posted = Vec::new();
    for number in 1..=120 {
        posted.push(ann.post("general", &format!("message {number}")).await);
    }
    let general = ann.room("general");
    let page = Browser::signed_in(&ann, &server.base()).await;
    let old = &posted[9].id;
    for path in [
        format!("/messages/{old}"),
        format!("/rooms/{general}?before={old}"),
    ] {
        page.go(&path).await;
        page.wait_live().await;
        page.wait_text(".pill-new", "Newest").await;
        page.click(".pill-new").await;
        page.wait_message("message 120").await;
        page.wait_hidden(".pill-new").await;
    }
    page.close().await;
    let plain = Browser::signed_in_as(PLAIN, &ann, &server.base()).await;
    plain.go(&format!("/messages/{old}")).await;
    plain.click(".pill-new").await;
    plain.wait_text(".msg .body", "message 120").await;
    plain.wait_hidden(".pill-new").await;
    plain.close().await;
}

#[tokio::test]
async fn chosen_room_has_caret_in_composer() {
    let _browsers = acquire_browsers(2).await;
    let (server, ann) = TestServer::start_with_owner().await;
    let garden = ann.create_room("garden").await;
    let page = Browser::signed_in(&ann, &server.base()).await;
    page.open_room(&ann.room("general")).await;
    page.click(&format!("#room-link-{garden}")).await;
    page.wait_until(&format!("document.activeElement.id === 'body-{garden}'"))
        .await;
    page.close().await;
    let phone = Kind {
        phone: true,
        ..Kind::default()
    };
    let phone = Browser::signed_in_as(phone, &ann, &server.base()).await;
    phone.go(&format!("/spaces/{}", ann.space)).await;
    phone.click(&format!("#room-link-{garden}")).await;
    phone.wait_text("main h1", "garden").await;
    phone
        .wait_until("!document.querySelector('.compose .tools').hidden")
        .await;
    phone.js("new Promise((done) => setTimeout(done))").await;
    assert_ne!(
        phone.js("document.activeElement.localName").await,
        "textarea"
    );
    phone.close().await;
}

#[tokio::test]
async fn outside_links_open_in_their_own_tab() {
    let _browsers = acquire_browsers(2).await;
    let (server, ann) = TestServer::start_with_owner().await;
    let base = server.base();
    let about = format!("rules: https://example.com/rules, or {base}/find");
    let garden = ann.create_room("garden").about(&about).await;
    ann.post(
        &garden,
        &format!("https://example.com/a and {base}/account"),
    )
    .await;
    for kind in [PLAIN, Kind::default()] {
        let page = Browser::signed_in_as(kind, &ann, &base).await;
        page.go(&format!("/rooms/{garden}")).await;
        for place in [".msg .body", ".top .topic"] {
            let outside = format!("{place} a[href^='https://example.com/']");
            page.wait_visible(&outside).await;
            let attributes = page
                .js(&format!(
                    "(({{ target, rel }}) => [target, rel.includes('noopener noreferrer')])\
                     (document.querySelector(\"{outside}\"))"
                ))
                .await;
            assert_eq!(attributes, serde_json::json!(["_blank", true]), "{place}");
            let own = format!("{place} a[href^='{base}/']");
            assert_eq!(
                page.js(&format!("document.querySelector(\"{own}\").target"))
                    .await,
                "",
                "{place}"
            );
        }
        page.close().await;
    }
}
