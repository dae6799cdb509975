//! Unread messages elsewhere: in the title and on the icon of the page.

use super::driver::acquire_browsers;
use super::two_people;

#[tokio::test]
async fn title_and_icon_tell_of_unread_elsewhere() {
    let _browsers = acquire_browsers(2).await;
    let people = two_people::start(&[]).await;
    let (ann, page) = (&people.ann, &people.bob_browser);
    let garden = ann.create_room("garden").await;
    let icon = "document.querySelector('link[rel=icon]').href";
    let plain = format!("{icon}.endsWith('/favicon.svg') || {icon}.includes('favicon.svg')");
    page.wait_until("document.title === 'general · Tidepool'")
        .await;
    page.wait_until(&plain).await;
    ann.post("garden", "the frost came").await;
    page.wait_until("document.title === '• general · Tidepool'")
        .await;
    page.wait_until(&format!("{icon}.includes('favicon-unread')"))
        .await;
    // It stays on another page, and goes by reading.
    page.click(".side .me > a").await;
    page.wait_until("document.title === '• Settings · Tidepool'")
        .await;
    page.click(&format!("#room-link-{garden}")).await;
    page.wait_message("the frost came").await;
    page.wait_until("document.title === 'garden · Tidepool'")
        .await;
    page.wait_until(&plain).await;

    // A space whose rooms are not listed.
    let space = ann
        .act(
            "community.create-space",
            serde_json::json!({ "name": "Orchard" }),
        )
        .await
        .done();
    let invite = ann
        .act(
            "community.invite",
            serde_json::json!({ "space": space["space"] }),
        )
        .await
        .done();
    let link = invite["link"].as_str().expect("a link");
    let code = link.rsplit('/').next().expect("a code");
    people.bob.form(&format!("/join/{code}"), &[]).await;
    let space = space["space"].as_str().expect("an id").to_owned();
    page.wait_visible(&format!(".rail a[href='/spaces/{space}']"))
        .await;
    let orchard = ann.page(&format!("/spaces/{space}")).await;
    let room = crate::support::text::attributes(&orchard, "data-room")
        .into_iter()
        .find(|room| room != "threads")
        .expect("a room");
    ann.post(&room, "apples").await;
    page.wait_until("document.title === '• garden · Tidepool'")
        .await;
    page.wait_visible(&format!(".rail a[href='/spaces/{space}'][data-unread]"))
        .await;
    page.wait_until(&format!(
        "document.querySelector(\".rail a[href='/spaces/{space}']\").innerText.includes('unread')"
    ))
    .await;
    people.bob.page(&format!("/rooms/{room}")).await;
    page.wait_until("document.title === 'garden · Tidepool'")
        .await;
    page.wait_until("!document.querySelector('.rail [data-unread]')")
        .await;
    people.ann_browser.close().await;
    people.bob_browser.close().await;
}
