//! Every feed as somebody who may not follow it.

use super::fixture::Fixture;

/// Feed, and whether a stranger, a member outside and a member inside may follow it.
pub(super) const FEEDS: &[(&str, [bool; 3])] = &[
    ("room/{room}", [false, false, true]),
    ("room/{room}/typing", [false, false, true]),
    ("room/{room}/presence", [false, false, true]),
    ("room/{room}/voice", [false, false, true]),
    ("room/{room}/terminals", [false, false, true]),
    ("room/{room}/terminals/screens", [false, false, true]),
    ("space/{space}", [false, true, true]),
    ("space/{space}/applications", [false, false, false]),
    ("space/{space}/presence", [false, true, true]),
    ("account/{account}", [false, false, false]),
    ("account/{account}/inbox", [false, false, false]),
    ("account/{account}/unread", [false, false, false]),
    ("account/{account}/letters", [false, false, false]),
    ("letters/{letter}", [false, false, false]),
    ("space/{space}/museum", [false, true, true]),
    ("space/{space}/contests", [false, true, true]),
    ("server/jobs", [false, false, false]),
    ("space/{space}/queue", [false, false, false]),
    ("server/queue", [false, false, false]),
];

#[tokio::test]
async fn feeds_refuse_the_unauthorised() {
    let fixture = Fixture::start().await;
    for (template, allowed) in FEEDS {
        let feed = fixture.fill(template);
        for (person, allowed) in fixture.people.iter().zip(allowed) {
            let mut socket = person.socket().await;
            let answer = socket.subscribe(&feed, None).await;
            assert_eq!(
                answer["type"] == "subscribed",
                *allowed,
                "{}: {feed}: {answer}",
                person.name
            );
            let mut greeted = person.socket_at(&format!("/live?feed={feed}")).await;
            let answer = greeted
                .expect("an answer", |received| received["feed"] == feed.as_str())
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
