//! Files in rooms, as two people see them: pasted, dropped and picked, paused, interrupted, gone on
//! with, and posted.

use serde_json::json;

use super::driver::reserve_browsers;
use super::proxy::Link;
use super::scene::open_two_browsers;
use super::session::{Browser, Kind};
use crate::support::{Folder, TestServer};

/// A script that puts a file of this many bytes, or a drawn picture, into the hands of the page as
/// paste or drop does.
fn hands_over(how: &str, what: &str) -> String {
    let event = match how {
        "paste" => {
            "document.querySelector('.compose textarea').dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))"
        }
        _ => {
            "document.querySelector('.scroller').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }))"
        }
    };
    format!(
        "(() => {{ const data = new DataTransfer(); data.items.add({what}); {event}; return true; }})()"
    )
}

/// A file of noise, so that no two pieces of it are alike.
fn noise(name: &str, mebibytes: u32) -> String {
    format!(
        "(() => {{ const bytes = new Uint32Array({mebibytes} << 18); let n = 1; for (let i = 0; i < bytes.length; i++) bytes[i] = n = Math.imul(n, 1664525) + 1013904223 | 0; \
         return new File([bytes], '{name}'); }})()"
    )
}

const SILENCE: &str = "(() => { const bytes = new DataView(new ArrayBuffer(44 + 8000)); const text = (at, words) => [...words].forEach((c, i) => bytes.setUint8(at + i, c.charCodeAt())); \
    text(0, 'RIFF'); bytes.setUint32(4, 36 + 8000, true); text(8, 'WAVEfmt '); bytes.setUint32(16, 16, true); bytes.setUint16(20, 1, true); bytes.setUint16(22, 1, true); \
    bytes.setUint32(24, 8000, true); bytes.setUint32(28, 16000, true); bytes.setUint16(32, 2, true); bytes.setUint16(34, 16, true); text(36, 'data'); bytes.setUint32(40, 8000, true); \
    return new File([bytes], 'silence.wav'); })()";

async fn draws(browser: &Browser) {
    browser
        .js("(() => { const canvas = Object.assign(document.createElement('canvas'), { width: 900, height: 500 }); \
             const pen = canvas.getContext('2d'); pen.fillStyle = '#08708a'; pen.fillRect(0, 0, 900, 500); \
             canvas.toBlob((blob) => { window.drawn = new File([blob], 'pool.png', { type: 'image/png' }); }); return true; })()")
        .await;
    browser.until("Boolean(window.drawn)").await;
}

async fn throttle(browser: &Browser, bytes_a_second: i64) {
    let conditions = json!({ "offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_a_second });
    browser.devtools("Network.enable", json!({})).await;
    browser
        .devtools("Network.emulateNetworkConditions", conditions)
        .await;
}

#[tokio::test]
async fn pasted_dropped_and_picked_files_are_sent() {
    let _permit = reserve_browsers(2).await;
    let scene = open_two_browsers(&[]).await;
    let (ann, bob) = (&scene.anns, &scene.bobs);
    draws(ann).await;
    ann.js(&hands_over("paste", "window.drawn")).await;
    ann.js(&hands_over(
        "drop",
        "new File(['low water at six'], 'tides.txt')",
    ))
    .await;
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path()).expect("a folder");
    let picked = folder.path().join("picked.html");
    std::fs::write(&picked, "<script>alert(1)</script>").expect("a file");
    ann.client
        .find(fantoccini::Locator::Css("input[name=files]"))
        .await
        .expect("a field")
        .send_keys(&picked.display().to_string())
        .await
        .expect("it takes files");
    ann.until("document.querySelectorAll('.upload[data-state=ready]').length === 3")
        .await;
    ann.type_into(".upload:first-child input", "The pool at low water")
        .await;
    ann.post_message("three things").await;
    bob.wait_for_message("three things").await;
    bob.until("document.querySelector('.attachment.picture img[alt=\"The pool at low water\"]')?.naturalWidth > 100").await;
    bob.wait_for_text(".attachment.file a", "tides.txt").await;
    bob.wait_for_text(".attachment.file a", "picked.html").await;
    assert_eq!(ann.count(".upload").await, 0, "the tray is empty");
    // The picture opens over the page, and goes with Escape.
    bob.click(".attachment.picture [data-picture]").await;
    bob.until("document.querySelector('.viewer[open] img')?.naturalWidth > 400")
        .await;
    bob.js("(document.querySelector('.viewer').close(), true)")
        .await;
    bob.wait_for_hidden(".viewer").await;

    // Sound plays in place: half a second of silence, as WAV.
    ann.js(&hands_over("drop", SILENCE)).await;
    ann.until("document.querySelector('.upload[data-state=ready]')")
        .await;
    ann.post_message("listen").await;
    bob.wait_for_message("listen").await;
    bob.until("Math.abs(document.querySelector('.attachment.audio audio')?.duration - 0.5) < 0.1")
        .await;

    // Its place is kept free before it is there, so nothing jumps.
    assert_eq!(
        bob.js("[...document.querySelectorAll('.attachment.picture img[width]')].every((one) => one.width > 100 && one.height > 50)").await,
        true
    );
    assert_eq!(
        bob.js(
            "fetch(document.querySelector('.attachment.file a').href).then((one) => one.text())"
        )
        .await,
        "low water at six"
    );
    bob.click(".top .tools a[href$='/files']").await;
    bob.until("document.querySelectorAll('.gallery li').length === 4")
        .await;

    // A message of files alone, and one removed before it is sent.
    ann.js(&hands_over("drop", "new File(['a'], 'gone.txt')"))
        .await;
    ann.js(&hands_over("drop", "new File(['b'], 'stays.txt')"))
        .await;
    ann.until("document.querySelectorAll('.upload[data-state=ready]').length === 2")
        .await;
    ann.click(".upload:first-child [data-do=remove]").await;
    ann.until("document.querySelectorAll('.upload').length === 1")
        .await;
    ann.type_into(".compose textarea", "\u{e007}").await;
    ann.wait_for_text(".log > .msg:not([data-pending]) .attachment a", "stays.txt")
        .await;
    assert_eq!(
        ann.js("document.body.textContent.includes('gone.txt')")
            .await,
        false
    );

    // What is refused says so beside its name, and can be taken away.
    ann.js(&hands_over("drop", "new File([], 'empty.txt')"))
        .await;
    ann.wait_for_text(".upload[data-state=failed] .state", "empty")
        .await;
    ann.click(".upload [data-do=remove]").await;
    ann.until("document.querySelectorAll('.upload').length === 0")
        .await;
    scene
        .anns
        .close_ignoring(|entry| entry.contains("status of 422"))
        .await;
    scene.bobs.close().await;
}

#[tokio::test]
async fn upload_survives_reload_offline_and_restart() {
    let _permit = reserve_browsers(2).await;
    let mut server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let bob = server.member("Bob").await;
    let link = Link::to(server.address()).await;
    let linked = link.base();
    let base = server.base();
    let (anns, bobs) = tokio::join!(
        Browser::signed_in(&ann, &linked),
        Browser::signed_in(&bob, &base)
    );
    let general = ann.room("general");
    tokio::join!(anns.open_room(&general), bobs.open_room(&general));
    // So slow that what happens in the middle of the upload, such as the click on "pause", cannot
    // come after its end, however slow the browser is: a quarter of it takes six seconds.
    throttle(&anns, 1 << 20).await;
    anns.js(&hands_over("drop", &noise("whole.bin", 24))).await;
    anns.until("document.querySelector('.upload progress')?.value > 0.1")
        .await;
    anns.click(".upload [data-do=pause]").await;
    anns.wait_for_visible(".upload[data-state=paused] [data-do=resume]")
        .await;
    // Sending a message now says what it waits for, and keeps the words.
    anns.post_message("with a file").await;
    anns.wait_for_text(".compose > .error", "on their way")
        .await;
    let paused = anns
        .js("document.querySelector('.upload progress').value")
        .await
        .as_f64()
        .expect("a number");
    assert!(paused < 0.9, "{paused}");

    anns.reload().await;
    anns.wait_for_visible(".upload[data-state=paused]").await;
    assert_eq!(
        anns.js("document.querySelector('.compose textarea').value")
            .await,
        "with a file"
    );
    throttle(&anns, 1 << 20).await;
    anns.click(".upload [data-do=resume]").await;
    anns.until("document.querySelector('.upload progress')?.value > 0.3")
        .await;
    // In the middle of sending: it goes on by itself, from where it was.
    anns.reload().await;
    throttle(&anns, 1 << 20).await;
    anns.until("document.querySelector('.upload progress')?.value > 0.4")
        .await;
    link.cut();
    server.kill9().await;
    server.start_again().await;
    link.restore();
    throttle(&anns, -1).await;
    anns.wait_for_visible(".upload[data-state=ready]").await;
    anns.wait_for_socket().await;
    anns.type_into(".compose textarea", "\u{e007}").await;
    bobs.wait_for_message("with a file").await;
    let whole = "fetch(document.querySelector('.attachment.file a').href).then((one) => one.arrayBuffer()).then((all) => crypto.subtle.digest('SHA-256', all))
        .then((digest) => btoa(String.fromCharCode(...new Uint8Array(digest))))";
    let given = bobs.js(whole).await;
    let sent = format!(
        "({}).arrayBuffer().then((all) => crypto.subtle.digest('SHA-256', all)).then((digest) => btoa(String.fromCharCode(...new Uint8Array(digest))))",
        noise("whole.bin", 24)
    );
    assert_eq!(
        bobs.js(&sent).await,
        given,
        "every byte came, once and in order"
    );
    anns.close_after_network_errors().await;
    bobs.close_after_network_errors().await;
}

#[tokio::test]
async fn upload_moves_from_closed_tab() {
    let _permit = reserve_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let anns = Browser::signed_in(&ann, &server.base()).await;
    anns.open_room(&ann.room("general")).await;
    anns.js(&hands_over("drop", "new File(['kept'], 'kept.txt')"))
        .await;
    anns.wait_for_visible(".upload[data-state=ready]").await;
    let first = anns.new_tab().await;
    let second = anns.client.window().await.expect("a tab");
    anns.open_room(&ann.room("general")).await;
    anns.until("navigator.locks.query().then(({ pending }) => pending.some(({ name }) => name.startsWith('tidepool-upload-')))").await;
    assert_eq!(anns.count(".upload").await, 0, "it is the other tab's");
    anns.to_tab(first).await;
    anns.client.close_window().await.expect("it closes");
    anns.to_tab(second).await;
    anns.wait_for_visible(".upload[data-state=ready]").await;
    anns.click(".compose .send").await;
    anns.wait_for_text(".log > .msg:not([data-pending]) .attachment", "kept.txt")
        .await;
    anns.close().await;
}

#[tokio::test]
async fn phone_attaches_files_without_overflow() {
    let _permit = reserve_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let phone = Browser::signed_in_as(
        Kind {
            phone: true,
            ..Kind::default()
        },
        &ann,
        &server.base(),
    )
    .await;
    phone.open_room(&ann.room("general")).await;
    draws(&phone).await;
    phone.js(&hands_over("drop", "window.drawn")).await;
    phone
        .js(&hands_over(
            "drop",
            &format!("new File(['x'], '{}.txt')", "long-name".repeat(12)),
        ))
        .await;
    phone
        .until("document.querySelectorAll('.upload[data-state=ready]').length === 2")
        .await;
    let fits = "document.documentElement.scrollWidth <= innerWidth";
    assert_eq!(
        phone.js(fits).await,
        true,
        "the tray is wider than the phone"
    );
    let small = phone
        .js("[...document.querySelectorAll('.upload .act, .compose .act, .upload input')].filter((one) => one.checkVisibility())
            .filter((one) => { const box = one.getBoundingClientRect(); return box.height < 43.5 || box.width < 43.5; }).map((one) => one.outerHTML.slice(0, 120))")
        .await;
    assert_eq!(small, json!([]), "too small for a thumb");
    phone.click(".compose .send").await;
    phone.until("document.querySelector('.log > .msg:not([data-pending]) .attachment.picture img')?.naturalWidth > 100").await;
    assert_eq!(
        phone.js(fits).await,
        true,
        "the log is wider than the phone"
    );
    phone
        .go(&format!("/rooms/{}/files", ann.room("general")))
        .await;
    phone
        .until("document.querySelectorAll('.gallery li').length === 2")
        .await;
    assert_eq!(
        phone.js(fits).await,
        true,
        "the gallery is wider than the phone"
    );
    phone.close().await;
}

#[tokio::test]
async fn files_post_without_scripts() {
    let _permit = reserve_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let plain = Browser::signed_in_as(
        Kind {
            without_scripts: true,
            ..Kind::default()
        },
        &ann,
        &server.base(),
    )
    .await;
    plain.go(&format!("/rooms/{}", ann.room("general"))).await;
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path()).expect("a folder");
    let picked = folder.path().join("tides.txt");
    std::fs::write(&picked, "low water at six").expect("a file");
    plain.type_into(".compose textarea", "by hand").await;
    plain
        .type_into("input[name=files]", &picked.display().to_string())
        .await;
    plain.click(".compose .send").await;
    plain.wait_for_text(".log .msg .body", "by hand").await;
    plain.wait_for_text(".attachment.file a", "tides.txt").await;
    plain.close().await;
}
