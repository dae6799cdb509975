//! Two windows, live: whatever one does the other sees without loading anything.

use serde_json::json;

use super::driver::acquire_browsers;
use super::session::Browser;
use super::two_people;

#[tokio::test]
async fn message_changes_show_live() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let (ann_browser, bob_browser) = (&people.ann_browser, &people.bob_browser);
    ann_browser.js("(window.__same = true)").await;
    bob_browser.js("(window.__same = true)").await;
    ann_browser.send_message("first").await;
    ann_browser.send_message("second").await;
    bob_browser.wait_message("second").await;
    bob_browser.send_message("third").await;
    ann_browser.wait_message("third").await;

    // Grouping: the second shares the first's header, the third does not; one line names the day.
    let second = bob_browser.message("second").await;
    assert_eq!(
        bob_browser
            .js(&format!(
                "document.getElementById('{second}').dataset.continues !== undefined"
            ))
            .await,
        true
    );
    let third = ann_browser.message("third").await;
    assert_eq!(
        ann_browser
            .js(&format!(
                "document.getElementById('{third}').dataset.continues !== undefined"
            ))
            .await,
        false
    );
    assert_eq!(ann_browser.count(".log > .day").await, 1);
    ann_browser.wait_text(".log > .day", "Today").await;

    // Editing in place.
    ann_browser.click(".compose textarea").await;
    ann_browser.type_into(".compose textarea", "\u{e013}").await;
    ann_browser.wait_visible("form.edit .btn").await;
    let dock = "document.querySelector('.dock').getBoundingClientRect().top";
    ann_browser
        .wait_until(&format!(
            "document.querySelector('form.edit .btn').getBoundingClientRect().bottom <= {dock}"
        ))
        .await;
    ann_browser
        .fill(".msg form.edit textarea", "second, said better")
        .await;
    ann_browser
        .type_into(".msg form.edit textarea", "\u{e007}")
        .await;
    bob_browser.wait_message("second, said better").await;
    ann_browser.wait_hidden("form.edit").await;
    ann_browser.wait_message("second, said better").await;

    // Deleting, after a question.
    let first = ann_browser.message("first").await;
    ann_browser
        .js(&format!(
            "(document.querySelector('#{first} .when').focus(), true)"
        ))
        .await;
    ann_browser
        .click(&format!("#{first} [data-act=menu]"))
        .await;
    ann_browser.click("#message-menu [data-act=delete]").await;
    ann_browser.click("#confirm .danger").await;
    bob_browser
        .wait_until(&format!("document.querySelector('#{first}[data-deleted]')"))
        .await;
    ann_browser
        .wait_until(&format!("document.querySelector('#{first}[data-deleted]')"))
        .await;
    assert_eq!(
        bob_browser.js("window.__same").await,
        true,
        "nothing was loaded anew"
    );
    assert_eq!(
        ann_browser.js("window.__same").await,
        true,
        "nothing was loaded anew"
    );
    assert_eq!(ann_browser.log().await, bob_browser.log().await);
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}

#[tokio::test]
async fn typing_shows_and_expires() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    people
        .bob_browser
        .type_into(".compose textarea", "let me th")
        .await;
    people.ann_browser.wait_text(".typing span", "Bob").await;
    people.ann_browser.wait_hidden(".typing span").await;
    // A message ends it at once.
    people
        .bob_browser
        .type_into(".compose textarea", "ink")
        .await;
    people.ann_browser.wait_text(".typing span", "Bob").await;
    people
        .bob_browser
        .type_into(".compose textarea", "\u{e007}")
        .await;
    people.ann_browser.wait_message("let me think").await;
    assert_eq!(people.ann_browser.count(".typing span").await, 0);
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}

#[tokio::test]
async fn read_receipt_shows_live() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let (ann, bob) = (&people.ann_browser, &people.bob_browser);
    for browser in [ann, bob] {
        browser.go("/account/privacy").await;
        browser.click("[name=shares_reads]").await;
        browser
            .click("form[action='/act/community.set-receipts'] .btn")
            .await;
        browser
            .wait_until("document.readyState === 'complete'")
            .await;
    }
    let room = people.ann.direct(&[&people.bob]).await;
    ann.open_room(&room).await;
    ann.send_message("are you there?").await;
    ann.wait_message("are you there?").await;
    ann.wait_hidden(".receipts").await;
    bob.open_room(&room).await;
    ann.wait_text(".receipts", "Read").await;
    // It is about the newest message, and hides while somebody types.
    bob.type_into(".compose textarea", "yes").await;
    ann.wait_text(".typing span", "Bob").await;
    ann.wait_hidden(".receipts").await;
    ann.wait_hidden(".typing [data-typing]").await;
    ann.wait_text(".receipts", "Read").await;
    bob.type_into(".compose textarea", "\u{e007}").await;
    ann.wait_message("yes").await;
    ann.wait_hidden(".receipts").await;
    bob.wait_text(".receipts", "Read").await;
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}

#[tokio::test]
async fn presence_shows_live() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let bob = format!("#people .person[data-account='{}']", people.bob.id);
    people
        .ann_browser
        .wait_visible(&format!("{bob}[data-state=here]"))
        .await;
    people.bob_browser.close().await;
    people
        .ann_browser
        .wait_visible(&format!("{bob}[data-state=away]"))
        .await;
    people.ann_browser.close().await;
}

#[tokio::test]
async fn room_changes_reach_sidebars() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let (ann_browser, bob_browser) = (&people.ann_browser, &people.bob_browser);
    ann_browser.click(".side a[href$='/rooms/new']").await;
    ann_browser.fill("#f-name", "garden").await;
    ann_browser.click("main form .btn").await;
    ann_browser.wait_text("main h1", "garden").await;
    bob_browser.wait_text(".side a.room", "garden").await;
    ann_browser.click("main .tools a[href$='/settings']").await;
    ann_browser.fill("#f-name", "orchard").await;
    ann_browser
        .click("form[action='/act/community.change-room'] .btn:not(.quiet)")
        .await;
    bob_browser.wait_text(".side a.room", "orchard").await;
    let room = bob_browser
        .js(
            "[...document.querySelectorAll('.side a.room')].find((one) => \
            one.textContent.includes('orchard')).dataset.room",
        )
        .await;
    ann_browser
        .go(&format!(
            "/rooms/{}/settings",
            room.as_str().expect("an id")
        ))
        .await;
    ann_browser
        .click("form[action='/act/community.archive-room'] .btn")
        .await;
    ann_browser.click("dialog[open] .danger").await;
    bob_browser
        .wait_until(
            "![...document.querySelectorAll('.side a.room')].some((one) => \
        one.textContent.includes('orchard'))",
        )
        .await;
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}

#[tokio::test]
async fn unread_marks_sync_between_tabs() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let room = people.ann.create_room("garden").await;
    let bob_browser = &people.bob_browser;
    let phone = Browser::signed_in(&people.bob, &people.server.base()).await;
    phone.open_room(&people.ann.room("general")).await;
    let mark = format!("#room-link-{room}:has(.unread > i)");
    bob_browser
        .wait_until(&format!("document.querySelector('#room-link-{room}')"))
        .await;
    assert_eq!(bob_browser.count(&mark).await, 0);
    people.ann.post(&room, "over here").await;
    bob_browser
        .wait_until(&format!("document.querySelector({})", json!(mark)))
        .await;
    phone
        .wait_until(&format!("document.querySelector({})", json!(mark)))
        .await;
    bob_browser.click(&format!("#room-link-{room}")).await;
    bob_browser.wait_message("over here").await;
    phone
        .wait_until(&format!("!document.querySelector({})", json!(mark)))
        .await;
    bob_browser
        .wait_until(&format!("!document.querySelector({})", json!(mark)))
        .await;
    phone.close().await;
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}

#[tokio::test]
async fn new_divider_marks_messages_of_hidden_tab() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let bob_browser = &people.bob_browser;
    people.ann.post("general", "seen").await;
    bob_browser.wait_message("seen").await;
    assert_eq!(
        bob_browser.count(".log > .new").await,
        0,
        "what is seen as it comes is not new"
    );
    // Which of its tabs is looked at, a browser tells a page when it comes to it.
    bob_browser
        .js(
            "['blur', 'visibilitychange'].forEach((kind) => addEventListener(kind, () => \
         { if (document.hidden || !document.hasFocus()) localStorage.left = \
        Number(localStorage.left ?? 0) + 1; }))",
        )
        .await;
    // And what came to it while another is looked at, it tells that one.
    bob_browser
        .js(
            "document.addEventListener('htmx:after:swap', () => { localStorage.log = \
        document.querySelector('.log').textContent; })",
        )
        .await;
    bob_browser
        .js("(() => { const send = WebSocket.prototype.send; \
         WebSocket.prototype.send = function (text) { if (text.includes('chat.read')) window.read \
        = text; send.call(this, text); }; })()")
        .await;
    let room_tab = bob_browser.new_tab().await;
    bob_browser.go("/account").await;
    bob_browser.wait_until("localStorage.left").await;
    let other = bob_browser.client.window().await.expect("a tab");
    people.ann.post("general", "unseen").await;
    bob_browser
        .wait_until("localStorage.log?.includes('unseen')")
        .await;
    bob_browser.to_tab(room_tab.clone()).await;
    bob_browser
        .wait_until("document.querySelector('.log > .new + .msg')?.textContent.includes('unseen')")
        .await;
    bob_browser
        .wait_until(
            "window.read?.includes(document.querySelector('.log > .new + .msg').id.slice(2))",
        )
        .await;
    // A count, because one tab sees what another stores a little later.
    let before = bob_browser.js("Number(localStorage.left)").await;
    bob_browser.to_tab(other).await;
    bob_browser
        .wait_until(&format!("localStorage.left > {before}"))
        .await;
    people.ann.post("general", "later").await;
    bob_browser
        .wait_until("localStorage.log.includes('later')")
        .await;
    bob_browser.to_tab(room_tab).await;
    bob_browser
        .wait_until("document.querySelector('.log > .new + .msg')?.textContent.includes('later')")
        .await;
    assert_eq!(bob_browser.count(".log > .new").await, 1);
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}

/// Far from the server's clock, and not by whole hours.
const ELSEWHERE: &str = "Asia/Kolkata";

/// Counts what is asked of `Intl`, which is slow the first time.
const COUNTED: &str = "for (const name of ['DateTimeFormat', 'NumberFormat', 'Segmenter', \
    'Collator', 'PluralRules']) \
    Intl[name] = new Proxy(Intl[name], { construct: (made, given) => { window.__asked = \
    (window.__asked ?? 0) + 1; return new made(...given); } })";

#[tokio::test]
async fn times_are_local_without_intl() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let (ann_browser, bob_browser) = (&people.ann_browser, &people.bob_browser);
    ann_browser.send_message("long ago").await;
    ann_browser.send_message("the day before").await;
    ann_browser.send_message("now").await;
    bob_browser.wait_message("now").await;
    bob_browser
        .devtools(
            "Emulation.setTimezoneOverride",
            json!({ "timezoneId": ELSEWHERE }),
        )
        .await;
    bob_browser
        .devtools(
            "Page.addScriptToEvaluateOnNewDocument",
            json!({ "source": COUNTED }),
        )
        .await;
    bob_browser.reload().await;
    bob_browser.wait_message("now").await;
    bob_browser.wait_text(".log > .day", "Today").await;
    let apart = "[...document.querySelectorAll('.msg time')].filter((time) => time.textContent !== \
        new Date(time.dateTime).toLocaleTimeString(navigator.language, { minute: '2-digit', hour: \
        navigator.language === 'en-US' ? 'numeric' : '2-digit', timeZone: 'Asia/Kolkata' })\
        .replace(/\\s/g, ' '))";
    bob_browser
        .wait_until(&format!("{apart}.length === 0"))
        .await;
    assert_eq!(
        bob_browser.js("window.__asked ?? 0").await,
        0,
        "the page of a room begins without asking Intl"
    );

    // Messages of other days: a message comes, and the lines between days are drawn again.
    bob_browser
        .js(
            "(document.querySelectorAll('.msg')[0].dataset.at = '2025-03-08T18:31:00Z', \
         document.querySelectorAll('.msg')[1].dataset.at = new Date(Date.now() - \
        86400000).toISOString(), true)",
        )
        .await;
    ann_browser.send_message("a line").await;
    bob_browser.wait_message("a line").await;
    let days = "[...document.querySelectorAll('.log > .day')].map((line) => line.textContent)";
    bob_browser
        .wait_until(&format!("{days}.length === 3"))
        .await;
    assert_eq!(
        bob_browser.js(days).await,
        json!(["Sunday, 9 March 2025", "Yesterday", "Today"]),
        "it was past midnight there"
    );
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}
