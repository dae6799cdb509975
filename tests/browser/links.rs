//! Links: to another page without losing this one, and to what is no page.

use super::driver::seats;
use super::scene::two;

#[tokio::test]
async fn links_lead_on_without_loading_the_page_anew() {
    let _seats = seats(2).await;
    let scene = two(&[]).await;
    let (base, bobs) = (scene.server.base(), &scene.bobs);
    let garden = scene.ann.create_room("garden").await;
    let general = scene.ann.room("general");
    scene.ann.post("general", &format!("over to {base}/rooms/{garden}")).await;
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
    assert_eq!(bobs.js("window.kept").await, true, "the page was loaded anew");
    scene.ann.post(&garden, "still here?").await;
    bobs.hears("still here?").await;

    // A file, or whatever else is no page, is for the browser to show.
    scene.ann.post(&garden, &format!("see {base}/health/live")).await;
    bobs.hears("see").await;
    bobs.click(".msg:last-child .body a").await;
    bobs.until("document.body.textContent.trim() === 'ok'").await;
    scene.anns.leaves().await;
    scene.bobs.leaves_after(|line| line.contains("/favicon.ico")).await; // it asks for one wherever no page names it
}
