//! Media in the log: what moves, what is transparent, what comes in numbers, and what the browser
//! cannot show.

use image::codecs::png::PngEncoder;
use image::{Rgba, RgbaImage};
use serde_json::json;

use super::driver::acquire_browsers;
use super::session::Browser;
use super::viewer::picture;
use crate::support::{TestServer, animation};

impl Browser {
    async fn set_motion(&self, preference: &str) {
        let features = [json!({ "name": "prefers-reduced-motion", "value": preference })];
        self.devtools(
            "Emulation.setEmulatedMedia",
            json!({ "features": features }),
        )
        .await;
    }

    /// Waits until the animations of this name move, or stand still.
    async fn wait_moving(&self, name: &str, is_moving: bool) {
        let end = if is_moving {
            name.to_owned()
        } else {
            format!("{name}?size=small")
        };
        self.wait_until(&format!(
            "[...document.querySelectorAll('a[data-moving] > img:not(.blur)')]\
                .some((one) => one.src.endsWith('/{end}') && one.complete && one.naturalWidth)"
        ))
        .await;
    }
}

#[tokio::test]
async fn animations_move_in_view_and_stop_when_asked() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let files = [
        ("a.gif", animation::gif(300, 200)),
        ("b.webp", animation::webp(300, 200)),
    ];
    ann.share("general", "two", &files).await;
    ann.share("general", "one", &[("c.png", animation::apng(300, 200))])
        .await;
    let browser = Browser::signed_in(&ann, &server.base()).await;
    browser.open_room(&ann.room("general")).await;
    for name in ["a.gif", "b.webp", "c.png"] {
        browser.wait_moving(name, true).await;
    }
    // Out of view they stand still.
    for line in 0..30 {
        ann.post("general", &format!("line {line}")).await;
    }
    browser.wait_message("line 29").await;
    browser.wait_moving("a.gif", false).await;
    browser
        .js("(document.querySelector('.scroller').scrollTop = 0, true)")
        .await;
    browser.wait_moving("a.gif", true).await;
    // And when they are asked to, which a change of the message does not undo.
    browser.click("[data-picture$='/a.gif'] + .motion").await;
    browser.wait_moving("a.gif", false).await;
    assert_eq!(
        browser
            .js("document.querySelector(\"[data-picture$='/a.gif'] + .motion\").title")
            .await,
        "Play"
    );
    let message = browser.message("two").await;
    let fields = json!({ "message": message[2..], "body": "both" });
    ann.act("chat.edit", fields).await.done();
    browser.wait_message("both").await;
    browser.wait_moving("a.gif", false).await;
    browser.wait_moving("b.webp", true).await;
    // The viewer plays, and stops.
    browser.click("[data-picture$='/b.webp']").await;
    let shown = |end: &str| {
        format!(
            "document.querySelector('.viewer[open] .stage:not([aria-busy]) img')?.src\
                .endsWith('{end}')"
        )
    };
    browser.wait_until(&shown("/b.webp")).await;
    browser.click(".viewer [data-do=play]").await;
    browser.wait_until(&shown("/b.webp?size=large")).await;
    browser.click(".viewer [data-do=close]").await;
    browser.wait_hidden(".viewer").await;
    // Whoever prefers less motion starts it.
    browser.set_motion("reduce").await;
    browser.wait_moving("b.webp", false).await;
    browser.click("[data-picture$='/b.webp'] + .motion").await;
    browser.wait_moving("b.webp", true).await;
    browser.reload().await;
    browser.wait_live().await;
    browser
        .js("(document.querySelector('.scroller').scrollTop = 0, true)")
        .await;
    browser
        .wait_visible("[data-picture$='/a.gif'] + .motion[data-stopped]")
        .await;
    browser.wait_moving("a.gif", false).await;
    browser.click("[data-picture$='/a.gif']").await;
    browser.wait_until(&shown("/a.gif?size=large")).await;
    browser.click(".viewer [data-do=play]").await;
    browser.wait_until(&shown("/a.gif")).await;
    browser.close().await;
}

#[tokio::test]
async fn pictures_of_a_message_fit_one_screen_and_never_jump() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let mut clear = Vec::new();
    RgbaImage::from_pixel(300, 200, Rgba([9, 90, 120, 90]))
        .write_with_encoder(PngEncoder::new(&mut clear))
        .expect("it can be written");
    ann.share("general", "clear", &[("clear.png", clear)]).await;
    ann.share("general", "opaque", &[("opaque.jpg", picture(300, 200))])
        .await;
    let names: Vec<_> = (0..10).map(|index| format!("{index}.jpg")).collect();
    let many: Vec<_> = names
        .iter()
        .zip(0..)
        .map(|(name, index)| (name.as_str(), picture(200 + 90 * index, 900 - 70 * index)))
        .collect();
    ann.share("general", "ten", &many).await;
    let browser = Browser::signed_in(&ann, &server.base()).await;
    let blocked = |urls: &[&str]| json!({ "urls": urls });
    browser.devtools("Network.enable", json!({})).await;
    let boxes = "JSON.stringify([...document.querySelectorAll('.attachment.picture')].map((one) => \
        { const box = one.getBoundingClientRect(); \
        return [box.x, box.y, box.width, box.height].map(Math.round); }))";
    for (width, height) in [(1280, 800), (390, 844)] {
        browser.resize(width, height).await;
        browser
            .devtools("Network.setBlockedURLs", blocked(&["*size=small*"]))
            .await;
        browser.open_room(&ann.room("general")).await;
        let before = browser.js(boxes).await;
        browser
            .devtools("Network.setBlockedURLs", blocked(&[]))
            .await;
        browser.reload().await;
        browser.wait_live().await;
        browser
            .wait_until(
                "[...document.querySelectorAll('.many .picture img:not(.blur)')]\
                    .filter((one) => one.complete && one.naturalWidth).length === 10",
            )
            .await;
        assert_eq!(
            browser.js(boxes).await,
            before,
            "places before and after loading"
        );
        let fits = "(() => { const tiles = [...document.querySelectorAll('.many > li')]\
            .map((one) => one.getBoundingClientRect()); \
            const view = document.querySelector('.scroller').getBoundingClientRect(); \
            return tiles.length === 10 && tiles.every((box) => box.top >= view.top && \
                box.bottom <= view.bottom && box.right <= innerWidth && box.width > 80); })()";
        assert_eq!(browser.js(fits).await, true, "{width}");
    }
    // The placeholder of an opaque picture is there, and nothing behind a transparent one.
    assert_eq!(
        browser.count("[data-picture$='/opaque.jpg'] > .blur").await,
        1
    );
    assert_eq!(browser.count("[data-picture$='/clear.png'] > *").await, 1);
    browser.close_after_network_errors().await;
}

#[tokio::test]
async fn picture_has_its_place_before_it_is_made() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let browser = Browser::signed_in(&ann, &server.base()).await;
    browser.open_room(&ann.room("general")).await;
    let pause = |pause: bool| json!({ "kind": "files.picture", "pause": pause });
    ann.act("admin.pause-jobs", pause(true)).await.done();
    for files in [&["one.jpg"][..], &["two.jpg", "three.jpg"]] {
        let mut ids = Vec::new();
        for name in files {
            ids.push(ann.attach("general", name, &picture(900, 1400)).await);
        }
        let ids: Vec<_> = ids.iter().map(String::as_str).collect();
        ann.post_files("general", "", &ids, &[]).await.done();
    }
    let boxes = "[...document.querySelectorAll('.attachment > .waiting, \
        .attachment.picture > a')].map((one) => { const box = one.getBoundingClientRect(); \
        return [box.x, box.y, box.width, box.height]; })";
    browser
        .wait_until("document.querySelectorAll('.attachment > .waiting').length === 3")
        .await;
    let before = browser.js(boxes).await;
    ann.act("admin.pause-jobs", pause(false)).await.done();
    browser
        .wait_until(
            "[...document.querySelectorAll('.attachment.picture img:not(.blur)')]\
                .filter((one) => one.complete && one.naturalWidth).length === 3",
        )
        .await;
    let jump = format!(
        "Math.max(...{boxes}.flatMap((box, index) => \
            box.map((side, at) => Math.abs(side - {before}[index][at]))))"
    );
    let jump = browser.js(&jump).await.as_f64().expect("pixels");
    assert!(
        jump < 1.5,
        "sides of versions are rounded, but not by {jump}"
    );
    browser.close().await;
}

#[tokio::test]
async fn undecodable_media_is_offered_to_be_saved() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let movie = include_bytes!("../media/clip.mov").to_vec();
    let broken = [&movie[..32], &[0; 900]].concat();
    for (name, content) in [
        ("a.avif", include_bytes!("../media/blue.avif").to_vec()),
        ("b.heic", include_bytes!("../media/blue.heic").to_vec()),
        ("c.mov", movie),
        ("d.mov", broken),
    ] {
        ann.share("general", name, &[(name, content)]).await;
    }
    let browser = Browser::signed_in(&ann, &server.base()).await;
    browser.open_room(&ann.room("general")).await;
    browser
        .wait_until("document.querySelector('.attachment.image img[src$=\".avif\"]').naturalWidth")
        .await;
    browser
        .wait_text(
            ".attachment.image[data-unshown] .cannot",
            "cannot show this picture",
        )
        .await;
    browser
        .wait_text(".attachment.image[data-unshown] .caption a", "b.heic")
        .await;
    browser
        .wait_text(
            ".attachment.video[data-unshown] .cannot",
            "cannot play this video",
        )
        .await;
    browser
        .wait_text(".attachment.video[data-unshown] .caption a", "d.mov")
        .await;
    assert_eq!(browser.count(".attachment[data-unshown]").await, 2);
    browser
        .wait_until("document.querySelector('.attachment.video video').videoWidth === 64")
        .await;
    browser
        .js(
            "(document.querySelector('.attachment.video video').muted = true, \
            document.querySelector('.attachment.video video').play(), true)",
        )
        .await;
    browser
        .wait_until("document.querySelector('.attachment.video video').currentTime > 0.3")
        .await;
    // What this browser can show opens in the viewer, what it cannot is not counted.
    browser
        .click(".attachment.image a[data-picture$='/a.avif']")
        .await;
    browser
        .wait_until("document.querySelector('.viewer[open] .stage img')?.naturalWidth === 32")
        .await;
    assert_eq!(browser.text(".viewer .count").await, "1 of 1");
    browser.close().await;
}
