//! The viewer of pictures: what it shows in windows of any size, how it zooms and moves, and how it
//! is left.

use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};
use serde_json::{Value, json};

use super::driver::acquire_browsers;
use super::session::{Browser, Kind};
use crate::support::{Person, TestServer};

const LEFT: &str = "\u{e012}";
const RIGHT: &str = "\u{e014}";
const ESCAPE: &str = "\u{e00c}";

/// A JPEG of one color.
pub fn picture(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    RgbImage::from_pixel(width, height, Rgb([8, 112, 138]))
        .write_with_encoder(JpegEncoder::new(&mut bytes))
        .expect("it can be written");
    bytes
}

/// Ann, and a browser that shows `#general` with messages of these pictures.
async fn start(kind: Kind, messages: &[&[(&str, Vec<u8>)]]) -> (TestServer, Person, Browser) {
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    for (index, files) in messages.iter().enumerate() {
        ann.share("general", &format!("message {index}"), files)
            .await;
    }
    let browser = Browser::signed_in_as(kind, &ann, &server.base()).await;
    browser.open_room(&ann.room("general")).await;
    (server, ann, browser)
}

impl Browser {
    /// The window of pages, in CSS pixels.
    pub async fn resize(&self, width: u32, height: u32) {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", size)
            .await;
        self.wait_until(&format!(
            "innerWidth === {width} && innerHeight === {height}"
        ))
        .await;
    }

    /// Opens a picture of the log, and waits until the viewer shows it.
    async fn open_picture(&self, name: &str) {
        let link = format!("[data-picture$='/{name}']");
        self.js(&format!(
            "(document.querySelector({}).scrollIntoView(), true)",
            json!(link)
        ))
        .await;
        self.click(&link).await;
        self.wait_shown(name).await;
    }

    async fn wait_shown(&self, name: &str) {
        self.wait_until(&format!(
            "document.querySelector('.viewer[open] .stage:not([aria-busy]) img')?.src.includes({})",
            json!(name)
        ))
        .await;
    }

    /// Where the shown picture is: left, top, width and height, in pixels.
    async fn shown_box(&self) -> [f64; 4] {
        let found = self
            .js(
                "(() => { const box = document.querySelector('.viewer .stage img')\
                .getBoundingClientRect(); return [box.x, box.y, box.width, box.height]; })()",
            )
            .await;
        [0, 1, 2, 3].map(|index| found[index].as_f64().expect("a number"))
    }

    async fn wait_width(&self, condition: &str) {
        self.wait_until(&format!(
            "(({condition}))(document.querySelector('.viewer .stage img').getBoundingClientRect())"
        ))
        .await;
    }

    async fn key(&self, key: &str) {
        self.type_into(".viewer [data-do=close]", key).await;
    }

    async fn mouse(&self, kind: &str, x: f64, y: f64, more: Value) {
        let mut event = json!({ "type": kind, "x": x, "y": y });
        let Value::Object(more) = more else {
            unreachable!()
        };
        event.as_object_mut().expect("an object").extend(more);
        self.devtools("Input.dispatchMouseEvent", event).await;
    }

    async fn touch(&self, kind: &str, points: &[(f64, f64)]) {
        let points: Vec<_> = points
            .iter()
            .enumerate()
            .map(|(id, (x, y))| json!({ "x": x, "y": y, "id": id }))
            .collect();
        let event = json!({ "type": kind, "touchPoints": points });
        self.devtools("Input.dispatchTouchEvent", event).await;
    }
}

#[tokio::test]
async fn photo_is_shown_whole_and_zoomed() {
    let _browsers = acquire_browsers(1).await;
    let photo: &[(&str, Vec<u8>)] = &[("photo.jpg", picture(4032, 3024))];
    let (_server, _ann, browser) = start(Kind::default(), &[photo]).await;
    browser.resize(1280, 800).await;
    let before = browser.path().await;
    browser.open_picture("photo.jpg").await;
    for (width, height) in [(1280, 800), (390, 844), (320, 256), (1280, 800)] {
        browser.resize(width, height).await;
        browser
            .wait_until(
                "(() => { const inside = (css) => { \
                    const box = document.querySelector(css).getBoundingClientRect(); \
                    return box.left >= -1 && box.top >= -1 && box.right <= innerWidth + 1 && \
                        box.bottom <= innerHeight + 1 && box.height > 30; }; \
                 const picture = document.querySelector('.viewer .stage img') \
                    .getBoundingClientRect(); \
                 return ['.viewer .stage img', '.viewer [data-do=close]', \
                    '.viewer [data-do=larger]', '.viewer [data-do=save]'].every(inside) && \
                    Math.abs(picture.width / picture.height - 4032 / 3024) < 0.02 && \
                    picture.height > innerHeight * (innerWidth > innerHeight ? 0.6 : 0.3); })()",
            )
            .await;
    }
    let [_, _, fitting, _] = browser.shown_box().await;
    // With keys, buttons and the wheel; the original is fetched once it has more to show.
    assert!(
        browser
            .js("document.querySelector('.viewer .stage img').src")
            .await
            .as_str()
            .expect("a URL")
            .ends_with("?size=large")
    );
    browser.key("+").await;
    browser.key("+").await;
    browser
        .wait_width(&format!("(box) => box.width > {fitting} * 2"))
        .await;
    browser
        .wait_until("document.querySelector('.viewer .stage img').src.endsWith('photo.jpg')")
        .await;
    let [left, ..] = browser.shown_box().await;
    browser.key(RIGHT).await;
    browser
        .wait_width(&format!("(box) => box.x < {left} - 30"))
        .await;
    browser.key("0").await;
    browser
        .wait_width(&format!("(box) => Math.abs(box.width - {fitting}) < 1"))
        .await;
    browser.key("-").await;
    browser
        .wait_width(&format!("(box) => Math.abs(box.width - {fitting}) < 1"))
        .await;
    browser.click(".viewer [data-do=larger]").await;
    browser
        .wait_width(&format!(
            "(box) => Math.abs(box.width - {fitting} * 1.5) < 2"
        ))
        .await;
    browser.click(".viewer [data-do=smaller]").await;
    browser
        .wait_width(&format!("(box) => Math.abs(box.width - {fitting}) < 1"))
        .await;
    browser
        .mouse(
            "mouseWheel",
            640.0,
            400.0,
            json!({ "deltaX": 0, "deltaY": -120 }),
        )
        .await;
    browser
        .wait_width(&format!("(box) => box.width > {fitting} * 1.1"))
        .await;
    browser.key("0").await;
    // A double click zooms to where it is, and a drag moves the picture.
    for count in [1, 2] {
        let click = json!({ "button": "left", "clickCount": count });
        browser
            .mouse("mousePressed", 500.0, 300.0, click.clone())
            .await;
        browser.mouse("mouseReleased", 500.0, 300.0, click).await;
    }
    browser
        .wait_width(&format!("(box) => box.width > {fitting} * 1.5"))
        .await;
    let [left, top, ..] = browser.shown_box().await;
    let held = json!({ "button": "left", "buttons": 1, "clickCount": 1 });
    browser
        .mouse("mousePressed", 500.0, 300.0, held.clone())
        .await;
    browser
        .mouse("mouseMoved", 540.0, 330.0, held.clone())
        .await;
    browser.mouse("mouseReleased", 540.0, 330.0, held).await;
    browser
        .wait_width(&format!(
            "(box) => Math.abs(box.x - {left} - 40) < 2 && Math.abs(box.y - {top} - 30) < 2"
        ))
        .await;
    // Saved and opened in full.
    let links = browser
        .js("['save', 'original'].map((name) => \
            new URL(document.querySelector(`.viewer [data-do=${name}]`).href).pathname \
            + new URL(document.querySelector(`.viewer [data-do=${name}]`).href).search)")
        .await;
    let path = |index: usize| links[index].as_str().expect("a path").to_owned();
    assert!(path(0).ends_with("/photo.jpg?save") && path(1).ends_with("/photo.jpg"));
    let pixels = format!(
        "createImageBitmap(await (await fetch('{}')).blob()).then((all) => all.width)",
        path(1)
    );
    assert_eq!(browser.js(&format!("(async () => {pixels})()")).await, 4032);
    browser.key(ESCAPE).await;
    browser.wait_hidden(".viewer").await;
    assert_eq!(browser.path().await, before);
    browser.close().await;
}

#[tokio::test]
async fn back_closes_the_viewer_and_leaves_the_page() {
    let _browsers = acquire_browsers(1).await;
    let one: &[(&str, Vec<u8>)] = &[
        ("one.jpg", picture(900, 600)),
        ("two.jpg", picture(700, 500)),
    ];
    let two: &[(&str, Vec<u8>)] = &[("three.jpg", picture(800, 600))];
    let (_server, ann, browser) = start(Kind::default(), &[one, two]).await;
    // Also after a navigation within the page, which htmx restores from its history.
    browser.click(".top .tools a[href$='/files']").await;
    browser.wait_visible(".gallery").await;
    browser.client.back().await.expect("there is a page before");
    browser.wait_visible(".compose.scripted").await;
    browser.wait_live().await;
    browser.type_into(".compose textarea", "a draft").await;
    browser
        .js("(document.querySelector('.log').marked = true)")
        .await;
    let room = format!("/rooms/{}", ann.room("general"));
    let is_left_alone = format!(
        "!document.querySelector('.viewer[open]') && location.pathname === '{room}' && \
            document.querySelector('.log').marked && \
            document.querySelector('.compose textarea').value === 'a draft' && \
            document.activeElement.dataset.picture?.endsWith"
    );
    browser.open_picture("one.jpg").await;
    assert_eq!(browser.text(".viewer .count").await, "1 of 3");
    browser.client.back().await.expect("there is an entry");
    browser
        .wait_until(&format!("{is_left_alone}('/one.jpg')"))
        .await;
    // Through the log with keys and buttons; the focus goes to where the reader has come.
    browser.open_picture("one.jpg").await;
    browser.key(LEFT).await;
    browser.key(RIGHT).await;
    browser.wait_shown("two.jpg").await;
    browser.click(".viewer [data-do=next]").await;
    browser.wait_shown("three.jpg").await;
    assert_eq!(browser.text(".viewer .count").await, "3 of 3");
    assert_eq!(browser.text(".viewer .caption").await, "three.jpg");
    browser
        .wait_visible(".viewer [data-do=next][aria-disabled=true]")
        .await;
    browser.click(".viewer [data-do=previous]").await;
    browser.wait_shown("two.jpg").await;
    browser.click(".viewer [data-do=close]").await;
    browser
        .wait_until(&format!("{is_left_alone}('/two.jpg')"))
        .await;
    // A click beside the picture closes it as well, and the page can be left as ever.
    browser.open_picture("three.jpg").await;
    let click = json!({ "button": "left", "clickCount": 1 });
    browser
        .mouse("mousePressed", 120.0, 120.0, click.clone())
        .await;
    browser.mouse("mouseReleased", 120.0, 120.0, click).await;
    browser
        .wait_until(&format!("{is_left_alone}('/three.jpg')"))
        .await;
    // In the gallery, too.
    browser.click(".top .tools a[href$='/files']").await;
    browser.wait_visible(".gallery").await;
    browser.open_picture("two.jpg").await;
    assert_eq!(browser.text(".viewer .count").await, "2 of 3");
    browser.key(ESCAPE).await;
    browser.wait_hidden(".viewer").await;
    browser.close().await;
}

#[tokio::test]
async fn fingers_swipe_and_pinch_pictures() {
    let _browsers = acquire_browsers(1).await;
    let pictures: &[(&str, Vec<u8>)] = &[
        ("one.jpg", picture(900, 600)),
        ("two.jpg", picture(700, 500)),
    ];
    let phone = Kind {
        phone: true,
        ..Kind::default()
    };
    let (_server, _ann, browser) = start(phone, &[pictures]).await;
    browser.open_picture("one.jpg").await;
    browser.touch("touchStart", &[(300.0, 420.0)]).await;
    browser.touch("touchMove", &[(200.0, 424.0)]).await;
    browser.touch("touchMove", &[(120.0, 426.0)]).await;
    browser.touch("touchEnd", &[]).await;
    browser.wait_shown("two.jpg").await;
    let [_, _, fitting, _] = browser.shown_box().await;
    browser
        .touch("touchStart", &[(150.0, 420.0), (240.0, 420.0)])
        .await;
    browser
        .touch("touchMove", &[(110.0, 420.0), (280.0, 420.0)])
        .await;
    browser
        .touch("touchMove", &[(70.0, 420.0), (320.0, 420.0)])
        .await;
    browser.touch("touchEnd", &[]).await;
    browser
        .wait_width(&format!("(box) => box.width > {fitting} * 1.8"))
        .await;
    // What overflows is moved instead of swiped.
    browser.touch("touchStart", &[(300.0, 420.0)]).await;
    browser.touch("touchMove", &[(360.0, 424.0)]).await;
    browser.touch("touchEnd", &[]).await;
    assert_eq!(browser.text(".viewer .count").await, "2 of 2");
    let small = browser
        .js(
            "[...document.querySelectorAll('.viewer .act')].filter((one) => \
            one.checkVisibility({ visibilityProperty: true })).map((one) => \
            one.getBoundingClientRect()).filter((box) => box.width < 43.5 || box.height < 43.5 \
            || box.right > innerWidth).length",
        )
        .await;
    assert_eq!(small, 0, "too small for a thumb, or out of view");
    browser.client.back().await.expect("there is an entry");
    browser.wait_hidden(".viewer").await;
    browser.wait_visible(".compose").await;
    browser.close().await;
}

#[tokio::test]
async fn long_picture_is_readable_in_log_and_viewer() {
    let _browsers = acquire_browsers(1).await;
    let long: &[(&str, Vec<u8>)] = &[("long.jpg", picture(200, 6000))];
    let (_server, _ann, browser) = start(Kind::default(), &[long]).await;
    browser
        .wait_until("document.querySelector('.cropped img')?.naturalWidth === 200")
        .await;
    let preview = browser
        .js(
            "(() => { const { width, height } = document.querySelector('.cropped img')\
            .getBoundingClientRect(); return [width, height]; })()",
        )
        .await;
    assert_eq!(preview, json!([200, 360]), "not scaled down");
    assert_eq!(
        browser.text(".cropped .more").await,
        "Open to see all of it"
    );
    browser.open_picture("long.jpg").await;
    let [_, top, width, height] = browser.shown_box().await;
    assert_eq!((width, height), (200.0, 6000.0));
    assert!(top > 0.0, "from its beginning: {top}");
    browser
        .mouse(
            "mouseWheel",
            640.0,
            400.0,
            json!({ "deltaX": 0, "deltaY": 500 }),
        )
        .await;
    browser
        .wait_width(&format!(
            "(box) => box.y < {top} - 300 && box.width === 200"
        ))
        .await;
    // All of it, and no smaller.
    for _ in 0..8 {
        browser.key("-").await;
    }
    browser
        .wait_width("(box) => box.height < innerHeight && box.height > 500")
        .await;
    browser.key(ESCAPE).await;
    browser.close().await;
}
