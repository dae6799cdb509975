//! Dragging: spaces in the rail, rooms and categories in the page of rooms.

use serde_json::{Value, json};

use super::driver::acquire_browsers;
use super::session::Browser;
use super::two_people;
use crate::support::Person;

/// Presses an element with a mouse or finger, moves it over another one and lets go.
async fn drag(browser: &Browser, from: &str, to: &str, pointer: &str) {
    browser.wait_visible(from).await;
    browser.wait_visible(to).await;
    browser
        .js(&format!(
            "(async () => {{
                const from = document.querySelector(`{from}`);
                const to = document.querySelector(`{to}`);
                const middle = (element) => {{
                    const {{ left, top, width, height }} = element.getBoundingClientRect();
                    return [left + width / 2, top + height / 2];
                }};
                const send = (kind, target, [clientX, clientY]) => target.dispatchEvent(
                    new PointerEvent(kind, {{ bubbles: true, cancelable: true, pointerId: 1,
                        pointerType: '{pointer}', clientX, clientY, button: 0 }}));
                const start = middle(from);
                send('pointerdown', from, start);
                await import(document.querySelector('script[src*=\"js/app.js\"]').src
                    .replace('app.js', 'sorting.js'));
                await new Promise((done) => setTimeout(done));
                const [x, y] = middle(to);
                send('pointermove', from, [x, start[1] - 6]);
                send('pointermove', from, [x, y - 2]);
                send('pointerup', from, [x, y - 2]);
            }})()"
        ))
        .await;
}

async fn items(browser: &Browser, list: &str) -> Value {
    browser
        .js(&format!(
            "[...document.querySelectorAll(`{list} [data-item]`)].map((one) => one.dataset.item)"
        ))
        .await
}

async fn make_space(ann: &Person, name: &str) -> String {
    let fields = json!({ "name": name });
    let made = ann.act("community.create-space", fields).await.done();
    made["space"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn spaces_and_rooms_are_dragged_and_others_see_it() {
    let _browsers = acquire_browsers(2).await;
    let two = two_people::start(&[]).await;
    let (ann, bob) = (&two.ann_browser, &two.bob_browser);
    let other = make_space(&two.ann, "Harbour").await;
    let first = two.ann.space.clone();
    // In the rail, with a mouse.
    ann.go(&format!("/spaces/{first}/rooms")).await;
    ann.wait_live().await;
    assert_eq!(items(ann, ".rail").await, json!([first, other]));
    drag(
        ann,
        &format!(".rail [data-item='{other}'] a"),
        &format!(".rail [data-item='{first}']"),
        "mouse",
    )
    .await;
    ann.wait_until(&format!(
        "document.querySelector('.rail [data-item]').dataset.item === '{other}'"
    ))
    .await;
    // Told once it is stored.
    ann.wait_until("document.getElementById('said').textContent.includes('was moved')")
        .await;
    ann.reload().await;
    assert_eq!(items(ann, ".rail").await, json!([other, first]));

    // Rooms in their page, with a finger, and across categories.
    let tools = two.ann.create_room("tools").await;
    let general = two.ann.room("general");
    let fields = json!({ "space": first, "name": "Garden" });
    let made = two.ann.act("community.create-category", fields).await;
    let garden = made.done()["category"].as_str().expect("an id").to_owned();
    ann.go(&format!("/spaces/{first}/rooms")).await;
    ann.wait_live().await;
    drag(
        ann,
        &format!("#order-{tools} [data-grip]"),
        &format!("#order-{general}"),
        "touch",
    )
    .await;
    bob.wait_until(&format!(
        "document.querySelector('.side a.room[href^=\"/rooms/\"]')?.dataset.room === '{tools}'"
    ))
    .await;
    drag(
        ann,
        &format!("#order-{tools} [data-grip]"),
        &format!("#category-{garden} [data-list]"),
        "mouse",
    )
    .await;
    bob.wait_text(".side details.fold", "Garden").await;
    bob.wait_until(&format!(
        "document.querySelector('.side details.fold a.room')?.dataset.room === '{tools}'"
    ))
    .await;
    two.ann_browser.close().await;
    two.bob_browser.close().await;
}
