//! Uploads that are paused, interrupted and resumed.

use super::driver::reserve_browsers;
use super::file_input::{hand_over, noise, throttle};
use super::proxy::Link;
use super::session::Browser;
use crate::support::TestServer;

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
    anns.js(&hand_over("drop", &noise("whole.bin", 24))).await;
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
    let whole = "fetch(document.querySelector('.attachment.file a').href).then((one) => \
        one.arrayBuffer()).then((all) => crypto.subtle.digest('SHA-256', all))
        .then((digest) => btoa(String.fromCharCode(...new Uint8Array(digest))))";
    let given = bobs.js(whole).await;
    let sent = format!(
        "({}).arrayBuffer().then((all) => crypto.subtle.digest('SHA-256', all)).then((digest) => \
         btoa(String.fromCharCode(...new Uint8Array(digest))))",
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
    anns.js(&hand_over("drop", "new File(['kept'], 'kept.txt')"))
        .await;
    anns.wait_for_visible(".upload[data-state=ready]").await;
    let first = anns.new_tab().await;
    let second = anns.client.window().await.expect("a tab");
    anns.open_room(&ann.room("general")).await;
    anns.until(
        "navigator.locks.query().then(({ pending }) => pending.some(({ name }) => \
        name.startsWith('tidepool-upload-')))",
    )
    .await;
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
