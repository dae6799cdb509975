//! Links: to another page without losing this one, and to what is no page.

use super::driver::acquire_browsers;
use super::two_people;

#[tokio::test]
async fn links_swap_without_full_load() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let (base, bob_browser) = (people.server.base(), &people.bob_browser);
    let garden = people.ann.create_room("garden").await;
    let general = people.ann.room("general");
    people
        .ann
        .post("general", &format!("over to {base}/rooms/{garden}"))
        .await;
    bob_browser.wait_message("over to").await;
    bob_browser.js("(window.kept = true)").await;

    bob_browser.click(".msg:last-child .body a").await;
    bob_browser.wait_text("main h1", "garden").await;
    assert_eq!(bob_browser.path().await, format!("/rooms/{garden}"));

    // Of several asked for at once the last is shown, whichever answer comes first.
    bob_browser
        .js(&format!(
            "['#room-link-{general}', '#room-link-{garden}', \
        '#room-link-{general}', '.to-people'].forEach((link) => \
        document.querySelector(link).click())"
        ))
        .await;
    bob_browser.wait_visible("main > .pane").await;
    bob_browser
        .wait_until("location.pathname.endsWith('/people')")
        .await;
    bob_browser.js("history.back()").await;
    bob_browser.wait_text("main h1", "garden").await;
    assert_eq!(
        bob_browser.js("window.kept").await,
        true,
        "the page was loaded anew"
    );
    people.ann.post(&garden, "still here?").await;
    bob_browser.wait_message("still here?").await;

    // To a part of another page, and back; to a page that is not there, from there home, and all
    // the way back.
    for (link, there) in [
        (
            "account#main",
            "location.hash === '#main' && document.querySelector('.facts')",
        ),
        ("rooms/1", "document.querySelector('.solo .code')"),
    ] {
        people
            .ann
            .post(&garden, &format!("see {base}/{link}"))
            .await;
        bob_browser.wait_message(link).await;
        bob_browser.click(".msg:last-child .body a").await;
        bob_browser.wait_until(there).await;
        bob_browser.click(".mark, .rail a").await;
        bob_browser
            .wait_until(&format!("!({there}) && document.querySelector('.side')"))
            .await;
        bob_browser.js("history.back()").await;
        bob_browser.wait_until(there).await;
        bob_browser.js("history.back()").await;
        bob_browser.wait_text("main h1", "garden").await;
    }
    people.ann.post(&garden, "and now?").await;
    bob_browser.wait_message("and now?").await;
    assert_eq!(
        bob_browser.js("window.kept").await,
        true,
        "the page was loaded anew"
    );

    // A file, or whatever else is no page, is for the browser to show.
    people
        .ann
        .post(&garden, &format!("see {base}/health/live"))
        .await;
    bob_browser.wait_message("see").await;
    bob_browser.click(".msg:last-child .body a").await;
    bob_browser
        .wait_until("document.body.textContent.trim() === 'ok'")
        .await;
    people.ann_browser.close().await;
    people
        .bob_browser
        .close_expecting(|line| line.contains("status of 404"))
        .await; // the room, and a picture for what names none
}
