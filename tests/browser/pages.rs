//! Every page there is: nothing for axe-core to find, no id twice, no word that cannot be
//! translated.

use serde_json::{Value, json};

use super::driver::acquire_browsers;
use super::session::{Browser, Kind};
use crate::support::{Person, TestServer};

const AXE: &str = include_str!("vendor/axe.min.js");
const RICH: &str = "Look **here**, `so`:\n\n```rust\nfn main() { println!(\"tide\"); } // comment\n\
    ```\n\n\
    | pool | depth |\n|---|---|\n| north | 3 |\n\n> said before\n\n1. one\n2. two\n\n- [x] done\n\n\
    <https://example.org> :tada:";

/// A server with something on each of its pages.
struct AllPages {
    server: TestServer,
    ann: Person,
    setup: TestServer,
    pages: Vec<String>,
    outside: Vec<String>,
}

async fn all_pages() -> AllPages {
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let bob = server.member("Bob").await;
    ann.post("general", RICH).await;
    ann.post("general", "and on").await;
    super::voice_messages::post_voice(&ann).await;
    let mine = ann.post("general", "mine").await;
    let gone = bob.post("general", "gone").await;
    bob.delete(&gone).await;
    let edited = bob.post("general", "edited").await;
    bob.edit(&edited, "edited once").await;
    let (space, general) = (ann.space.clone(), ann.room("general"));
    let empty = ann.create_room("empty").about("Nothing yet").await;
    let private = ann.create_room("private").private().with(&[&bob]).await;
    let shut = ann.create_room("shut").await;
    ann.act(
        "community.archive-room",
        json!({ "room": shut, "archive": "yes" }),
    )
    .await
    .done();
    let direct = ann.direct(&[&bob]).await;
    let invite = ann.invite().await;
    let pages = vec![
        format!("/rooms/{general}"),
        format!("/rooms/{empty}"),
        format!("/rooms/{private}"),
        format!("/rooms/{shut}"),
        format!("/rooms/{direct}"),
        format!("/rooms/{general}?at={}", mine.id),
        format!("/rooms/{general}/settings"),
        format!("/spaces/{space}"),
        format!("/spaces/{space}/settings"),
        format!("/spaces/{space}/invitations"),
        format!("/spaces/{space}/start"),
        format!("/spaces/{space}/joining"),
        format!("/spaces/{space}/applications"),
        format!("/spaces/{space}/rules-text"),
        format!("/spaces/{space}/welcome"),
        "/spaces".into(),
        "/registration".into(),
        format!("/spaces/{space}/people"),
        format!("/spaces/{space}/rooms/new"),
        "/account".into(),
        "/direct".into(),
        "/find?q=a".into(),
        "/dead-letters".into(),
        "/jobs".into(),
        format!("/messages/{}/edit", mine.id),
        format!("/messages/{}/delete", mine.id),
        "/nothing-here".into(),
        format!("/messages/{}/edit", edited.id),
    ];
    let outside = vec![
        "/sign-in".into(),
        invite,
        "/join/over-and-gone".into(),
        "/account".into(),
    ];
    AllPages {
        server,
        ann,
        setup: TestServer::start().await,
        pages,
        outside,
    }
}

impl AllPages {
    /// Calls `look` on every page: signed in, signed out, before setup.
    async fn visit_all(&self, kind: Kind, look: impl AsyncFn(&Browser, &str)) {
        let browser = Browser::signed_in_as(kind.clone(), &self.ann, &self.server.base()).await;
        for page in &self.pages {
            browser.go(page).await;
            if browser.count("[data-room-page]").await > 0 {
                browser.wait_live().await;
            }
            look(&browser, page).await;
        }
        browser
            .close_expecting(|entry| entry.contains("status of 40"))
            .await;
        let browser = Browser::of(kind.clone(), &self.server.base()).await;
        for page in &self.outside {
            browser.go(page).await;
            look(&browser, page).await;
        }
        browser
            .close_expecting(|entry| entry.contains("status of 4"))
            .await;
        let browser = Browser::of(kind, &self.setup.base()).await;
        browser.go("/").await;
        look(&browser, "/setup").await;
        browser.close().await;
    }
}

/// No id twice, and nothing for axe in these colour schemes.
pub(super) async fn assert_accessible(browser: &Browser, page: &str, schemes: &[&str]) {
    let twice = browser
        .js(
            "[...document.querySelectorAll('[id]')].map((one) => one.id).filter((id, place, all) \
            => all.indexOf(id) !== place)",
        )
        .await;
    assert_eq!(twice, json!([]), "ids that stand twice on {page}");
    browser
        .client
        .execute(AXE, Vec::new())
        .await
        .expect("axe loads");
    for scheme in schemes {
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }, {
            "name": "prefers-reduced-motion", "value": "reduce" }] });
        browser.devtools("Emulation.setEmulatedMedia", media).await;
        let script = "const done = arguments[0]; axe.run(document, { resultTypes: ['violations'] \
            }).then((found) => done(
            found.violations.map((one) => [one.id, one.help, one.nodes.slice(0, 4).map((node) => \
            node.html.slice(0, 200) + ' ' + node.any.map((x) => x.message).join())])))";
        let found = browser
            .client
            .execute_async(script, Vec::new())
            .await
            .expect("axe runs");
        assert_eq!(
            found,
            json!([]),
            "axe finds on {page} in {scheme}: {found:#}"
        );
    }
}

#[tokio::test]
async fn axe_passes_with_unique_ids() {
    let _browsers = acquire_browsers(1).await;
    let whole = all_pages().await;
    whole
        .visit_all(Kind::default(), async |browser, page| {
            assert_accessible(browser, page, &["light", "dark"]).await
        })
        .await;
}

#[tokio::test]
async fn axe_passes_on_phone() {
    let _browsers = acquire_browsers(1).await;
    let whole = all_pages().await;
    let kind = Kind {
        phone: true,
        ..Kind::default()
    };
    whole
        .visit_all(kind, async |browser, page| {
            assert_accessible(browser, page, &["light"]).await
        })
        .await;
}

/// Words on the page that no catalogue holds: all text and labels outside of what people wrote,
/// without marks.
const UNTRANSLATED: &str = r#"(() => {
    const written = '[translate=no], .body, bdi, kbd, .face, .mono, [dir=auto], option[lang], '
        + '.rail a > span, time, code, .code';
    const stray = [];
    const look = (text, where) => {
        const rest = text.replace(/⟦[^⟦⟧]*(?:⟦[^⟦⟧]*⟧[^⟦⟧]*)*⟧/g, '')
            .replace(/Glasshouse|Ann|Bob|general|empty|private|shut|Tidepool/g, '');
        if (/\p{L}{2,}/u.test(rest)) stray.push(`${where}: ${text.trim()}`);
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const parent = walker.currentNode.parentElement;
        if (parent.closest('script, style, template, noscript') || parent.closest(written)) continue;
        look(walker.currentNode.data, parent.outerHTML.slice(0, 80));
    }
    for (const one of document.querySelectorAll('[aria-label], [title], [placeholder], [alt]')) {
        for (const name of ['aria-label', 'title', 'placeholder', 'alt']) {
            if (!one.hasAttribute(name) || one.closest('.body, time')) continue;
            look(one.getAttribute(name), name);
        }
    }
    look(document.title, 'title');
    return stray;
})()"#;

#[tokio::test]
async fn page_words_come_from_catalogue() {
    let _browsers = acquire_browsers(1).await;
    let whole = all_pages().await;
    let kind = Kind {
        language: Some("qps-ploc"),
        ..Kind::default()
    };
    whole
        .visit_all(kind.clone(), async |browser, page| {
            assert!(
                browser.text("main").await.contains('⟦')
                    || browser.count("[data-room-page]").await > 0,
                "{page} does not speak it"
            );
            let stray = browser.js(UNTRANSLATED).await;
            assert_eq!(stray, json!([]), "words that escaped on {page}: {stray:#}");
        })
        .await;

    // What scripts make: day lines, the line above what is new, and a message that was not sent.
    let browser = Browser::signed_in_as(kind, &whole.ann, &whole.server.base()).await;
    browser.open_room(&whole.ann.room("general")).await;
    let lines = browser
        .js("[...document.querySelectorAll('.day, .new')].map((one) => one.textContent)")
        .await;
    assert!(
        lines.as_array().is_some_and(|all| !all.is_empty()
            && all
                .iter()
                .all(|one| one.as_str().is_some_and(|text| text.contains('⟦')))),
        "{lines}"
    );
    browser
        .js(
            "(document.querySelector('.compose textarea').value = 'x'.repeat(4100), \
        document.querySelector('.compose textarea').dispatchEvent(new Event('input')), true)",
        )
        .await;
    browser.click(".compose .send").await;
    browser.wait_visible(".compose .error").await;
    let stray = browser.js(UNTRANSLATED).await;
    assert_eq!(
        stray,
        Value::Array(Vec::new()),
        "words that escaped: {stray:#}"
    );
    browser.close().await;
}
