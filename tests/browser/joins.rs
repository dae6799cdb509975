//! A line in the first room of a space tells who has joined, where its owner wants it.

use super::driver::acquire_browsers;
use super::session::Browser;
use crate::support::TestServer;

#[tokio::test]
async fn joins_are_told_where_the_owner_wants_it() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    server.member("Bob").await;
    let page = Browser::signed_in(&ann, &server.base()).await;
    page.go(&format!("/spaces/{}/settings", ann.space)).await;
    page.click("[name=tell]").await;
    page.click("form[action='/act/community.tell-joins'] .btn")
        .await;
    page.wait_until("document.querySelector('[name=tell]')?.checked")
        .await;
    page.open_room(&ann.room("general")).await;
    server.member("Cem").await;
    page.wait_text(".log > .told", "Cem joined").await;
    // Those who follow soon share the line; it is nobody's message to edit.
    server.member("Dee").await;
    page.wait_text(".log > .told", "Cem and Dee joined").await;
    server.member("Eve").await;
    server.member("Fay").await;
    page.wait_text(".log > .told", "Cem, Dee and 2 others joined")
        .await;
    assert_eq!(page.count(".log > .told").await, 1);
    assert_eq!(page.count(".told .act").await, 0);
    page.wait_until(
        "![...document.querySelectorAll('.told')].some((one) => \
        one.textContent.includes('Bob'))",
    )
    .await;

    page.go(&format!("/spaces/{}/settings", ann.space)).await;
    page.click("[name=tell]").await;
    page.click("form[action='/act/community.tell-joins'] .btn")
        .await;
    page.wait_until("document.querySelector('[name=tell]:not(:checked)')")
        .await;
    page.close().await;
}
