//! Files in rooms, as two people see them: pasted, dropped, picked and posted.

use serde_json::json;

use super::driver::acquire_browsers;
use super::file_transfer::{SILENT_WAV, draw_picture, transfer_script};
use super::session::{Browser, Kind};
use super::two_people;
use crate::support::{Folder, TestServer};

#[tokio::test]
async fn pasted_dropped_and_picked_files_are_sent() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let (ann, bob) = (&people.ann_browser, &people.bob_browser);
    draw_picture(ann).await;
    ann.js(&transfer_script("paste", "window.drawn")).await;
    ann.js(&transfer_script(
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
    ann.wait_until("document.querySelectorAll('.upload[data-state=ready]').length === 3")
        .await;
    ann.type_into(".upload:first-child input", "The pool at low water")
        .await;
    ann.send_message("three things").await;
    bob.wait_message("three things").await;
    bob.wait_until(
        "document.querySelector('.attachment.picture img[alt=\"The pool at low \
        water\"]')?.naturalWidth > 100",
    )
    .await;
    bob.wait_text(".attachment.file a", "tides.txt").await;
    bob.wait_text(".attachment.file a", "picked.html").await;
    ann.wait_until("document.querySelectorAll('.upload').length === 0")
        .await;
    // The picture opens over the page, and goes with Escape.
    bob.click(".attachment.picture [data-picture]").await;
    bob.wait_until("document.querySelector('.viewer[open] img')?.naturalWidth > 400")
        .await;
    bob.click(".viewer [data-do=close]").await;
    bob.wait_hidden(".viewer").await;

    // Sound plays in place: half a second of silence, as WAV.
    ann.js(&transfer_script("drop", SILENT_WAV)).await;
    ann.wait_until("document.querySelector('.upload[data-state=ready]')")
        .await;
    ann.send_message("listen").await;
    bob.wait_message("listen").await;
    bob.wait_until(
        "Math.abs(document.querySelector('.attachment.audio audio')?.duration - 0.5) < 0.1",
    )
    .await;

    // Its place is kept free before it is there, so nothing jumps.
    assert_eq!(
        bob.js(
            "[...document.querySelectorAll('.attachment.picture img[width]')].every((one) => \
            one.width > 100 && one.height > 50)"
        )
        .await,
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
    bob.wait_until("document.querySelectorAll('.gallery li').length === 4")
        .await;

    // A message of files alone, and one removed before it is sent.
    ann.js(&transfer_script("drop", "new File(['a'], 'gone.txt')"))
        .await;
    ann.js(&transfer_script("drop", "new File(['b'], 'stays.txt')"))
        .await;
    ann.wait_until("document.querySelectorAll('.upload[data-state=ready]').length === 2")
        .await;
    ann.click(".upload:first-child [data-do=remove]").await;
    ann.wait_until("document.querySelectorAll('.upload').length === 1")
        .await;
    ann.type_into(".compose textarea", "\u{e007}").await;
    ann.wait_text(".log > .msg:not([data-pending]) .attachment a", "stays.txt")
        .await;
    assert_eq!(
        ann.js("document.body.textContent.includes('gone.txt')")
            .await,
        false
    );

    // What is refused says so beside its name, and can be taken away.
    ann.js(&transfer_script("drop", "new File([], 'empty.txt')"))
        .await;
    ann.wait_text(".upload[data-state=failed] .state", "empty")
        .await;
    ann.click(".upload [data-do=remove]").await;
    ann.wait_until("document.querySelectorAll('.upload').length === 0")
        .await;
    people
        .ann_browser
        .close_expecting(|entry| entry.contains("status of 422"))
        .await;
    people.bob_browser.close().await;
}

#[tokio::test]
async fn phone_attaches_files_without_overflow() {
    let _browsers = acquire_browsers(1).await;
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
    draw_picture(&phone).await;
    phone.js(&transfer_script("drop", "window.drawn")).await;
    phone
        .js(&transfer_script(
            "drop",
            &format!("new File(['x'], '{}.txt')", "long-name".repeat(12)),
        ))
        .await;
    phone
        .wait_until("document.querySelectorAll('.upload[data-state=ready]').length === 2")
        .await;
    let fits = "document.documentElement.scrollWidth <= innerWidth";
    assert_eq!(
        phone.js(fits).await,
        true,
        "the tray is wider than the phone"
    );
    let small = phone
        .js(
            "[...document.querySelectorAll('.upload .act, .compose .act, .upload \
            .input, .upload .intact')].filter((one) => one.checkVisibility())
            .filter((one) => { const box = one.getBoundingClientRect(); return box.height < 43.5 \
            || box.width < 43.5; }).map((one) => one.outerHTML.slice(0, 120))",
        )
        .await;
    assert_eq!(small, json!([]), "too small for a thumb");
    phone.click(".compose .send").await;
    phone
        .wait_until(
            "document.querySelector('.log > .msg:not([data-pending]) .attachment.picture \
        img')?.naturalWidth > 100",
        )
        .await;
    assert_eq!(
        phone.js(fits).await,
        true,
        "the log is wider than the phone"
    );
    phone
        .go(&format!("/rooms/{}/files", ann.room("general")))
        .await;
    phone
        .wait_until("document.querySelectorAll('.gallery li').length === 2")
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
    let _browsers = acquire_browsers(1).await;
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
    plain.wait_text(".log .msg .body", "by hand").await;
    plain.wait_text(".attachment.file a", "tides.txt").await;
    plain.close().await;
}
