//! The pane of who reads a room, leaving a private room, and rooms that are deleted while open.

use serde_json::json;

use super::driver::acquire_browsers;
use super::two_people;

#[tokio::test]
async fn private_room_shows_its_readers_and_is_left() {
    let _browsers = acquire_browsers(2).await;
    let two = two_people::start(&[]).await;
    let (ann, bob) = (&two.ann_browser, &two.bob_browser);
    let cem = two.server.member("Cem").await;
    let room = two
        .ann
        .create_room("whisper")
        .private()
        .with(&[&two.bob])
        .await;
    tokio::join!(ann.open_room(&room), bob.open_room(&room));
    ann.wait_until("document.querySelectorAll('#people .person').length === 2")
        .await;
    ann.wait_text("#people h2", "Who reads this room").await;
    // Somebody is added while the pane is open.
    let fields = json!({ "room": room, "name": "whisper", "private": "yes",
        "members": [two.bob.id, cem.id] });
    two.ann.act("community.change-room", fields).await.done();
    ann.wait_until("document.querySelectorAll('#people .person').length === 3")
        .await;
    // Bob leaves, asked first, and Ann sees him go.
    bob.click("a[href$='/readers']").await;
    bob.wait_text("main h1", "Who reads this room").await;
    bob.click("form[action='/act/community.leave-room'] button")
        .await;
    bob.wait_text("dialog[open] h2", "Leave").await;
    bob.click("dialog[open] form .danger").await;
    bob.wait_until("!location.pathname.startsWith('/rooms/')")
        .await;
    ann.wait_until("document.querySelectorAll('#people .person').length === 2")
        .await;
    two.ann_browser.close().await;
    two.bob_browser.close().await;
}

#[tokio::test]
async fn deleted_room_tells_so_where_it_is_open() {
    let _browsers = acquire_browsers(2).await;
    let two = two_people::start(&[]).await;
    let (ann, bob) = (&two.ann_browser, &two.bob_browser);
    let room = two.ann.create_room("garden").await;
    bob.open_room(&room).await;
    ann.go(&format!("/rooms/{room}/settings")).await;
    ann.click("form[action='/act/community.delete-room'] button")
        .await;
    ann.wait_text("dialog[open] h2", "Delete the room").await;
    ann.click("dialog[open] form .danger").await;
    bob.wait_text("h1", "The room garden was deleted").await;
    ann.wait_text("#deleted", "garden").await;
    ann.click("form[action='/act/community.restore-room'] button")
        .await;
    ann.wait_text(".side", "garden").await;
    bob.open_room(&room).await;
    // The whole space.
    ann.go(&format!("/spaces/{}/settings", two.ann.space)).await;
    ann.click("form[action='/act/community.delete-space'] button")
        .await;
    ann.wait_text("dialog[open] h2", "Glasshouse").await;
    ann.click("dialog[open] form .danger").await;
    ann.wait_text("#deleted", "Glasshouse").await;
    bob.wait_text("h1", "Glasshouse was deleted").await;
    // A page may ask for the sidebar of the space before it is told that it is deleted.
    for browser in [two.ann_browser, two.bob_browser] {
        browser
            .close_expecting(|entry| entry.contains("/sidebar?space=") && entry.contains("404"))
            .await;
    }
}
