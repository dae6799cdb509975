//! Messages as text: what is refused, where links and quotes end, numbers of lists, wide tables.

use serde_json::json;

use super::driver::acquire_browsers;
use super::session::Browser;
use crate::support::TestServer;

#[tokio::test]
async fn message_of_invisible_characters_is_refused() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let browser = Browser::signed_in(&ann, &server.base()).await;
    browser.open_room(&ann.room("general")).await;
    let nothings = ["\u{2800}\u{2800}", "\u{3164}", "\u{200b}\u{115f}\u{fe0f}"];
    for (before, nothing) in nothings.into_iter().enumerate() {
        browser.send_message(nothing).await;
        browser
            .wait_until(&format!(
                "document.querySelectorAll('.msg[data-failed]').length === {}",
                before + 1
            ))
            .await;
    }
    browser
        .wait_text(".msg[data-failed]", "There is nothing to send yet")
        .await;
    assert_eq!(browser.count(".log > .msg:not([data-pending])").await, 0);
    // What Markdown would leave nothing of is shown as written.
    for written in ["[x]: https://a.example", "---", "#", "```rust\n```"] {
        ann.post("general", written).await;
        let first = written.lines().next().unwrap_or_default();
        browser.wait_message(first).await;
    }
    // The browser notes each refusal.
    browser.close_expecting(|entry| entry.contains("422")).await;
}

#[tokio::test]
async fn links_quotes_and_lists_end_where_people_end_them() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let browser = Browser::signed_in(&ann, &server.base()).await;
    browser.open_room(&ann.room("general")).await;
    ann.post(
        "general",
        "请看 https://a.example/x。**“重点”**在（https://b.example/y）里",
    )
    .await;
    ann.post("general", "(انظر https://c.example/z)، ثم").await;
    ann.post("general", "> asked\nanswered").await;
    ann.post("general", "3. three\n7. seven\n7. again").await;
    browser.wait_text(".log li", "again").await;
    let links = "[...document.querySelectorAll('.log .body a')].map((link) => link.textContent)";
    assert_eq!(
        browser.js(links).await,
        json!([
            "https://a.example/x",
            "https://b.example/y",
            "https://c.example/z"
        ])
    );
    assert_eq!(browser.text(".log .body strong").await, "“重点”");
    assert_eq!(browser.text(".log blockquote").await, "asked");
    assert_eq!(browser.text(".log blockquote + p").await, "answered");
    let numbers = "[document.querySelector('.log .body ol').start, \
        ...[...document.querySelectorAll('.log .body ol > li')].map((item) => item.value)]";
    assert_eq!(browser.js(numbers).await, json!([3, 0, 7, 7]));
    browser.close().await;
}

#[tokio::test]
async fn wide_table_scrolls_by_itself() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let browser = Browser::signed_in(&ann, &server.base()).await;
    browser
        .devtools(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": 320, "height": 700, "deviceScaleFactor": 1, "mobile": true }),
        )
        .await;
    browser.open_room(&ann.room("general")).await;
    let row = "| thirteen |".repeat(12).replace("||", "|");
    let rule = "|---".repeat(12);
    ann.post("general", &format!("{row}\n{rule}|\n{row}")).await;
    browser.wait_visible(".log .body table").await;
    let sizes = "(() => { const box = document.querySelector('.log .body table').parentElement; \
        return [box.scrollWidth > box.clientWidth + 100, box.getBoundingClientRect().right <= 320, \
        document.documentElement.scrollWidth <= 320, \
        document.querySelector('.scroller').scrollWidth \
        <= document.querySelector('.scroller').clientWidth]; })()";
    assert_eq!(browser.js(sizes).await, json!([true, true, true, true]));
    // A word is not broken to make the table narrow.
    let height = "document.querySelector('.log .body td').clientHeight";
    assert!(browser.js(height).await.as_f64().expect("a height") < 40.0);
    browser.close().await;
}
