//! A room on paper.

use serde_json::json;

use super::driver::acquire_browsers;
use super::session::Browser;
use crate::support::TestServer;

#[tokio::test]
async fn printed_room_has_all_messages_and_no_controls() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    for number in 0..60 {
        ann.post("general", &format!("message {number}")).await;
    }
    ann.post("general", &format!("```\n{}\n```", "wide ".repeat(200)))
        .await;
    let row = "| thirteen |".repeat(20).replace("||", "|");
    let rule = "|---".repeat(20);
    ann.post("general", &format!("{row}\n{rule}|\n{row}")).await;
    let browser = Browser::signed_in(&ann, &server.base()).await;
    browser.open_room(&ann.room("general")).await;
    browser.wait_text(".log pre", "wide").await;
    browser.scroll_up_to(62).await;
    browser
        .devtools(
            "Emulation.setEmulatedMedia",
            json!({ "media": "print",
                "features": [{ "name": "prefers-color-scheme", "value": "dark" }] }),
        )
        .await;
    let shown = ".rail, .side, .pane, .dock, .compose, .acts, .top .tools, .bar, .older, .newer, \
        dialog, button";
    assert_eq!(
        browser
            .js(&format!(
                "[...document.querySelectorAll('{shown}')].filter((one) => one.checkVisibility())\
                    .map((one) => one.className)"
            ))
            .await,
        json!([])
    );
    // Nothing is cut off: neither by a box that scrolls nor at the side of the page.
    let cut = "[...document.querySelectorAll('#app, main, .scroller, .log, .msg, .body, .body pre, \
        .body table')]\
        .filter((one) => getComputedStyle(one).overflowY !== 'visible' \
            || one.scrollWidth > document.documentElement.clientWidth)\
        .map((one) => one.className)";
    assert_eq!(browser.js(cut).await, json!([]));
    let heights = "document.documentElement.scrollHeight >= [...document.querySelectorAll('.msg')]\
        .reduce((sum, one) => sum + one.offsetHeight, 0)";
    assert_eq!(browser.js(heights).await, true);
    let scheme = "getComputedStyle(document.documentElement).colorScheme";
    assert_eq!(browser.js(scheme).await, "light");
    let ink = "getComputedStyle(document.querySelector('.body')).color";
    let lightness = "Number(/oklch\\(([\\d.]+)/.exec(ink)?.[1])";
    assert_eq!(
        browser
            .js(&format!(
                "(() => {{ const ink = {ink}; return {lightness} < 0.5; }})()"
            ))
            .await,
        true,
        "dark letters on white"
    );
    // More than a screen: all messages are on pages.
    let pdf = browser
        .devtools("Page.printToPDF", json!({ "preferCSSPageSize": true }))
        .await;
    assert!(pdf["data"].as_str().expect("a file").len() > 10_000);
    browser.close().await;
}
