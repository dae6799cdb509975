//! Answers, reactions and the menu of a message, in two windows.

use super::driver::acquire_browsers;
use super::two_people;

const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const DOWN: &str = "\u{e015}";

#[tokio::test]
async fn message_is_answered_and_its_quote_leads_back() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let (ann, bob) = (&people.ann_browser, &people.bob_browser);
    people.ann.post("general", "هل نلتقي **غدا**؟").await;
    bob.wait_message("هل نلتقي غدا؟").await;
    let id = bob.message("هل نلتقي غدا؟").await;
    let field = format!("#body-{}", people.bob.room("general"));
    bob.js(&format!("document.querySelector('#{id} .when').focus()"))
        .await;
    bob.click(&format!("#{id} [data-act=reply]")).await;
    bob.wait_text(".replying .text", "هل نلتقي غدا؟").await;
    // It stays with the draft, and Esc lets go of it.
    bob.type_into(&field, "明天").await;
    bob.reload().await;
    bob.wait_text(".replying b", "Ann").await;
    bob.type_into(&field, ESCAPE).await;
    bob.wait_hidden(".replying").await;
    bob.js(&format!("document.querySelector('#{id} .when').focus()"))
        .await;
    bob.click(&format!("#{id} [data-act=reply]")).await;
    bob.type_into(&field, &format!("见{ENTER}")).await;
    bob.wait_hidden(".replying").await;
    ann.wait_text(".log .msg .quote .text", "هل نلتقي غدا؟")
        .await;
    let answer = ann.message("明天见").await;
    ann.click(&format!("#{answer} .quote a")).await;
    ann.wait_visible(&format!("#{id}.highlight")).await;
    // Whom it answers sees that.
    let background =
        format!("getComputedStyle(document.getElementById('{answer}')).backgroundColor");
    ann.wait_until(&format!("{background} !== 'rgba(0, 0, 0, 0)'"))
        .await;
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}

#[tokio::test]
async fn reaction_is_chosen_counted_and_taken_back() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let (ann, bob) = (&people.ann_browser, &people.bob_browser);
    let said = people.ann.post("general", "The boat is painted").await;
    bob.wait_message("The boat is painted").await;
    let message = format!("#m-{}", said.id);
    bob.js(&format!(
        "document.querySelector('{message} .when').focus()"
    ))
    .await;
    bob.click(&format!("{message} [data-act=react]")).await;
    bob.wait_visible(".emoji-picker input").await;
    bob.type_into(".emoji-picker input", "party popper").await;
    bob.wait_visible(".emoji-picker .emoji-grid button[value='🎉']")
        .await;
    bob.click(".emoji-picker .emoji-grid button[value='🎉']")
        .await;
    let reaction = format!("{message} .reaction[value='🎉']");
    ann.wait_text(&format!("{reaction} b"), "1").await;
    // One's own is marked, for the eyes and for screen readers; another's is not.
    let own = format!("getComputedStyle(document.querySelector(\"{reaction} .mine\")).display");
    bob.wait_until(&format!("{own} !== 'none'")).await;
    ann.wait_until(&format!("{own} === 'none'")).await;
    ann.click(&reaction).await;
    bob.wait_text(&format!("{reaction} b"), "2").await;
    bob.click(&reaction).await;
    ann.wait_text(&format!("{reaction} b"), "1").await;
    ann.click(&reaction).await;
    bob.wait_until(&format!(
        "!document.querySelector(\"{message} .reactions\")"
    ))
    .await;
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}

#[tokio::test]
async fn menu_of_message_works_by_keyboard() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let (ann, bob) = (&people.ann_browser, &people.bob_browser);
    let said = people.ann.post("general", "Keys are under the mat").await;
    bob.wait_message("Keys are under the mat").await;
    ann.wait_message("Keys are under the mat").await;
    let message = format!("#m-{}", said.id);
    let button = format!("{message} [data-act=menu]");
    let focus = format!(
        "document.querySelector('{message} .when').focus(), \
        document.querySelector('{button}').focus()"
    );
    bob.js(&focus).await;
    bob.type_keys(ENTER).await;
    bob.wait_until("document.activeElement.closest('#message-menu li')")
        .await;
    // Esc gives the focus back.
    bob.type_keys(ESCAPE).await;
    bob.wait_until(&format!("document.activeElement.matches('{button}')"))
        .await;
    bob.type_keys(ENTER).await;
    bob.wait_until("document.activeElement.closest('#message-menu li')")
        .await;
    bob.type_keys(&format!("{DOWN}{DOWN}{ENTER}")).await;
    bob.wait_text(".note-line", "Kept").await;
    bob.go("/bookmarks").await;
    bob.wait_text(".listed .msg", "Keys are under the mat")
        .await;
    // Who may not pin has no button for it.
    assert_eq!(bob.count("#message-menu [action$='chat.pin']").await, 0);
    ann.js(&focus).await;
    ann.type_keys(ENTER).await;
    ann.click("#message-menu [action$='chat.pin'] button").await;
    ann.wait_visible(&format!("{message} .pinned")).await;
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}

#[tokio::test]
async fn escape_lets_go_of_a_reply_before_it_closes_the_thread() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let bob = &people.bob_browser;
    let said = people.ann.post("general", "有人吗").await;
    bob.wait_message("有人吗").await;
    bob.js(&format!(
        "document.querySelector('#m-{} [data-act=thread]').click()",
        said.id
    ))
    .await;
    let (field, reply) = (".pane.thread textarea", ".pane.thread .replying");
    bob.type_into(field, &format!("here{ENTER}")).await;
    let message = ".pane.thread .region .log .msg[id^='m-']";
    bob.wait_text(message, "here").await;
    bob.js(&format!(
        "document.querySelector(\"{message} [data-act=reply]\").click()"
    ))
    .await;
    bob.wait_visible(reply).await;
    bob.type_into(field, ESCAPE).await;
    bob.wait_hidden(reply).await;
    assert_eq!(bob.count(".pane.thread").await, 1);
    bob.type_into(field, ESCAPE).await;
    bob.wait_until("!document.querySelector('.pane.thread')")
        .await;
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}
