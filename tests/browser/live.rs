//! Two windows, live: whatever one does the other sees without loading anything.

use serde_json::json;

use super::driver::reserve_browsers;
use super::scene::open_two_browsers;
use super::session::Browser;

#[tokio::test]
async fn message_changes_show_live() {
    let _permit = reserve_browsers(2).await;
    let scene = open_two_browsers(&[]).await;
    let (anns, bobs) = (&scene.anns, &scene.bobs);
    anns.js("(window.__same = true)").await;
    bobs.js("(window.__same = true)").await;
    anns.post_message("first").await;
    anns.post_message("second").await;
    bobs.wait_for_message("second").await;
    bobs.post_message("third").await;
    anns.wait_for_message("third").await;

    // Grouping: the second shares the first's header, the third does not; one line names the day.
    let second = bobs.message("second").await;
    assert_eq!(
        bobs.js(&format!(
            "document.getElementById('{second}').dataset.continues !== undefined"
        ))
        .await,
        true
    );
    let third = anns.message("third").await;
    assert_eq!(
        anns.js(&format!(
            "document.getElementById('{third}').dataset.continues !== undefined"
        ))
        .await,
        false
    );
    assert_eq!(anns.count(".log > .day").await, 1);
    anns.wait_for_text(".log > .day", "Today").await;

    // Editing in place.
    anns.click(".compose textarea").await;
    anns.type_into(".compose textarea", "\u{e013}").await;
    anns.wait_for_visible("form.edit .btn").await;
    let dock = "document.querySelector('.dock').getBoundingClientRect().top";
    anns.until(&format!(
        "document.querySelector('form.edit .btn').getBoundingClientRect().bottom <= {dock}"
    ))
    .await;
    anns.fill(".msg form.edit textarea", "second, said better")
        .await;
    anns.type_into(".msg form.edit textarea", "\u{e007}").await;
    bobs.wait_for_message("second, said better").await;
    anns.wait_for_hidden("form.edit").await;
    anns.wait_for_message("second, said better").await;

    // Deleting, after a question.
    let first = anns.message("first").await;
    anns.js(&format!(
        "(document.querySelector('#{first} .when').focus(), true)"
    ))
    .await;
    anns.click(&format!("#{first} [data-act=delete]")).await;
    anns.click("#confirm .danger").await;
    bobs.until(&format!("document.querySelector('#{first}[data-deleted]')"))
        .await;
    anns.until(&format!("document.querySelector('#{first}[data-deleted]')"))
        .await;
    assert_eq!(
        bobs.js("window.__same").await,
        true,
        "nothing was loaded anew"
    );
    assert_eq!(
        anns.js("window.__same").await,
        true,
        "nothing was loaded anew"
    );
    assert_eq!(anns.log().await, bobs.log().await);
    scene.anns.close().await;
    scene.bobs.close().await;
}

#[tokio::test]
async fn typing_shows_and_expires() {
    let _permit = reserve_browsers(2).await;
    let scene = open_two_browsers(&[]).await;
    scene.bobs.type_into(".compose textarea", "let me th").await;
    scene.anns.wait_for_text(".typing span", "Bob").await;
    scene.anns.wait_for_hidden(".typing span").await;
    // A message ends it at once.
    scene.bobs.type_into(".compose textarea", "ink").await;
    scene.anns.wait_for_text(".typing span", "Bob").await;
    scene.bobs.type_into(".compose textarea", "\u{e007}").await;
    scene.anns.wait_for_message("let me think").await;
    assert_eq!(scene.anns.count(".typing span").await, 0);
    scene.anns.close().await;
    scene.bobs.close().await;
}

#[tokio::test]
async fn presence_shows_live() {
    let _permit = reserve_browsers(2).await;
    let scene = open_two_browsers(&[]).await;
    let bob = format!("#people .person[data-account='{}']", scene.bob.id);
    scene
        .anns
        .wait_for_visible(&format!("{bob}[data-state=here]"))
        .await;
    scene.bobs.close().await;
    scene
        .anns
        .wait_for_visible(&format!("{bob}[data-state=away]"))
        .await;
    scene.anns.close().await;
}

#[tokio::test]
async fn room_changes_reach_sidebars() {
    let _permit = reserve_browsers(2).await;
    let scene = open_two_browsers(&[]).await;
    let (anns, bobs) = (&scene.anns, &scene.bobs);
    anns.click(".side a[href$='/rooms/new']").await;
    anns.fill("#f-name", "garden").await;
    anns.click("main form .btn").await;
    anns.wait_for_text("main h1", "garden").await;
    bobs.wait_for_text(".side a.room", "garden").await;
    anns.click("main .tools a[href$='/settings']").await;
    anns.fill("#f-name", "orchard").await;
    anns.click("form[action='/act/community.change-room'] .btn:not(.quiet)")
        .await;
    bobs.wait_for_text(".side a.room", "orchard").await;
    let room = bobs
        .js(
            "[...document.querySelectorAll('.side a.room')].find((one) => \
            one.textContent.includes('orchard')).dataset.room",
        )
        .await;
    anns.go(&format!(
        "/rooms/{}/settings",
        room.as_str().expect("an id")
    ))
    .await;
    anns.click("form[action='/act/community.archive-room'] .btn")
        .await;
    bobs.until(
        "![...document.querySelectorAll('.side a.room')].some((one) => \
        one.textContent.includes('orchard'))",
    )
    .await;
    scene.anns.close().await;
    scene.bobs.close().await;
}

#[tokio::test]
async fn unread_marks_sync_between_tabs() {
    let _permit = reserve_browsers(2).await;
    let scene = open_two_browsers(&[]).await;
    let room = scene.ann.create_room("garden").await;
    let bobs = &scene.bobs;
    let phone = Browser::signed_in(&scene.bob, &scene.server.base()).await;
    phone.open_room(&scene.ann.room("general")).await;
    let mark = format!("#room-link-{room}:has(.unread > i)");
    bobs.until(&format!("document.querySelector('#room-link-{room}')"))
        .await;
    assert_eq!(bobs.count(&mark).await, 0);
    scene.ann.post(&room, "over here").await;
    bobs.until(&format!("document.querySelector({})", json!(mark)))
        .await;
    phone
        .until(&format!("document.querySelector({})", json!(mark)))
        .await;
    bobs.click(&format!("#room-link-{room}")).await;
    bobs.wait_for_message("over here").await;
    phone
        .until(&format!("!document.querySelector({})", json!(mark)))
        .await;
    bobs.until(&format!("!document.querySelector({})", json!(mark)))
        .await;
    phone.close().await;
    scene.anns.close().await;
    scene.bobs.close().await;
}

#[tokio::test]
async fn new_divider_marks_messages_of_hidden_tab() {
    let _permit = reserve_browsers(2).await;
    let scene = open_two_browsers(&[]).await;
    let bobs = &scene.bobs;
    scene.ann.post("general", "seen").await;
    bobs.wait_for_message("seen").await;
    assert_eq!(
        bobs.count(".log > .new").await,
        0,
        "what is seen as it comes is not new"
    );
    // Which of its tabs is looked at, a browser tells a page when it comes to it.
    bobs.js(
        "['blur', 'visibilitychange'].forEach((kind) => addEventListener(kind, () => \
         { if (document.hidden || !document.hasFocus()) localStorage.left = \
         Number(localStorage.left ?? 0) + 1; }))",
    )
    .await;
    // And what came to it while another is looked at, it tells that one.
    bobs.js("document.addEventListener('htmx:after:swap', () => { \
        localStorage.log = document.querySelector('.log').textContent; })")
        .await;
    bobs.js("(() => { const send = WebSocket.prototype.send; \
         WebSocket.prototype.send = function (text) { if (text.includes('chat.read')) window.read \
         = text; send.call(this, text); }; })()")
        .await;
    let room_tab = bobs.new_tab().await;
    bobs.go("/account").await;
    bobs.until("localStorage.left").await;
    let other = bobs.client.window().await.expect("a tab");
    scene.ann.post("general", "unseen").await;
    bobs.until("localStorage.log?.includes('unseen')").await;
    bobs.to_tab(room_tab.clone()).await;
    bobs.until("document.querySelector('.log > .new + .msg')?.textContent.includes('unseen')")
        .await;
    bobs.until("window.read?.includes(document.querySelector('.log > .new + .msg').id.slice(2))")
        .await;
    // A count, because one tab sees what another stores a little later.
    let before = bobs.js("Number(localStorage.left)").await;
    bobs.to_tab(other).await;
    bobs.until(&format!("localStorage.left > {before}")).await;
    scene.ann.post("general", "later").await;
    bobs.until("localStorage.log.includes('later')").await;
    bobs.to_tab(room_tab).await;
    bobs.until("document.querySelector('.log > .new + .msg')?.textContent.includes('later')")
        .await;
    assert_eq!(bobs.count(".log > .new").await, 1);
    scene.anns.close().await;
    scene.bobs.close().await;
}

/// Far from the server's clock, and not by whole hours.
const ELSEWHERE: &str = "Asia/Kolkata";

/// Counts what is asked of `Intl`, which is slow the first time.
const COUNTED: &str = "for (const name of ['DateTimeFormat', 'NumberFormat', 'Segmenter', \
    'Collator', 'PluralRules']) \
    Intl[name] = new Proxy(Intl[name], { construct: (made, given) => { \
    window.__asked = (window.__asked ?? 0) + 1; return new made(...given); } })";

#[tokio::test]
async fn times_are_local_without_intl() {
    let _permit = reserve_browsers(2).await;
    let scene = open_two_browsers(&[]).await;
    let (anns, bobs) = (&scene.anns, &scene.bobs);
    anns.post_message("long ago").await;
    anns.post_message("the day before").await;
    anns.post_message("now").await;
    bobs.wait_for_message("now").await;
    bobs.devtools(
        "Emulation.setTimezoneOverride",
        json!({ "timezoneId": ELSEWHERE }),
    )
    .await;
    bobs.devtools(
        "Page.addScriptToEvaluateOnNewDocument",
        json!({ "source": COUNTED }),
    )
    .await;
    bobs.reload().await;
    bobs.wait_for_message("now").await;
    bobs.wait_for_text(".log > .day", "Today").await;
    let apart = "[...document.querySelectorAll('.msg time')].filter((time) => time.textContent !== \
        new Date(time.dateTime).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', \
        timeZone: 'Asia/Kolkata' }))";
    bobs.until(&format!("{apart}.length === 0")).await;
    assert_eq!(
        bobs.js("window.__asked ?? 0").await,
        0,
        "the page of a room begins without asking Intl"
    );

    // Messages of other days: a message comes, and the lines between days are drawn again.
    bobs.js(
        "(document.querySelectorAll('.msg')[0].dataset.at = '2025-03-08T18:31:00Z', \
         document.querySelectorAll('.msg')[1].dataset.at = new Date(Date.now() - \
         86400000).toISOString(), true)",
    )
    .await;
    anns.post_message("a line").await;
    bobs.wait_for_message("a line").await;
    let days = "[...document.querySelectorAll('.log > .day')].map((line) => line.textContent)";
    bobs.until(&format!("{days}.length === 3")).await;
    assert_eq!(
        bobs.js(days).await,
        json!(["Sunday, 9 March 2025", "Yesterday", "Today"]),
        "it was past midnight there"
    );
    scene.anns.close().await;
    scene.bobs.close().await;
}
