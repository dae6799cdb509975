//! Uploads that are paused, interrupted and resumed: by a reload, a lost network, a restart, and in
//! another tab.

use super::driver::acquire_browsers;
use super::file_transfer::{noise, transfer_script};
use super::proxy::Proxy;
use super::session::Browser;
use crate::support::TestServer;

/// Waits until the browser's store has the only upload in this state: a reload before that shows
/// the state before.
async fn wait_for_stored_upload(browser: &Browser, state: &str) {
    let script = format!(
        "new Promise((done, failed) => {{ const opening = indexedDB.open('tidepool'); \
         opening.onerror = failed; opening.onsuccess = () => {{ \
         const all = opening.result.transaction('uploads').objectStore('uploads').getAll(); \
         all.onerror = failed; all.onsuccess = () => {{ opening.result.close(); \
         done(all.result.length === 1 && all.result[0].state === '{state}' && \
            Boolean(all.result[0].url)); }}; }}; }})"
    );
    browser.wait_until(&script).await;
}

#[tokio::test]
async fn upload_survives_reload_offline_and_restart() {
    let _browsers = acquire_browsers(2).await;
    let mut server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let bob = server.member("Bob").await;
    let proxy = Proxy::start(server.address()).await;
    let proxied = proxy.base();
    let base = server.base();
    let (ann_browser, bob_browser) = tokio::join!(
        Browser::signed_in(&ann, &proxied),
        Browser::signed_in(&bob, &base)
    );
    let general = ann.room("general");
    tokio::join!(
        ann_browser.open_room(&general),
        bob_browser.open_room(&general)
    );
    // Each request carries four MiB, so each connection stalls in its second.
    proxy.limit_uploads(5 << 20);
    let sent = |share: f64| format!("document.querySelector('.upload progress')?.value > {share}");
    ann_browser
        .js(&transfer_script("drop", &noise("whole.bin", 24)))
        .await;
    ann_browser.wait_until(&sent(4.0 / 24.0)).await;
    ann_browser.click(".upload [data-do=pause]").await;
    ann_browser
        .wait_visible(".upload[data-state=paused] [data-do=resume]")
        .await;
    wait_for_stored_upload(&ann_browser, "paused").await;
    // Sending a message now says what it waits for, and keeps the words.
    ann_browser.send_message("with a file").await;
    ann_browser
        .wait_text(".compose > .error", "on their way")
        .await;
    let paused = ann_browser
        .js("document.querySelector('.upload progress').value")
        .await
        .as_f64()
        .expect("a number");
    assert!(paused < 0.9, "{paused}");

    ann_browser.reload().await;
    ann_browser.wait_visible(".upload[data-state=paused]").await;
    assert_eq!(
        ann_browser
            .js("document.querySelector('.compose textarea').value")
            .await,
        "with a file"
    );
    ann_browser.click(".upload [data-do=resume]").await;
    ann_browser.wait_until(&sent(8.0 / 24.0)).await;
    wait_for_stored_upload(&ann_browser, "sending").await;
    // In the middle of sending: it goes on by itself, from where it was.
    ann_browser.reload().await;
    ann_browser.wait_until(&sent(12.0 / 24.0)).await;
    proxy.cut();
    server.kill().await;
    server.start_again().await;
    proxy.restore();
    ann_browser.wait_visible(".upload[data-state=ready]").await;
    ann_browser.wait_live().await;
    ann_browser.type_into(".compose textarea", "\u{e007}").await;
    bob_browser.wait_message("with a file").await;
    let whole = "fetch(document.querySelector('.attachment.file a').href).then((one) => \
        one.arrayBuffer()).then((all) => crypto.subtle.digest('SHA-256', all))
        .then((digest) => btoa(String.fromCharCode(...new Uint8Array(digest))))";
    let given = bob_browser.js(whole).await;
    let sent = format!(
        "({}).arrayBuffer().then((all) => crypto.subtle.digest('SHA-256', all)).then((digest) => \
            btoa(String.fromCharCode(...new Uint8Array(digest))))",
        noise("whole.bin", 24)
    );
    assert_eq!(
        bob_browser.js(&sent).await,
        given,
        "every byte came, once and in order"
    );
    ann_browser.close_after_interrupted_upload().await;
    bob_browser.close_after_network_errors().await;
}

#[tokio::test]
async fn upload_moves_from_closed_tab() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let ann_browser = Browser::signed_in(&ann, &server.base()).await;
    ann_browser.open_room(&ann.room("general")).await;
    ann_browser
        .js(&transfer_script("drop", "new File(['kept'], 'kept.txt')"))
        .await;
    ann_browser.wait_visible(".upload[data-state=ready]").await;
    let first = ann_browser.new_tab().await;
    let second = ann_browser.client.window().await.expect("a tab");
    ann_browser.open_room(&ann.room("general")).await;
    ann_browser
        .wait_until(
            "navigator.locks.query().then(({ pending }) => pending.some(({ name }) \
        => name.startsWith('tidepool-upload-')))",
        )
        .await;
    assert_eq!(
        ann_browser.count(".upload").await,
        0,
        "it is the other tab's"
    );
    ann_browser.to_tab(first).await;
    ann_browser.client.close_window().await.expect("it closes");
    ann_browser.to_tab(second).await;
    ann_browser.wait_visible(".upload[data-state=ready]").await;
    ann_browser.click(".compose .send").await;
    ann_browser
        .wait_text(".log > .msg:not([data-pending]) .attachment", "kept.txt")
        .await;
    ann_browser.close().await;
}

#[tokio::test]
async fn file_dropped_while_offline_is_attached_afterwards() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let proxy = Proxy::start(server.address()).await;
    let browser = Browser::signed_in(&ann, &proxy.base()).await;
    browser.open_room(&ann.room("general")).await;
    let loaded = "performance.getEntriesByName(document.querySelector('script[src$=\"js/chat.js\"]')\
        .src.replace('chat.js', 'chat/tray.js')).length";
    assert_eq!(browser.js(loaded).await, 0, "loaded with the first file");
    proxy.cut();
    browser
        .js(&transfer_script("drop", "new File(['kept'], 'kept.txt')"))
        .await;
    browser.wait_text(".compose > .error", "not").await;
    proxy.restore();
    browser.wait_visible(".upload[data-state=ready]").await;
    browser.send_message("back again").await;
    browser
        .wait_text(".log > .msg:not([data-pending]) .attachment", "kept.txt")
        .await;
    browser.close_after_network_errors().await;
}
