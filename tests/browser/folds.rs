//! Messages of people whom the reader blocks or ignores.

use serde_json::json;

use super::driver::acquire_browsers;
use super::two_people;

#[tokio::test]
async fn messages_of_blocked_people_fold_until_shown() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let (ann, bob, page) = (&people.ann, &people.bob, &people.ann_browser);
    let folded = ".log > .msg.folded > .fold";
    bob.post("general", "before").await;
    page.wait_message("before").await;
    assert_eq!(page.count(folded).await, 0);
    let block = json!({ "account": bob.id });
    ann.act("community.block", block.clone()).await.done();
    page.wait_text(folded, "1 message of somebody you blocked")
        .await;
    page.wait_hidden(".log > .msg.folded .body").await;
    // One that arrives.
    bob.post("general", "live").await;
    let id = page.message("live").await;
    page.wait_visible(&format!("#{id}.folded > .fold")).await;
    page.wait_hidden(&format!("#{id} .body")).await;
    // The one who is blocked sees nothing of it.
    let other = &people.bob_browser;
    other.wait_message("live").await;
    let marks = "#sidebar[data-blocked], .folded";
    assert_eq!(other.count(marks).await, 0);
    // Shown is that one only, and stays so through a frame.
    page.click(&format!("#{id} > .fold button")).await;
    page.wait_visible(&format!("#{id} .body")).await;
    ann.post("general", "mine").await;
    page.wait_message("mine").await;
    assert_eq!(page.count(&format!("#{id}.folded")).await, 0);
    assert_eq!(page.count(folded).await, 1);
    // Ignoring folds, too, on a page that is opened.
    let ignore = json!({ "account": bob.id, "kind": "ignore" });
    ann.act("community.block", ignore).await.done();
    page.wait_text(folded, "1 message of somebody you ignore")
        .await;
    page.reload().await;
    page.wait_until(&format!(
        "document.querySelectorAll('{folded}').length === 2"
    ))
    .await;
    ann.act("community.unblock", block).await.done();
    page.wait_visible(&format!("#{id} .body")).await;
    page.wait_until("!document.querySelector('.folded, .fold')")
        .await;
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}
