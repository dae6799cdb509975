//! Links by which people without an account watch a terminal.

use std::time::Duration;

use serde_json::json;

use crate::support::{Sharer, TestServer, Watcher, eventually};

/// A link that is revoked is noticed within this time.
const REVOKED_WITHIN: Duration = Duration::from_secs(3);

#[tokio::test]
async fn link_shows_the_screen_to_strangers_until_it_is_revoked() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let visitor = server.visitor();
    let room = ann.room("general");
    let token = ann.terminal_token().await;
    let sharing = Sharer::begin(&server, &token, Sharer::hello(&room)).await;
    let mut sharer = sharing.expect("it is shared");
    let page = format!("/rooms/{room}/terminals/{}", sharer.terminal);
    let links = format!("{page}/links");
    // Only its host makes links, and only with the permission.
    bob.get(&links).await.expect(403);
    assert_eq!(
        bob.submit(&links, &json!({ "ttl": "day" })).await.code(),
        "forbidden"
    );
    assert!(!bob.page(&page).await.contains(&links));
    assert!(ann.page(&page).await.contains(&links));
    assert_eq!(
        ann.submit(&links, &json!({ "ttl": "year" })).await.code(),
        "invalid"
    );
    let made = ann.submit(&links, &json!({ "ttl": "day" })).await.done();
    let link = made["link"].as_str().expect("a link").to_owned();
    let path = link.split_once("/terminals/").expect("its path").1;
    let path = format!("/terminals/{path}");
    assert!(!ann.page(&links).await.contains(&path), "it is shown once");

    // The screen, nothing of the room, and no keys.
    sharer.write("pearls").await;
    sharer.until_acknowledged().await;
    let shown = eventually("its page shows the screen", || async {
        let shown = visitor.get(&path).await;
        shown.body.contains("pearls").then_some(shown)
    })
    .await;
    assert_eq!(shown.header("x-robots-tag"), "noindex, nofollow");
    assert_eq!(shown.header("referrer-policy"), "no-referrer");
    assert!(!shown.body.contains("bob") && !shown.body.contains(&format!("/rooms/{room}")));
    assert_ne!(visitor.get(&format!("{page}/text")).await.status, 200);
    let mut guest = Watcher::at(&visitor, &format!("{path}/watch")).await;
    guest.shows("pearls").await;
    assert_eq!(guest.state["mayType"], false);
    guest.keys("no").await;
    eventually("its host sees that somebody watches", || async {
        let shown = ann.page(&page).await;
        shown.contains("One guest watches by a link").then_some(())
    })
    .await;
    let mut host = Watcher::of(&ann, &room, &sharer.terminal).await;
    host.keys("a").await;
    sharer.expect_input("a").await;

    // Revoked, it leads nowhere, and who watched by it is sent away.
    let listed = ann.page(&links).await;
    let id = listed
        .split("name=\"link\" value=\"")
        .nth(1)
        .expect("a link");
    let id = id.split('"').next().expect("its number");
    let revoke = json!({ "terminal": sharer.terminal, "link": id });
    assert_eq!(
        bob.act("terminals.revoke-link", revoke.clone())
            .await
            .code(),
        "forbidden"
    );
    ann.act("terminals.revoke-link", revoke).await.done();
    assert_eq!(guest.close_code(REVOKED_WITHIN).await, 4403);
    visitor.get(&path).await.expect(404);

    // So does one whose terminal has ended.
    let made = ann.submit(&links, &json!({ "ttl": "hour" })).await.done();
    let link = made["link"].as_str().expect("a link").to_owned();
    let path = format!(
        "/terminals/{}",
        link.split_once("/terminals/").expect("its path").1
    );
    visitor.get(&path).await.expect(200);
    sharer.exit(0).await;
    eventually("it is over", || async {
        (visitor.get(&path).await.status == 404).then_some(())
    })
    .await;
}
