//! Links: to another page without losing this one, and to what is no page.

use super::driver::reserve_browsers;
use super::scene::open_two_browsers;

#[tokio::test]
async fn links_swap_without_full_load() {
    let _permit = reserve_browsers(2).await;
    let scene = open_two_browsers(&[]).await;
    let (base, bobs) = (scene.server.base(), &scene.bobs);
    let garden = scene.ann.create_room("garden").await;
    let general = scene.ann.room("general");
    scene
        .ann
        .post("general", &format!("over to {base}/rooms/{garden}"))
        .await;
    bobs.wait_for_message("over to").await;
    bobs.js("(window.kept = true)").await;

    bobs.click(".msg:last-child .body a").await;
    bobs.wait_for_text("main h1", "garden").await;
    assert_eq!(bobs.path().await, format!("/rooms/{garden}"));

    // Of several asked for at once the last is shown, whichever answer comes first.
    bobs.js(&format!(
        "['#room-link-{general}', '#room-link-{garden}', '#room-link-{general}', \
        '.to-people'].forEach((link) => document.querySelector(link).click())"
    ))
    .await;
    bobs.wait_for_visible("main > .pane").await;
    bobs.until("location.pathname.endsWith('/people')").await;
    bobs.js("history.back()").await;
    bobs.wait_for_text("main h1", "garden").await;
    assert_eq!(
        bobs.js("window.kept").await,
        true,
        "the page was loaded anew"
    );
    scene.ann.post(&garden, "still here?").await;
    bobs.wait_for_message("still here?").await;

    // To a part of another page, and back; to a page that is not there, from there home, and all
    // the way back.
    for (link, there) in [
        (
            "account#main",
            "location.hash === '#main' && document.querySelector('.facts')",
        ),
        ("rooms/1", "document.querySelector('.solo .code')"),
    ] {
        scene.ann.post(&garden, &format!("see {base}/{link}")).await;
        bobs.wait_for_message(link).await;
        bobs.click(".msg:last-child .body a").await;
        bobs.until(there).await;
        bobs.click(".mark, .rail a").await;
        bobs.until(&format!("!({there}) && document.querySelector('.side')"))
            .await;
        bobs.js("history.back()").await;
        bobs.until(there).await;
        bobs.js("history.back()").await;
        bobs.wait_for_text("main h1", "garden").await;
    }
    scene.ann.post(&garden, "and now?").await;
    bobs.wait_for_message("and now?").await;
    assert_eq!(
        bobs.js("window.kept").await,
        true,
        "the page was loaded anew"
    );

    // A file, or whatever else is no page, is for the browser to show.
    scene
        .ann
        .post(&garden, &format!("see {base}/health/live"))
        .await;
    bobs.wait_for_message("see").await;
    bobs.click(".msg:last-child .body a").await;
    bobs.until("document.body.textContent.trim() === 'ok'")
        .await;
    scene.anns.close().await;
    scene
        .bobs
        .close_ignoring(|line| line.contains("status of 404"))
        .await; // the room, and a picture for what names none
}
