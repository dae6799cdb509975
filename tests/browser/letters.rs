//! Letters by hand, from the sheet of stickers to the answer: an author, a courier with a phone
//! that has no connection for a while, an organiser, and a recipient with another phone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::driver::acquire_browsers;
use super::proxy::Proxy;
use super::session::{Browser, Kind};
use crate::support::{Person, TestServer};

const PHONE: Kind = Kind {
    without_scripts: false,
    language: None,
    phone: true,
    host: None,
    without_udp: false,
};

/// The button that says yes, in a dialog or on a page of its own.
const YES: &str = "dialog[open] .danger, #question .danger";

/// Two scans wait in the phone.
const WAITING: &str =
    "document.querySelector('.scan-queue code')?.textContent.split(' ').length === 2";

async fn act(person: &Person, action: &str, fields: Value) -> Value {
    person
        .act(&format!("letters.{action}"), fields)
        .await
        .done()
}

/// A picture of the page, kept where `TIDEPOOL_SCREENSHOTS` names a folder.
async fn look(browser: &Browser, name: &str) -> Vec<u8> {
    let shot = json!({ "format": "png", "captureBeyondViewport": true });
    let shot = browser.devtools("Page.captureScreenshot", shot).await;
    let shot = STANDARD.decode(shot["data"].as_str().expect("a picture"));
    let shot = shot.expect("base64");
    if let Ok(folder) = std::env::var("TIDEPOOL_SCREENSHOTS") {
        std::fs::write(format!("{folder}/{name}.png"), &shot).expect("it can be written");
    }
    shot
}

/// The text of the QR code in a part of a picture; empty where it cannot be read.
fn read_code(picture: &image::GrayImage, [x, y, width, height]: [f64; 4]) -> String {
    let part = image::imageops::crop_imm(picture, x as u32, y as u32, width as u32, height as u32);
    let part = part.to_image();
    let (width, height) = (part.width() as usize, part.height() as usize);
    let dot = |x: usize, y: usize| part.get_pixel(x as u32, y as u32).0[0];
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, dot);
    let grids = image.detect_grids();
    let text = grids.first().and_then(|grid| grid.decode().ok());
    text.map(|(_, text)| text).unwrap_or_default()
}

/// Opens the places of a school with the doors of two people, as the organiser.
async fn open_places(organiser: &Person, doors: [(&Person, &str); 2]) {
    let space = &organiser.space;
    let settings = json!({
        "space": space, "tide": "yes", "by_hand": "yes", "pen_names": "yes",
        "min_hours": "1", "max_hours": "2",
    });
    act(organiser, "configure", settings).await;
    for (code, kind) in [("HA", "school"), ("HA01", "area")] {
        let place = json!({ "space": space, "code": code, "name": "東の家", "kind": kind });
        act(organiser, "add-place", place).await;
    }
    for (person, pair) in doors {
        let applies = json!({ "space": space, "area": "HA01", "name": "الباب الأزرق" });
        let place = act(person, "apply-place", applies).await["place"].clone();
        let decides = json!({ "place": place, "pair": pair, "approve": "yes" });
        act(organiser, "decide-place", decides).await;
    }
}

/// Writes on the desk and seals, by the buttons that a person presses.
async fn write_and_seal(browser: &Browser, text: &str) {
    browser.wait_live().await;
    browser.type_into("#f-body", text).await;
    browser.click(".act-seal").await;
    browser.click(YES).await;
}

#[tokio::test]
async fn letter_by_hand_is_carried_by_two_phones() {
    let _browsers = acquire_browsers(3).await;
    let server = TestServer::start().await;
    let organiser = server.owner("Ann").await;
    let (author, courier) = (server.member("Bob").await, server.member("Cem").await);
    let recipient = server.member("玲 ليلى").await;
    open_places(&organiser, [(&author, "B1"), (&recipient, "L2")]).await;
    let (space, base) = (organiser.space.clone(), server.base());
    let proxy = Proxy::start(server.address()).await;
    let behind = proxy.base();
    let (desk, phone, other) = tokio::join!(
        Browser::signed_in(&author, &base),
        Browser::signed_in_as(PHONE, &courier, &behind),
        Browser::signed_in_as(PHONE, &recipient, &base),
    );

    // The organiser appoints a courier and prints a sheet, whose codes a camera reads.
    let post = json!({ "space": space, "account": courier.id, "rank": "1", "branch": "HA01" });
    act(&organiser, "appoint", post).await;
    let sheet = act(&organiser, "print-sheet", json!({ "space": space })).await["sheet"].clone();
    let sheet = sheet.as_str().expect("an id");
    let print = Browser::signed_in(&organiser, &base).await;
    print.go(&format!("/letters/sheets/{sheet}")).await;
    print.wait_visible(".sticker-sheet svg").await;
    let media = json!({ "media": "print" });
    print.devtools("Emulation.setEmulatedMedia", media).await;
    // A4 at 150 dots in an inch.
    let paper = json!({
        "width": 794, "height": 1123, "deviceScaleFactor": 1.6, "mobile": false,
    });
    print
        .devtools("Emulation.setDeviceMetricsOverride", paper)
        .await;
    let shot = look(&print, "sheet").await;
    let codes = "[...document.querySelectorAll('.sticker-sheet b')]\
        .map((one) => one.textContent.replace('-', ''))";
    let codes: Vec<String> = serde_json::from_value(print.js(codes).await).expect("codes");
    let boxes = "[...document.querySelectorAll('.sticker-sheet svg')].map((one) => {
        const { x, y, width, height } = one.getBoundingClientRect();
        return [x, y, width, height].map((side) => side * devicePixelRatio);
    })";
    let boxes: Vec<[f64; 4]> = serde_json::from_value(print.js(boxes).await).expect("boxes");
    let picture = image::load_from_memory(&shot)
        .expect("a picture")
        .to_luma8();
    let read: Vec<String> = boxes
        .into_iter()
        .map(|one| read_code(&picture, one))
        .collect();
    let links: Vec<String> = codes
        .iter()
        .map(|code| format!("{base}/l/{code}"))
        .collect();
    assert_eq!((links.len(), &read), (24, &links));
    print.close().await;

    // Written, sealed, and posted with the sticker.
    desk.go(&format!("/spaces/{space}/letters/new?q=%E7%8E%B2"))
        .await;
    desk.click("form:has(input[name='way'][value='hand']) button")
        .await;
    write_and_seal(&desk, "مرحبا يا ليلى،\n\n今日は海を見ました。\n\nBob").await;
    desk.wait_visible(".act-bind").await;
    let letter = desk.path().await;
    desk.go(&format!("/l/{}", codes[0])).await;
    desk.click("form[action='/act/letters.bind'] button").await;
    desk.click(YES).await;
    desk.wait_text("#letter-journey", "Posted with its sticker")
        .await;
    desk.wait_text("#letter-journey", "HA01L2").await;
    desk.wait_live().await;
    look(&desk, "author").await;

    // The courier's phone has no connection: both scans wait in it, and come in order.
    phone.go(&format!("/spaces/{space}/letters/round")).await;
    phone.wait_live().await;
    phone.wait_text("#round", "HA01L2").await;
    look(&phone, "round").await;
    proxy.cut();
    for deed in ["take", "deliver"] {
        phone
            .fill("#f-scan-code", &format!("{base}/l/{}", codes[0]))
            .await;
        let choose = format!("(document.querySelector('#f-scan-deed').value = '{deed}', true)");
        phone.js(&choose).await;
        phone.click(".act-scan").await;
    }
    phone.wait_until(WAITING).await;
    look(&phone, "offline").await;
    proxy.restore();

    // The author sees it move, without loading anything.
    desk.wait_text("#letter-journey", "Taken by Cem").await;
    desk.wait_text("#letter-journey", "Delivered").await;
    phone
        .wait_until("!document.querySelector('.scan-queue code')")
        .await;
    other.go("/inbox").await;
    other.wait_text("main", "A letter arrived for you").await;
    other.go(&format!("/l/{}", codes[0])).await;
    assert_eq!(other.path().await, letter);
    other.click(".act-open").await;
    other.wait_text(".sheet .words", "今日は海を見ました").await;
    let first = "getComputedStyle(document.querySelector('.sheet .words p')).direction";
    assert_eq!(other.js(first).await, "rtl");
    let wide = "document.documentElement.scrollWidth <= innerWidth";
    assert_eq!(other.js(wide).await, true);
    look(&other, "recipient").await;
    other
        .devtools(
            "Emulation.setEmulatedMedia",
            json!({
        "features": [{ "name": "prefers-color-scheme", "value": "dark" }] }),
        )
        .await;
    look(&other, "recipient-dark").await;

    // And the answer, by hand too.
    other.click(".act-answer").await;
    write_and_seal(&other, "ありがとう").await;
    other.wait_visible(".act-bind").await;
    other.fill("#f-code", &codes[1]).await;
    other.click(".act-bind").await;
    other.click(YES).await;
    other
        .wait_text("#letter-journey", "Posted with its sticker")
        .await;
    desk.wait_text("#letter-journey", "An answer was sealed")
        .await;
    for browser in [desk, other] {
        browser.close().await;
    }
    phone.close_after_network_errors().await;
}

#[tokio::test]
async fn letter_by_tide_arrives_while_one_looks() {
    let _browsers = acquire_browsers(2).await;
    let mut server = TestServer::start().await;
    let (ann, bob) = (server.owner("Ann").await, server.member("Bob").await);
    let (space, base) = (ann.space.clone(), server.base());
    let (desk, inbox) = tokio::join!(
        Browser::signed_in(&ann, &base),
        Browser::signed_in_as(PHONE, &bob, &base),
    );
    desk.go(&format!("/spaces/{space}/letters/new?q=Bob")).await;
    desk.click("form:has([name='to']):has([value='person']):not(:has([name='way'])) button")
        .await;
    write_and_seal(&desk, "The tide is out.\n\nשלום").await;
    desk.wait_text("#letter-journey", "Given to the tide").await;
    desk.wait_live().await;
    inbox.go(&format!("/spaces/{space}/letters")).await;
    inbox.wait_live().await;
    // Its times pass while the server is down; both pages come back by themselves.
    server.stop().await;
    for change in [
        "UPDATE letters SET departs_at = 1, arrives_at = 1 WHERE departs_at IS NOT NULL",
        "UPDATE jobs SET run_at = 1",
    ] {
        server.change_rows(change).await;
    }
    server.start_again().await;
    desk.wait_text("#letter-journey", "Delivered").await;
    inbox.click(".letter-rows .unread a").await;
    inbox.click(".act-open").await;
    inbox.wait_text(".sheet .words", "שלום").await;
    desk.wait_text("#letter-journey", "Opened").await;
    look(&inbox, "tide").await;
    desk.close_after_network_errors().await;
    inbox.close_after_network_errors().await;
}
