//! The card of a link, on a phone and in the dark, and its author's control.

use serde_json::json;

use super::driver::acquire_browsers;
use super::two_people;
use crate::support::animation::gif;
use crate::support::page_server::PageServer;

#[tokio::test]
async fn card_fits_phone_and_author_takes_it_off() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[
        ("TIDEPOOL_LINK_PREVIEWS", "true"),
        ("TIDEPOOL_LINK_PREVIEWS_FROM_LOOPBACK", "true"),
    ])
    .await;
    let (ann, bob) = (&people.ann_browser, &people.bob_browser);
    let web = PageServer::start().await;
    web.add("/p.gif", "image/gif", gif(300, 200));
    let url = web.add(
        "/tides",
        "text/html; charset=utf-8",
        format!(
            "<meta property=og:title content='مواعيد المد والجزر في خليجنا هذا الأسبوع'>\
             <meta property=og:site_name content='潮汐表'>\
             <meta property=og:image content=/p.gif><meta name=description content='{}{}'>",
            "น้ำขึ้นน้ำลง ".repeat(10),
            "Longwordwithoutaspace".repeat(8)
        ),
    );
    let picture = web.url("/p.gif");
    let dark = json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
    bob.resize(390, 844).await;
    bob.devtools("Emulation.setEmulatedMedia", dark).await;
    let said = format!("Tomorrow? {url} {picture}");
    let said = people.ann.post("general", &said).await;
    let cards = format!("#m-{} .link-preview", said.id);
    for browser in [ann, bob] {
        browser
            .wait_until(&format!(
                "[...document.querySelectorAll('{cards} img')]\
                 .filter((one) => one.complete && one.naturalWidth).length === 2"
            ))
            .await;
    }
    // Within the page, the picture in a box of its own size, and no control of another's message.
    let is_inside = format!(
        "document.documentElement.scrollWidth <= innerWidth && \
         [...document.querySelectorAll('{cards}')].every((card) => {{ \
         const box = card.getBoundingClientRect(); return box.left >= 0 && \
         box.right <= innerWidth && [...card.querySelectorAll('a, p')].every((one) => \
         one.getBoundingClientRect().right <= box.right); }})"
    );
    assert_eq!(bob.js(&is_inside).await, true);
    let box_of = format!(
        "JSON.stringify(document.querySelector('{cards} .picture').getBoundingClientRect())"
    );
    let size = bob.js(&box_of).await;
    let size = size.as_str().expect("JSON");
    assert!(size.contains("\"width\":88,\"height\":88"), "{size}");
    if let Ok(folder) = std::env::var("TIDEPOOL_TEST_PICTURES") {
        for (browser, name) in [(ann, "wide"), (bob, "phone")] {
            let png = browser.client.screenshot().await.expect("a picture");
            std::fs::write(format!("{folder}/cards-{name}.png"), png).expect("it is written");
        }
    }
    bob.wait_hidden(&format!("{cards} .dismiss .act")).await;
    ann.click(&format!("{cards} .dismiss .act")).await;
    for browser in [ann, bob] {
        browser
            .wait_until(&format!(
                "document.querySelectorAll('{cards}').length === 1"
            ))
            .await;
    }
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}
