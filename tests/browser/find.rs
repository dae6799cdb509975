//! Going anywhere: Ctrl+K, its page without scripts, and the keys between rooms.

use super::driver::acquire_browsers;
use super::pages::assert_accessible;
use super::session::{Browser, Kind};
use crate::support::TestServer;

const PLAIN: Kind = Kind {
    host: None,
    without_scripts: true,
    language: None,
    phone: false,
    without_udp: false,
};

impl Browser {
    pub(super) async fn type_keys(&self, keys: &str) {
        let focused = self.client.active_element().await.expect("an element");
        focused.send_keys(keys).await.expect("it takes keys");
    }

    async fn found(&self, names: &[&str]) {
        let names = serde_json::json!(names);
        self.wait_until(&format!(
            "JSON.stringify([...document.querySelectorAll('#goto-found [data-key]:not([data-key=all]) .name')]\
             .map((one) => one.textContent)) === JSON.stringify({names})"
        ))
        .await;
    }
}

#[tokio::test]
async fn find_leads_to_rooms_people_and_spaces() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let zoe = server.member("Zoë Ångström").await;
    server.member("王小明").await;
    let stranger = server.stranger("Zola").await;
    let plans = ann.create_room("garden-plans").await;
    let hidden = ann.create_room("plans-hidden").private().await;
    let page = Browser::signed_in(&zoe, &server.base()).await;
    page.open_room(&zoe.room("general")).await;

    // Letters typed before the list is there are not lost; nobody finds what is not theirs.
    page.type_keys("\u{e009}k\u{e000}").await;
    page.type_keys("plans").await;
    page.found(&["garden-plans"]).await;
    page.type_keys("\u{e007}").await;
    page.wait_text("main h1", "garden-plans").await;
    page.wait_until(&format!("document.activeElement.id === 'body-{plans}'"))
        .await;

    // A person of another script, with whom a conversation begins.
    page.type_keys("\u{e009}k\u{e000}").await;
    page.type_keys("小明").await;
    page.found(&["王小明"]).await;
    page.type_keys("\u{e007}").await;
    page.wait_text("main h1", "王小明").await;

    // What was used is first; the arrow keys choose; Escape leaves; nothing says so.
    page.type_keys("\u{e009}k\u{e000}").await;
    page.wait_text("#goto-found [aria-selected=true]", "王小明")
        .await;
    assert_accessible(&page, "the dialog", &["light", "dark"]).await;
    page.type_keys("\u{e015}").await;
    page.wait_text("#goto-found [aria-selected=true]", "garden-plans")
        .await;
    page.type_keys("zol").await;
    page.wait_visible("#goto-none").await;
    page.type_keys("\u{e00c}").await;
    page.wait_hidden("#goto").await;

    // With a pointer, by the button.
    page.click(".rail [data-open=goto]").await;
    page.type_keys("glass").await;
    page.found(&["Glasshouse"]).await;
    page.click("#goto-found li").await;
    page.wait_until("location.pathname.startsWith('/spaces/')")
        .await;

    // The keys beside it.
    page.type_keys("?").await;
    page.wait_visible("#keys").await;
    page.type_keys("\u{e00c}").await;
    page.wait_hidden("#keys").await;
    ann.post("garden-plans", "news").await;
    page.wait_visible(&format!("#room-link-{plans}:has(.unread > i)"))
        .await;
    page.type_keys("\u{e00a}\u{e008}\u{e015}\u{e000}").await;
    page.wait_text("main h1", "garden-plans").await;
    page.type_keys("\u{e00a}\u{e015}\u{e000}").await;
    page.wait_text("main h1", "general").await;

    for query in ["plans-hidden", "Zola", "Elsewhere"] {
        let list = zoe.fragment(&format!("/find/results?q={query}")).await;
        assert_eq!(list.expect(200).body.trim(), "", "{query}");
    }
    assert!(ann.page("/find?q=hidden").await.contains(&hidden));
    drop(stranger);
    page.close().await;
}

#[tokio::test]
async fn find_works_without_scripts() {
    let _browsers = acquire_browsers(1).await;
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    server.member("Bob Builder").await;
    ann.create_room("garden-plans").await;
    let page = Browser::signed_in_as(PLAIN, &ann, &server.base()).await;
    page.go(&format!("/rooms/{}", ann.room("general"))).await;
    page.click(".rail [data-open=goto]").await;
    page.fill("main [name=q]", "nobody at all").await;
    page.click("main form .btn").await;
    page.wait_visible("main [role=status]").await;
    page.fill("main [name=q]", "plans").await;
    page.click("main form .btn").await;
    page.click(".found a").await;
    page.wait_text("main h1", "garden-plans").await;
    page.go("/find?q=build").await;
    page.click(".found button").await;
    page.wait_text("main h1", "Bob Builder").await;
    page.close().await;
}
