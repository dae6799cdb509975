//! A message that a rule holds, in the windows of its author and of a moderator.

use super::driver::acquire_browsers;
use super::two_people;

#[tokio::test]
async fn held_message_waits_and_is_released_in_open_pages() {
    let _browsers = acquire_browsers(2).await;
    let two = two_people::start(&[]).await;
    let (ann, bob) = (&two.ann_browser, &two.bob_browser);
    let (space, general) = (&two.ann.space, two.ann.room("general"));

    // Ann makes the rule in its form, and tries it first.
    two.bob.post("general", "the casino is open").await;
    ann.go(&format!("/spaces/{space}/rules/new?kind=words"))
        .await;
    ann.fill("#f-name", "Casinos").await;
    ann.fill("#f-words", "casino").await;
    ann.click("button[formaction$='/dry-run']").await;
    ann.wait_text("#tried", "1 of 1 messages").await;
    ann.click("form[action='/act/moderation.save-rule'] .btn")
        .await;
    ann.wait_text("main .rows", "Casinos").await;

    bob.send_message("come to the casino").await;
    let held = format!("#held-{general}");
    bob.wait_text(&held, "come to the casino").await;
    bob.wait_text(&held, "A moderator will look").await;
    bob.wait_until("!document.querySelector('[data-pending]')")
        .await;
    // It is still there in a window that is opened later.
    bob.reload().await;
    bob.wait_text(&held, "come to the casino").await;
    bob.wait_live().await;

    ann.go(&format!("/spaces/{space}/held")).await;
    ann.wait_text("main .rows", "come to the casino").await;
    ann.click("form[action='/act/chat.release-held'] .btn")
        .await;
    ann.wait_text("main", "No message waits").await;
    bob.wait_message("come to the casino").await;
    bob.wait_until(&format!("!document.querySelector('{held} .msg')"))
        .await;
    ann.open_room(&general).await;
    ann.wait_message("come to the casino").await;

    let audit = two.ann.page(&format!("/spaces/{space}/audit")).await;
    assert!(audit.contains("Posted a held message of"), "{audit}");
    two.ann_browser.close().await;
    two.bob_browser.close().await;
}
