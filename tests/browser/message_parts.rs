//! What messages are made of besides text: commands, polls, spoilers, and what links to messages
//! lead to, in two windows.

use super::driver::acquire_browsers;
use super::two_people;

const ENTER: &str = "\u{e007}";
const TAB: &str = "\u{e004}";

#[tokio::test]
async fn poll_is_made_by_command_and_chosen_live() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let (ann, bob) = (&people.ann_browser, &people.bob_browser);
    let field = format!("#body-{}", people.bob.room("general"));
    // "/" lists the commands; the list completes one.
    bob.type_into(&field, "/po").await;
    bob.wait_text(".completion [aria-selected=true] bdi", "/poll")
        .await;
    bob.type_into(&field, TAB).await;
    bob.wait_until(&format!(
        "document.querySelector('{field}').value === '/poll '"
    ))
    .await;
    bob.type_into(&field, &format!("お茶？ | 緑茶 | شاي{ENTER}"))
        .await;
    ann.wait_message("お茶？").await;
    bob.wait_until("!document.querySelector('[data-pending]')")
        .await;
    let answer = |at: usize| format!(".poll .poll-answer[value='{at}']");
    ann.click(&answer(1)).await;
    bob.wait_text(&format!("{} b", answer(1)), "1").await;
    // One's own choice is marked, for the eyes and for screen readers; another's is not.
    let own = format!(
        "getComputedStyle(document.querySelector(\"{} .mine\")).display",
        answer(1)
    );
    ann.wait_until(&format!("{own} !== 'none'")).await;
    bob.wait_until(&format!("{own} === 'none'")).await;
    ann.click(&answer(0)).await;
    bob.wait_text(&format!("{} b", answer(0)), "1").await;
    bob.wait_text(&format!("{} b", answer(1)), "0").await;
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}

#[tokio::test]
async fn command_that_posts_nothing_shows_a_note() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let (ann, bob) = (&people.ann_browser, &people.bob_browser);
    let field = format!("#body-{}", people.ann.room("general"));
    ann.type_into(&field, &format!("/topic 周末{ENTER}")).await;
    ann.wait_text(".note-line", "The topic is now: 周末").await;
    bob.wait_text("header .topic", "周末").await;
    ann.wait_until("!document.querySelector('[data-pending]')")
        .await;
    // One that there is not says so once, and keeps the text.
    ann.type_into(&field, &format!("/nope at all{ENTER}")).await;
    ann.wait_until(
        "document.querySelector('[data-pending] .failed').textContent \
        .split('There is no such command').length === 2",
    )
    .await;
    people
        .ann_browser
        .close_expecting(|entry| entry.contains("422"))
        .await;
    people.bob_browser.close().await;
}

#[tokio::test]
async fn spoiler_is_uncovered_by_mouse_and_keyboard() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let (ann, bob) = (&people.ann_browser, &people.bob_browser);
    people.ann.post("general", "it was ||執事||").await;
    bob.wait_visible(".msg .spoiler").await;
    let color = "getComputedStyle(document.querySelector('.msg .spoiler')).color";
    bob.wait_until(&format!("{color} === 'rgba(0, 0, 0, 0)'"))
        .await;
    bob.click(".msg .spoiler").await;
    bob.click("header h1").await;
    bob.wait_until(&format!("{color} !== 'rgba(0, 0, 0, 0)'"))
        .await;
    bob.click(".msg .spoiler").await;
    bob.wait_until(&format!("{color} === 'rgba(0, 0, 0, 0)'"))
        .await;
    ann.wait_visible(".msg .spoiler").await;
    ann.js("document.querySelector('.msg .spoiler').focus()")
        .await;
    ann.type_keys(ENTER).await;
    ann.wait_until("document.querySelector('.msg .spoiler').matches('.shown')")
        .await;
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}

#[tokio::test]
async fn link_to_message_shows_what_its_reader_may_see() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let (ann, bob) = (&people.ann_browser, &people.bob_browser);
    people.ann.create_room("cellar").private().await;
    let secret = people.ann.post("cellar", "hidden below").await;
    let open = people.ann.post("general", "مرحبا بالجميع").await;
    let base = people.server.base();
    let text = format!(
        "see {base}/messages/{} and {base}/messages/{}",
        secret.id, open.id
    );
    let link = people.ann.post("general", &text).await;
    let card = format!("#m-{} .preview-card", link.id);
    bob.wait_text(&format!("{card} .text"), "مرحبا بالجميع")
        .await;
    bob.wait_until(&format!("document.querySelectorAll('{card}').length === 1"))
        .await;
    ann.wait_until(&format!("document.querySelectorAll('{card}').length === 2"))
        .await;
    // It leads to the message without leaving the page.
    bob.click(&card).await;
    bob.wait_visible(&format!("#m-{}.highlight", open.id)).await;
    people.ann_browser.close().await;
    people
        .bob_browser
        .close_expecting(|entry| entry.contains("404"))
        .await;
}
