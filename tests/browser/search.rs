//! Searching messages in a browser: results while one types, and in the dialog of Ctrl+K.

use super::driver::acquire_browsers;
use super::pages::assert_accessible;
use super::session::Browser;
use crate::support::TestServer;

#[tokio::test]
async fn messages_are_found_while_one_types() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let room = ann.create_room("garden").await;
    ann.post(&room, "The frost came early").await;
    ann.post(&room, "我们明天去东京都看樱花").await;
    let page = Browser::signed_in(&ann, &server.base()).await;
    page.go("/search").await;
    for (query, marked) in [("fros", "frost"), ("东京", "东京")] {
        page.js(&format!("document.getElementById('f-q').value = '{query}'"))
            .await;
        // The index may be a moment behind: what is typed again is looked for again.
        let typed = "document.getElementById('f-q').dispatchEvent(\
            new Event('input', { bubbles: true }))";
        page.wait_until(&format!(
            "document.querySelector('.results mark')?.textContent === '{marked}' || ({typed}, false)"
        ))
        .await;
    }
    assert_accessible(&page, "search", &["light", "dark"]).await;

    page.open_room(&ann.room("general")).await;
    page.type_keys("\u{e009}k\u{e000}").await;
    page.type_keys("frost").await;
    page.wait_text("#goto-found mark", "frost").await;
    page.type_keys("\u{e007}").await;
    page.wait_until("document.querySelector('main h1').textContent === 'garden'")
        .await;
}
