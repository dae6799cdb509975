//! What moderators do in pages, and what those see to whom it is done.

use super::driver::acquire_browsers;
use super::two_people;

#[tokio::test]
async fn banned_member_is_told_in_the_open_page() {
    let _browsers = acquire_browsers(2).await;
    let two = two_people::start(&[]).await;
    let (ann, bob) = (&two.ann_browser, &two.bob_browser);
    let (space, general) = (&two.ann.space, two.ann.room("general"));
    two.bob.post("general", "buy shoes").await;
    ann.wait_message("buy shoes").await;
    let member = format!("/spaces/{space}/members/{}", two.bob.id);

    // Slow mode stands above the composer.
    ann.go(&format!("/rooms/{general}/settings")).await;
    ann.fill("#slow-seconds", "60").await;
    ann.click("form[action='/act/community.set-slow-mode'] .btn")
        .await;
    ann.wait_until("document.querySelector('#slow-seconds')?.defaultValue === '60'")
        .await;
    bob.reload().await;
    bob.wait_text(".dock", "every 60 seconds").await;
    bob.wait_live().await;

    ann.go(&member).await;
    ann.fill("#time-out-reason", "too loud").await;
    ann.click("form[action='/act/community.time-out'] .btn")
        .await;
    ann.wait_text("[aria-labelledby=member-history]", "too loud")
        .await;
    ann.fill("#note", "second time this week").await;
    ann.click("form[action='/act/community.add-note'] .btn")
        .await;
    ann.wait_text("[aria-labelledby=member-history]", "second time this week")
        .await;

    ann.fill("#ban-reason", "sold shoes").await;
    ann.fill("#ban-days", "30").await;
    ann.js("document.querySelector('#ban-delete').value = '24'")
        .await;
    ann.click("form[action='/act/community.ban'] .btn").await;
    ann.click("dialog[open] .danger").await;
    ann.wait_text("main h1", "Bans").await;
    ann.wait_text("main .rows", "sold shoes").await;
    // Bob's window was not touched.
    bob.wait_text("main h1", "You are banned from").await;
    bob.wait_text("main .card", "sold shoes").await;
    bob.click("main .card .btn[href='/']").await;
    bob.wait_until("location.pathname === '/spaces/open'").await;

    ann.click("form[action='/act/community.unban'] .btn").await;
    ann.wait_text("main", "Nobody is banned").await;
    ann.go(&format!("/rooms/{general}")).await;
    ann.wait_until("!document.querySelector('.log').textContent.includes('buy shoes')")
        .await;
    two.ann_browser.close().await;
    // The page may ask for the sidebar of the space before it is told that it may not read it.
    two.bob_browser
        .close_expecting(|entry| entry.contains("/sidebar?space=") && entry.contains("404"))
        .await;
}

#[tokio::test]
async fn removed_member_is_told_in_the_open_page() {
    let _browsers = acquire_browsers(2).await;
    let two = two_people::start(&[]).await;
    let (ann, bob) = (&two.ann_browser, &two.bob_browser);
    ann.go(&format!("/spaces/{}/members/{}", two.ann.space, two.bob.id))
        .await;
    ann.fill("#remove-reason", "asked to leave").await;
    ann.click("form[action='/act/community.remove-member'] .btn")
        .await;
    ann.click("dialog[open] .danger").await;
    bob.wait_text("main h1", "You are no longer a member of")
        .await;
    bob.wait_text("main .card", "asked to leave").await;
    two.ann_browser.close().await;
    // The page may ask for the sidebar of the space before it is told that it may not read it.
    two.bob_browser
        .close_expecting(|entry| entry.contains("/sidebar?space=") && entry.contains("404"))
        .await;
}
