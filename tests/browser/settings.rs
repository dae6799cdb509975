//! Settings: one page for the account and one for the space, told apart, with a way back.

use super::driver::acquire_browsers;
use super::session::Browser;
use super::two_people;
use crate::support::TestServer;

const PNG: &[u8] = include_bytes!("../../docs/images/phone.png");

#[tokio::test]
async fn settings_are_one_page_with_a_way_back() {
    let _browsers = acquire_browsers(1).await;
    let (server, ann) = TestServer::start_with_owner().await;
    let garden = ann.create_room("garden").await;
    let page = Browser::signed_in(&ann, &server.base()).await;
    page.open_room(&garden).await;
    // What looks alike has one name, and each name leads to one page.
    let links = page
        .js(
            "[...document.querySelectorAll('a:has(.icon)')].filter((one) => \
             one.checkVisibility() && !one.hash && \
             /settings|account/.test(one.pathname)).map((one) => \
             [one.ariaLabel, one.querySelector('use').getAttribute('href').split('#')[1]])",
        )
        .await;
    assert_eq!(
        links,
        serde_json::json!([
            ["Space settings", "sliders"],
            ["Settings", "cog"],
            ["Room settings", "pencil"]
        ])
    );
    page.click(".side .me > a").await;
    page.wait_text("main h1", "Settings").await;
    for section in ["profile", "picture", "appearance", "sessions"] {
        page.click(&format!(".sections a[href='#{section}']")).await;
        page.wait_until(&format!("location.hash === '#{section}'"))
            .await;
        page.wait_visible(&format!("#{section}")).await;
        // What scrolls is the column, and never the frame around it.
        let scrolled = page
            .js(
                "[document.documentElement.scrollTop, document.documentElement.scrollHeight \
                 - innerHeight]",
            )
            .await;
        assert_eq!(scrolled, serde_json::json!([0, 0]), "{section}");
    }
    assert_eq!(
        page.count("#picture .danger").await,
        0,
        "there is no picture"
    );
    page.click("option[value=dark]").await;
    page.click("form[action='/act/community.set-theme'] .btn")
        .await;
    page.wait_until("document.documentElement.dataset.theme === 'dark'")
        .await;
    page.click("[data-leave]").await;
    page.wait_text("main h1", "garden").await;

    let form = [("account", ann.id.as_str())];
    ann.form_with_files(
        "/act/community.set-portrait",
        "/account",
        &form,
        &[("me.png", PNG)],
    )
    .await;
    page.go("/account").await;
    page.wait_visible("#picture .danger").await;
    page.click(".side > header a").await;
    page.wait_text("main h1", "Space settings").await;
    assert_eq!(
        page.count("#picture .danger").await,
        0,
        "there is no emblem"
    );
    page.click("[data-leave]").await;
    page.wait_text("main h1", "garden").await;
    page.close().await;
}

#[tokio::test]
async fn typing_is_told_in_words() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let page = &people.ann_browser;
    let general = people.ann.room("general");
    let (cem, dee) = (
        people.server.member("Cem").await,
        people.server.member("Dee").await,
    );
    let fields = serde_json::json!({ "room": general });
    for (person, line) in [
        (&people.bob, "Bob is typing"),
        (&cem, "Bob and Cem are typing"),
        (&dee, "Several people are typing"),
    ] {
        person.act("chat.type", fields.clone()).await.done();
        page.wait_text(".typing .says", line).await;
    }
    // It goes with the last mark.
    page.wait_until("document.querySelector('.typing .says').textContent === ''")
        .await;
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}
