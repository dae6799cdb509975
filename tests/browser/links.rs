//! Links: to another page without losing this one, and to what is no page.

use super::driver::seats;
use super::scene::two;

#[tokio::test]
async fn links_swap_without_full_load() {
    let _seats = seats(2).await;
    let scene = two(&[]).await;
    let (base, bobs) = (scene.server.base(), &scene.bobs);
    let garden = scene.ann.create_room("garden").await;
    let general = scene.ann.room("general");
    scene
        .ann
        .post("general", &format!("over to {base}/rooms/{garden}"))
        .await;
    bobs.hears("over to").await;
    bobs.js("(window.kept = true)").await;

    bobs.click(".msg:last-child .body a").await;
    bobs.reads("main h1", "garden").await;
    assert_eq!(bobs.path().await, format!("/rooms/{garden}"));

    // Of several asked for at once the last is shown, whichever answer comes first.
    bobs.js(&format!("['#room-link-{general}', '#room-link-{garden}', '#room-link-{general}', '.to-people'].forEach((link) => document.querySelector(link).click())"))
        .await;
    bobs.sees("main > .pane").await;
    bobs.until("location.pathname.endsWith('/people')").await;
    bobs.js("history.back()").await;
    bobs.reads("main h1", "garden").await;
    assert_eq!(
        bobs.js("window.kept").await,
        true,
        "the page was loaded anew"
    );
    scene.ann.post(&garden, "still here?").await;
    bobs.hears("still here?").await;

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
        bobs.hears(link).await;
        bobs.click(".msg:last-child .body a").await;
        bobs.until(there).await;
        bobs.click(".mark, .rail a").await;
        bobs.until(&format!("!({there}) && document.querySelector('.side')"))
            .await;
        bobs.js("history.back()").await;
        bobs.until(there).await;
        bobs.js("history.back()").await;
        bobs.reads("main h1", "garden").await;
    }
    scene.ann.post(&garden, "and now?").await;
    bobs.hears("and now?").await;
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
    bobs.hears("see").await;
    bobs.click(".msg:last-child .body a").await;
    bobs.until("document.body.textContent.trim() === 'ok'")
        .await;
    scene.anns.leaves().await;
    scene
        .bobs
        .leaves_after(|line| line.contains("status of 404"))
        .await; // the room, and a picture for what names none
}
