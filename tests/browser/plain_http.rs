//! A server on a home network, over plain http: not a secure context, so that browsers keep some of
//! their features back.

use serde_json::json;

use super::driver::acquire_browsers;
use super::file_transfer::{draw_picture, transfer_script};
use super::session::{Browser, Kind};
use crate::support::{PASSWORD, TestServer, email};

/// The header is for secure contexts only, and browsers say so.
fn is_expected(entry: &str) -> bool {
    entry.contains("Cross-Origin-Opener-Policy")
        || entry.contains("net::ERR_")
        || entry.contains("WebSocket connection to")
        || entry.contains("htmx:ws:error")
}

#[tokio::test]
async fn plain_http_needs_nothing_of_a_secure_context() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::with(&[("TIDEPOOL_HOSTS", "chat.lan")]).await;
    let ann = server.owner("Ann").await;
    let port = server
        .address()
        .rsplit_once(':')
        .expect("a port")
        .1
        .to_owned();
    let kind = Kind {
        host: Some("chat.lan"),
        ..Kind::default()
    };
    let browser = Browser::of(kind, &format!("http://chat.lan:{port}")).await;
    browser.go("/sign-in").await;
    assert_eq!(
        browser
            .js("[isSecureContext, Boolean(navigator.clipboard)]")
            .await,
        json!([false, false])
    );
    browser.type_into("[name=login]", &email("Ann")).await;
    browser.type_into("[name=password]", PASSWORD).await;
    browser.click("form button.btn").await;
    browser.wait_visible(".side a.room").await;
    browser.open_room(&ann.room("general")).await;
    browser.send_message("over http").await;
    browser.wait_message("over http").await;
    // An upload, which another tab leaves alone.
    draw_picture(&browser).await;
    browser.js(&transfer_script("drop", "window.drawn")).await;
    browser
        .wait_until("document.querySelector('.upload[data-state=ready]')")
        .await;
    let first = browser.new_tab().await;
    browser.open_room(&ann.room("general")).await;
    let second = browser.client.window().await.expect("there is a tab");
    let asked = "(async () => (await import(document.querySelector('script[src$=\"js/chat.js\"]')\
        .src.replace('chat.js', 'chat/uploads.js'))).restoreUploads().then(() => true))()";
    browser.js(asked).await;
    assert_eq!(browser.count(".upload").await, 0);
    browser.to_tab(first).await;
    browser.send_message("a picture").await;
    browser.wait_visible(".msg .attachment.picture").await;
    browser.to_tab(second).await;
    browser.wait_visible(".msg .attachment.picture").await;
    // Copying a link, as far as the browser lets a page.
    browser
        .js("(document.querySelector('.msg').classList.add('open'), true)")
        .await;
    browser
        .js(
            "(document.addEventListener('copy', () => { window.copied = \
        document.activeElement.value; }), true)",
        )
        .await;
    browser.click(".msg [data-act=menu]").await;
    let link = browser
        .wait_until("document.querySelector('#message-menu [data-act=copy]')?.href")
        .await;
    browser.click("#message-menu [data-act=copy]").await;
    assert_eq!(browser.wait_until("window.copied").await, link);
    browser.wait_text("#said", "Link copied").await;
    browser
        .js("(document.execCommand = () => false, true)")
        .await;
    browser.click(".msg [data-act=menu]").await;
    browser.click("#message-menu [data-act=copy]").await;
    browser.wait_text("#copying[open] h2", "Press Ctrl+C").await;
    browser
        .wait_until(
            "getSelection().toString().startsWith('http://chat.lan:') && \
        document.activeElement.matches('#copying input')",
        )
        .await;
    assert_eq!(browser.js("getSelection().toString()").await, link);
    browser.click("#copying button").await;
    browser.wait_hidden("#copying").await;
    // A microphone, which browsers keep from such pages: it is said what is needed.
    browser.click("[data-record]").await;
    browser
        .wait_text(".compose .error", "begins with https")
        .await;
    assert_eq!(browser.count(".recorder").await, 0);
    // A network that goes and comes again.
    let network = |offline: bool| json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
    browser.devtools("Network.enable", json!({})).await;
    browser
        .devtools("Network.emulateNetworkConditions", network(true))
        .await;
    browser
        .js("(htmx.find('#live')._htmx.ws.connection.socket.close(), true)")
        .await;
    browser.send_message("meanwhile").await;
    browser.wait_visible("#connection").await;
    ann.post("general", "from elsewhere").await;
    browser
        .devtools("Network.emulateNetworkConditions", network(false))
        .await;
    browser.wait_message("from elsewhere").await;
    browser.wait_message("meanwhile").await;
    browser.wait_hidden("#connection").await;
    browser.close_expecting(is_expected).await;
}
