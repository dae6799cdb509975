//! Rooms as they are set up in the pages: what they allow, their order, and folded categories.

use super::driver::acquire_browsers;
use super::two_people;

#[tokio::test]
async fn room_rules_and_order_are_set_in_pages_and_felt() {
    let _browsers = acquire_browsers(2).await;
    let two = two_people::start(&[]).await;
    let (ann, bob) = (&two.ann_browser, &two.bob_browser);
    let general = two.ann.room("general");

    // Nobody but the owner writes in general.
    ann.go(&format!("/rooms/{general}/settings")).await;
    ann.click("a[href$='/permissions']").await;
    ann.wait_text("main h1", "Permissions in this room").await;
    ann.click("input[name='chat.post'][value=deny]").await;
    ann.click("form[action='/act/community.set-room-permissions'] .btn")
        .await;
    ann.wait_text("main nav.choices", "set here").await;
    bob.go(&format!("/rooms/{general}")).await;
    bob.wait_text(
        ".dock .notice",
        "You can read this room, but not write in it.",
    )
    .await;

    // A category, made and filled in the page of rooms.
    ann.go(&format!("/spaces/{}/rooms", two.ann.space)).await;
    ann.fill("[name=name]", "Garden").await;
    ann.click("form[action='/act/community.create-category'] .btn")
        .await;
    ann.wait_visible("select[name=category]").await;
    ann.js("document.querySelector('select[name=category]').selectedIndex = 1")
        .await;
    ann.click("form[action='/act/community.set-category'] .btn")
        .await;

    // It appears in the other window, folds by a click, and stays so when the page comes anew.
    bob.wait_text(".side details.fold", "Garden").await;
    bob.click(".side details.fold > summary").await;
    bob.wait_until("!document.querySelector('.side details.fold').open")
        .await;
    bob.go(&format!("/rooms/{general}")).await;
    bob.wait_until("document.querySelector('.side details.fold')?.open === false")
        .await;
    two.ann_browser.close().await;
    two.bob_browser.close().await;
}
