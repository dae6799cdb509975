//! Pictures of people over their initials, as a browser paints them.

use fantoccini::Locator;

use super::driver::acquire_browsers;
use super::session::Browser;
use super::two_people;
use crate::support::eventually;

const PNG: &[u8] = include_bytes!("../../docs/images/phone.png");
const FACE: &str = ".log > .msg .face";

#[tokio::test]
async fn portrait_covers_initials_only_where_there_is_one() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let (ann, bob) = (&people.ann_browser, &people.bob_browser);
    ann.send_message("low water at six").await;
    bob.wait_message("low water at six").await;
    bob.wait_text(FACE, "A").await;
    // Without a picture one transparent pixel lies over the initials, as large as they are.
    let loaded = format!("document.querySelector('{FACE} img')?.naturalWidth");
    bob.wait_until(&format!("{loaded} === 1")).await;
    let fits = format!(
        "(() => {{ const face = document.querySelector('{FACE}'), box = \
            face.getBoundingClientRect(), \
         over = face.querySelector('img').getBoundingClientRect(); \
         return box.width === over.width && box.height === over.height && box.left === over.left; \
            }})()"
    );
    assert_eq!(bob.js(&fits).await, true);

    let form = [("account", people.ann.id.as_str())];
    let action = "/act/community.set-portrait";
    people
        .ann
        .form_with_files(action, "/account", &form, &[("me.png", PNG)])
        .await
        .expect(303);
    // One's own is there with the next page, once it is made.
    eventually("portrait of one's own", || async {
        ann.reload().await;
        ann.wait_live().await;
        (ann.js(&format!("{loaded} > 1")).await == true).then_some(())
    })
    .await;
    assert_eq!(ann.js(&fits).await, true);

    // One that cannot be had leaves the initials, without a frame or an icon: nothing is painted.
    let mine = ".me .face";
    bob.wait_until(&format!(
        "document.querySelector('{mine} img')?.naturalWidth === 1"
    ))
    .await;
    let transparent = painted(bob, mine).await;
    let fails = format!(
        "(() => {{ const img = document.querySelector('{mine} img'); img.onerror = () => {{ \
         img.dataset.failed = ''; }}; img.src = '/nothing-here'; return true; }})()"
    );
    bob.js(&fails).await;
    bob.wait_until(&format!(
        "document.querySelector('{mine} img[data-failed]')"
    ))
    .await;
    let failed = painted(bob, mine).await;
    bob.js(&format!(
        "(document.querySelector('{mine} img').remove(), true)"
    ))
    .await;
    let initials = painted(bob, mine).await;
    assert!(transparent == initials, "the transparent pixel is seen");
    assert!(failed == initials, "a failed image is seen");
}

/// An element as it is painted: a PNG.
async fn painted(browser: &Browser, css: &str) -> Vec<u8> {
    let element = browser.client.find(Locator::Css(css)).await;
    let element = element.expect("it is on the page");
    element.screenshot().await.expect("a picture")
}
