//! What people write stays text, wherever it is shown.

use serde_json::json;

use super::driver::acquire_browsers;
use super::session::Browser;
use crate::support::{PASSWORD, TestServer};

const PROBES: [&str; 8] = [
    "<img src=x onerror=window.__xss=1>",
    "<script>window.__xss=1</script>",
    "\"><svg onload=window.__xss=1>",
    "'><a href=javascript:window.__xss=1>",
    "[x](javascript:window.__xss=1)",
    "<hx-partial hx-target=body>x",
    "</template><b autofocus onfocus=x>",
    "${window.__xss=1}{{7*7}}",
];
const LONG: [&str; 5] = [
    "![x](x\" onerror=\"window.__xss=1)",
    "```\"><script>window.__xss=1</script>\nx\n```",
    "<div hx-get=/sign-out hx-trigger=load data-feeds=account/1@x.1 id=live class=compose>x</div>",
    "<a href=\"data:text/html,<script>window.__xss=1</script>\">x</a> \
        <https://example.org/\"onmouseover=\"window.__xss=1>",
    "<style>*{display:none}</style><form action=/sign-out><button>x</button></form><iframe \
        srcdoc='<script>top.__xss=1</script>'></iframe>",
];

#[tokio::test]
async fn injected_markup_never_runs() {
    let _browsers = acquire_browsers(2).await;
    let server = TestServer::with(&[("TIDEPOOL_WRITES_PER_10_SECONDS", "100000")]).await;
    let base = server.base();
    let ann = Browser::open(&base).await;
    ann.go("/").await;
    for (field, text) in [
        ("community", PROBES[0]),
        ("name", PROBES[1]),
        ("email", "ann@example.org"),
        ("password", PASSWORD),
    ] {
        ann.fill(&format!("[name={field}]"), text).await;
    }
    ann.click("main .btn").await;
    ann.wait_visible("form[action='/act/community.invite']")
        .await;
    ann.go("/").await;
    ann.wait_text("main h1", "general").await;
    let general = ann.path().await;
    ann.click(".side > header a").await;
    ann.click("nav.tabs a[href$='/invitations']").await;
    ann.click("form[action='/act/community.invite'] button")
        .await;
    ann.wait_visible("input[readonly]").await;
    let link = ann
        .js("document.querySelector('input[readonly]').value")
        .await;

    let bob = Browser::open(&base).await;
    bob.client
        .goto(link.as_str().expect("a link"))
        .await
        .expect("the invitation opens");
    for (field, text) in [
        ("name", PROBES[2]),
        ("email", "bob@example.org"),
        ("password", PASSWORD),
    ] {
        bob.fill(&format!("[name={field}]"), text).await;
    }
    bob.click("main .btn").await;
    bob.wait_text("main h1", "general").await;
    bob.wait_live().await;
    bob.js("(window.__same = true)").await;

    // Rooms, live in Bob's sidebar; descriptions on their pages.
    let new_room = ann
        .js("document.querySelector('.side a[href$=\"/rooms/new\"]').getAttribute('href')")
        .await;
    let mut rooms = Vec::new();
    for probe in PROBES {
        ann.go(new_room.as_str().expect("an address")).await;
        ann.fill("#f-name", probe).await;
        ann.fill("#f-about", probe).await;
        ann.click("main form .btn").await;
        ann.wait_visible(".compose textarea").await;
        rooms.push(ann.path().await);
        bob.wait_text(".side a.room", probe).await;
    }
    ann.go(&general).await;
    ann.wait_live().await;
    for probe in PROBES.iter().chain(&LONG) {
        let before = bob.count(".log > .msg").await;
        ann.js(&format!(
            "(document.querySelector('.compose textarea').value = {}, true)",
            json!(probe)
        ))
        .await;
        ann.click(".compose .send").await;
        bob.wait_until(&format!(
            "document.querySelectorAll('.log > .msg').length > {before}"
        ))
        .await;
    }
    // Editing in place.
    ann.wait_until("!document.querySelector('[data-pending]')")
        .await;
    ann.js("(document.querySelector('.compose textarea').focus(), true)")
        .await;
    ann.type_into(".compose textarea", "\u{e013}").await;
    ann.fill(".msg form.edit textarea", PROBES[0]).await;
    ann.type_into(".msg form.edit textarea", "\u{e007}").await;
    bob.wait_until("document.querySelector('.log > .msg:last-child .edited')")
        .await;
    // Typing, under a name that is a probe.
    bob.type_into(".compose textarea", "x").await;
    ann.wait_visible(".typing span").await;
    assert_eq!(bob.js("window.__same").await, true);
    for browser in [&ann, &bob] {
        assert_eq!(
            browser.js("window.__xss === undefined").await,
            true,
            "a live frame ran something"
        );
        assert_eq!(
            browser
                .count(
                    ".body :is(script, style, iframe, form, svg, [onerror], [onload], \
            [hx-get], [data-feeds], [href^='javascript:'], [href^='data:'])"
                )
                .await,
            0
        );
    }
    let mut pages = rooms;
    pages.extend([
        general,
        "/account".into(),
        "/direct".into(),
        "/find?q=a".into(),
        "/sign-in".into(),
    ]);
    for page in pages {
        ann.go(&page).await;
        if page.starts_with("/rooms") {
            ann.wait_live().await;
        }
        assert_eq!(
            ann.js("window.__xss === undefined").await,
            true,
            "something ran on {page}"
        );
    }
    ann.close().await;
    bob.close().await;
}
