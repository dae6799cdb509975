//! Reporting a message in a page: the moderator's queue shows it at once, and the reporter is told.

use serde_json::json;

use super::driver::acquire_browsers;
use super::two_people;

#[tokio::test]
async fn report_is_seen_live_resolved_and_told() {
    let _browsers = acquire_browsers(2).await;
    let two = two_people::start(&[]).await;
    let (ann, bob) = (&two.ann_browser, &two.bob_browser);
    let (space, general) = (&two.ann.space, two.ann.room("general"));
    let cem = two.server.member("Cem").await;
    let spam = cem.post("general", "buy shoes").await;
    ann.go(&format!("/spaces/{space}/queue")).await;
    ann.wait_text("#queue .soft", "Nothing waits").await;
    ann.wait_live().await;

    // From the menu of the message.
    bob.wait_message("buy shoes").await;
    bob.js(&format!(
        "document.querySelector('#m-{} [data-act=menu]').click()",
        spam.id
    ))
    .await;
    bob.click("#message-menu [data-act=report]").await;
    bob.wait_text("main h1", "Report").await;
    bob.wait_text("main .quoted", "buy shoes").await;
    bob.click("input[name=reason][value=spam]").await;
    bob.fill("#report-words", "third time today").await;
    bob.click("form[action='/act/moderation.report'] .btn")
        .await;
    bob.wait_text("main h1", "Your reports").await;
    bob.wait_text("main .rows", "Waiting").await;
    bob.wait_live().await;

    // Ann's window was not touched.
    ann.wait_text("#queue .rows", "buy shoes").await;
    ann.wait_text(".side .room", "Reports (1)").await;
    ann.click("#queue .rows a").await;
    ann.wait_text("main .rows", "third time today").await;
    ann.click("form[action='/act/chat.delete'] .btn").await;
    ann.click("dialog[open] .danger").await;
    ann.wait_until("location.pathname.startsWith('/rooms/')")
        .await;
    ann.wait_text(".side .room", "Reports (1)").await;
    ann.go(&format!("/spaces/{space}/queue")).await;
    ann.click("#queue .rows a").await;
    ann.wait_text("main .quoted", "buy shoes").await;
    ann.click("input[name=outcome][value=acted]").await;
    ann.fill("#case-note", "told them to stop").await;
    ann.click("form[action='/act/moderation.resolve'] .btn")
        .await;
    ann.wait_text("#queue .soft", "Nothing waits").await;
    ann.wait_until(
        "![...document.querySelectorAll('.side .room')].some((one) => \
            one.textContent.includes('Reports ('))",
    )
    .await;

    // Nor was Bob's.
    bob.wait_text(".side .room", "Your report was reviewed")
        .await;
    bob.click("#room-link-reports").await;
    bob.wait_text("main .rows", "Reviewed").await;
    bob.go(&format!("/rooms/{general}")).await;
    bob.wait_until("!document.getElementById('room-link-reports')")
        .await;
    two.ann_browser.close().await;
    two.bob_browser.close().await;
}

#[tokio::test]
async fn slow_mode_counts_down_above_the_composer() {
    let _browsers = acquire_browsers(2).await;
    let two = two_people::start(&[]).await;
    let general = two.ann.room("general");
    let slow = json!({ "room": general, "seconds": "600" });
    two.ann.act("community.set-slow-mode", slow).await.done();
    let bob = &two.bob_browser;
    bob.open_room(&general).await;
    bob.wait_text(".dock", "every 600 seconds").await;
    bob.send_message("once").await;
    bob.wait_text("[data-slow] output", "You can send the next one in")
        .await;
    let left = "Number(document.querySelector('[data-slow] output').textContent.match(/\\d+/)[0])";
    bob.wait_until(&format!("{left} < 599")).await;
    bob.reload().await;
    bob.wait_text("[data-slow] output", "You can send the next one in")
        .await;
    two.ann_browser.close().await;
    two.bob_browser.close().await;
}

#[tokio::test]
async fn messages_are_selected_and_deleted_by_keyboard() {
    let _browsers = acquire_browsers(2).await;
    let two = two_people::start(&[]).await;
    let ann = &two.ann_browser;
    let first = two.bob.post("general", "spam one").await;
    two.bob.post("general", "spam two").await;
    two.bob.post("general", "good news").await;
    ann.wait_message("good news").await;
    // As by Tab: the controls show while something in the message has the focus.
    for control in [".when", "[data-act=menu]"] {
        let focus = format!(
            "document.querySelector('#m-{} {control}').focus()",
            first.id
        );
        ann.js(&focus).await;
    }
    ann.type_into(":focus", "\u{e007}").await; // Enter
    ann.wait_visible("#message-menu [data-act=select]").await;
    ann.js("document.querySelector('#message-menu [data-act=select]').focus()")
        .await;
    ann.type_into(":focus", "\u{e007}").await;
    ann.wait_text("main h1", "Select messages").await;
    ann.wait_until("document.querySelectorAll('.selection :checked').length === 1")
        .await;
    ann.js("document.querySelectorAll('.selection input')[1].focus()")
        .await;
    ann.type_into(":focus", " ").await;
    ann.wait_until("document.querySelectorAll('.selection :checked').length === 2")
        .await;
    ann.js("document.querySelector('form .btn.danger').focus()")
        .await;
    ann.type_into(":focus", "\u{e007}").await;
    ann.click("dialog[open] .danger").await;
    ann.wait_message("good news").await;
    ann.wait_until("!document.querySelector('.log').textContent.includes('spam')")
        .await;
    two.ann_browser.close().await;
    two.bob_browser.close().await;
}
