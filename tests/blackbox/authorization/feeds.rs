//! Every feed, followed by people who may and may not.

use super::scene::Scene;

/// Feed, and whether a stranger, a member outside and a member inside may follow it.
pub const FEEDS: &[(&str, [bool; 3])] = &[
    ("room/{room}", [false, false, true]),
    ("room/{room}/typing", [false, false, true]),
    ("space/{space}", [false, true, true]),
    ("space/{space}/presence", [false, true, true]),
    ("account/{account}", [false, false, false]),
    ("server/jobs", [false, false, false]),
];

#[tokio::test]
async fn feeds_refuse_the_unauthorised() {
    let scene = Scene::set_up().await;
    for (template, allowed) in FEEDS {
        let feed = scene.fill(template);
        for (person, allowed) in scene.people.iter().zip(allowed) {
            let mut socket = person.socket().await;
            let answer = socket.try_follow(&feed, None).await;
            assert_eq!(
                answer["type"] == "subscribed",
                *allowed,
                "{}: {feed}: {answer}",
                person.name
            );
            let mut greeted = person.socket_at(&format!("/live?feed={feed}")).await;
            let answer = greeted
                .expect("an answer", |said| said["feed"] == feed.as_str())
                .await;
            assert_eq!(
                answer["type"] == "subscribed",
                *allowed,
                "{}: {feed}: {answer}",
                person.name
            );
            assert!(*allowed || answer["code"] == "not_found", "{answer}");
        }
    }
}
