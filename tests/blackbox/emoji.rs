//! Emoji: the standard ones and those of a space.

use serde_json::json;

use super::files::pictures::png;
use crate::support::{Answer, Person, TestServer, eventually};

const IMAGE: &str = "<img class=\"emoji\"";

async fn add(person: &Person, name: &str) -> Answer {
    let settings = format!("/spaces/{}/settings", person.space);
    let form = [("space", person.space.as_str()), ("name", name)];
    let files: [(&str, &[u8]); 1] = [("it.png", &png(64, 64))];
    person
        .form_with_files("/act/community.add-emoji", &settings, &form, &files)
        .await
}

async fn remove(person: &Person, name: &str) {
    let fields = json!({ "space": person.space, "name": name });
    person.act("community.remove-emoji", fields).await.done();
}

#[tokio::test]
async fn space_emoji_are_shown_to_members_only() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    let stranger = server.stranger("eve").await;
    add(&ann, "tide").await.expect(303);
    add(&bob, "swell").await.expect(403);
    let listed = format!("/rooms/{}/emoji", bob.room("general"));
    let list = bob.get(&listed).await.expect(200).json();
    assert_eq!(list[0][0], "tide");
    stranger.get(&listed).await.expect(404);
    let twice = add(&ann, "tide").await.expect(422);
    assert!(twice.body.contains("already"), "{}", twice.body);
    let mut page = bob.html_socket().await;
    page.follow(&bob.feed("room/general")).await;
    let text = "the :tide: comes, `:tide:`, \\:tide:, fe80::tide:1 and 10:30:00";
    ann.post("general", text).await;
    let frame = page.frame(IMAGE).await;
    assert_eq!(frame.matches(IMAGE).count(), 1, "{frame}");
    let picture = frame
        .split(&format!("{IMAGE} src=\""))
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a picture")
        .to_owned();
    eventually("the emoji is made", || async {
        (bob.fetch(&picture).await.status == 200).then_some(())
    })
    .await;
    assert_eq!(list[0][1], picture.as_str());
    stranger.get(&picture).await.expect(404);
    remove(&ann, "tide").await;
    bob.get(&picture).await.expect(404);
    ann.post("general", "no :tide: now").await;
    assert!(page.frame("no :tide: now").await.contains(":tide:"));
}

#[tokio::test]
async fn emoji_with_standard_name_is_refused() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    for name in ["smile", "100", "+1", ":tada:", "Wave"] {
        let refused = add(&ann, name).await.expect(422);
        assert!(
            refused.body.contains("name of a standard emoji"),
            "{name}: {}",
            refused.body
        );
    }
    add(&ann, "smile-tide").await.expect(303);
}

#[tokio::test]
async fn changed_emoji_show_in_older_messages() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    ann.post("general", "high :tide: again").await;
    bob.post("general", "and :swell:").await;
    let room = format!("/rooms/{}", ann.room("general"));
    let images = async |person: &Person| person.page(&room).await.matches(IMAGE).count();
    for _ in 0..2 {
        assert_eq!((images(&ann).await, images(&bob).await), (0, 0));
    }
    add(&ann, "tide").await.expect(303);
    assert_eq!((images(&ann).await, images(&bob).await), (1, 1));
    add(&ann, "swell").await.expect(303);
    assert_eq!((images(&ann).await, images(&bob).await), (2, 2));
    remove(&ann, "tide").await;
    assert_eq!((images(&ann).await, images(&bob).await), (1, 1));
}
