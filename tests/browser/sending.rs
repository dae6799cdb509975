//! Files that cannot be sent, and files that are sent as they are.

use serde_json::json;

use super::driver::acquire_browsers;
use super::session::{Browser, Kind};
use crate::support::{Folder, TestServer};

/// A JPEG with a comment.
fn jpeg_with_comment() -> Vec<u8> {
    let plain = super::viewer::picture(90, 60);
    [&plain[..2], b"\xff\xfe\0\x0b54.1234 N", &plain[2..]].concat()
}

impl Browser {
    /// Drops files and folders of the disk on the log, as a hand does.
    async fn drop_paths(&self, paths: &[String]) {
        let place = self
            .js(
                "(() => { const box = document.querySelector('.scroller').getBoundingClientRect(); \
                return { x: box.x + 80, y: box.y + 40 }; })()",
            )
            .await;
        for kind in ["dragEnter", "dragOver", "drop"] {
            let data = json!({ "items": [], "files": paths, "dragOperationsMask": 1 });
            let event = json!({ "type": kind, "x": place["x"], "y": place["y"], "data": data });
            self.devtools("Input.dispatchDragEvent", event).await;
        }
    }

    /// Waits until the tray says this of a file.
    async fn wait_state(&self, name: &str, state: &str, words: &str) {
        let (name, words) = (json!(name), json!(words));
        self.wait_until(&format!(
            "[...document.querySelectorAll('.upload[data-state={state}]')].some((one) => \
                one.querySelector('.name').textContent === {name} && \
                one.querySelector('.state').textContent.includes({words}))"
        ))
        .await;
    }

    /// Whether a file of the log holds the comment of [`jpeg_with_comment`].
    async fn holds_comment(&self, name: &str) -> bool {
        let find =
            format!("document.querySelector(\"[data-picture$='/{name}']\")?.dataset.picture");
        let url = self.wait_until(&find).await;
        let script = format!("fetch({url}).then((one) => one.text())");
        let text = self.js(&script).await;
        text.as_str().expect("text").contains("54.1234 N")
    }
}

#[tokio::test]
async fn file_that_cannot_be_sent_says_why_and_others_go_on() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::with(&[("TIDEPOOL_MAX_FILE_MIB", "1")]).await;
    let ann = server.owner("Ann").await;
    let browser = Browser::signed_in(&ann, &server.base()).await;
    browser.open_room(&ann.room("general")).await;
    let folder = Folder::new();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::create_dir_all(path("photos")).expect("a folder");
    let files = [
        ("photos/one.txt", 3),
        ("empty.txt", 0),
        ("gone.txt", 300),
        ("changed.txt", 400),
        ("large.bin", 2 << 20),
        ("fine.txt", 500),
    ];
    for (name, size) in files {
        std::fs::write(path(name), vec![b'x'; size]).expect("a file");
    }
    // The tray is there already, as it is on a page that has been open for a while.
    let preload = "(async () => (await import(document.querySelector('script[src$=\"js/chat.js\"]')\
        .src.replace('chat.js', 'chat/attach.js'))).preloadTray().then(() => true))()";
    browser.js(preload).await;
    // Nothing is sent yet: what is wrong with a file is not told by the server.
    let network = |offline: bool| json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
    browser.devtools("Network.enable", json!({})).await;
    browser
        .devtools("Network.emulateNetworkConditions", network(true))
        .await;
    let names = [
        "photos",
        "empty.txt",
        "gone.txt",
        "changed.txt",
        "large.bin",
        "fine.txt",
    ];
    browser.drop_paths(&names.map(&path)).await;
    browser.wait_state("photos", "failed", "is a folder").await;
    browser.wait_state("empty.txt", "failed", "is empty").await;
    browser.wait_state("gone.txt", "sending", "").await;
    std::fs::remove_file(path("gone.txt")).expect("it is there");
    std::fs::write(path("changed.txt"), vec![b'y'; 450]).expect("it is there");
    browser
        .devtools("Network.emulateNetworkConditions", network(false))
        .await;
    browser
        .wait_state("gone.txt", "failed", "not there any more")
        .await;
    browser
        .wait_state("changed.txt", "failed", "was changed")
        .await;
    browser
        .wait_state("large.bin", "failed", "1 MB at most")
        .await;
    browser.wait_state("fine.txt", "ready", "").await;
    browser.send_message("two files").await;
    browser
        .wait_text(".compose .error", "could not be sent")
        .await;
    // What was changed is chosen again; the rest is taken away.
    browser
        .client
        .find(fantoccini::Locator::Css("input[name=files]"))
        .await
        .expect("a field")
        .send_keys(&path("changed.txt"))
        .await
        .expect("it takes files");
    browser.wait_state("changed.txt", "ready", "").await;
    for left in (2..6).rev() {
        browser
            .click(".upload[data-state=failed] [data-do=remove]")
            .await;
        browser
            .wait_until(&format!(
                "document.querySelectorAll('.upload').length === {left}"
            ))
            .await;
    }
    browser.type_into(".compose textarea", "\u{e007}").await;
    browser.wait_message("two files").await;
    browser.wait_text(".attachment.file a", "fine.txt").await;
    browser.wait_text(".attachment.file", "450 B").await;
    browser
        .close_expecting(|entry| {
            entry.contains("net::ERR_")
                || entry.contains("status of 413")
                || entry.contains("WebSocket connection to")
                || entry.contains("htmx:ws:error")
        })
        .await;
}

#[tokio::test]
async fn sender_chooses_that_a_file_stays_as_it_is() {
    let _browsers = acquire_browsers(2).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let browser = Browser::signed_in(&ann, &server.base()).await;
    browser.open_room(&ann.room("general")).await;
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path()).expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    for name in ["plain.jpg", "kept.jpg", "form.jpg", "note.txt"] {
        std::fs::write(path(name), jpeg_with_comment()).expect("a file");
    }
    browser
        .drop_paths(&["plain.jpg", "kept.jpg"].map(&path))
        .await;
    browser.wait_state("plain.jpg", "ready", "").await;
    browser.wait_state("kept.jpg", "ready", "").await;
    browser.click(".upload:nth-child(2) .intact input").await;
    browser
        .wait_until("document.querySelectorAll('.upload[data-state=ready]').length === 2")
        .await;
    browser.send_message("two").await;
    assert!(!browser.holds_comment("plain.jpg").await);
    assert!(browser.holds_comment("kept.jpg").await);
    // The same without scripts.
    let kind = Kind {
        without_scripts: true,
        ..Kind::default()
    };
    let plain = Browser::signed_in_as(kind, &ann, &server.base()).await;
    plain.go(&format!("/rooms/{}", ann.room("general"))).await;
    plain.click(".compose .intact input").await;
    plain
        .type_into("input[name=files]", &path("form.jpg"))
        .await;
    plain.click(".compose .send").await;
    assert!(browser.holds_comment("form.jpg").await);
    plain.close().await;
    browser.close().await;
}
