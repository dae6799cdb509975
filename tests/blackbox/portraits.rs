//! Pictures of people and spaces: one address each, whatever they show.

use serde_json::json;

use super::files::pictures::png;
use crate::support::{Answer, Person, TestServer, Upload, eventually};

const LOGS_MADE: &str = "tidepool_parts_made_total{part=\"chat.log\"}";

async fn set_portrait(person: &Person, content: &[u8]) -> Answer {
    let form = [("account", person.id.as_str())];
    let action = "/act/community.set-portrait";
    person
        .form_with_files(action, "/account", &form, &[("me.png", content)])
        .await
}

/// The picture's media type once it is neither this one nor missing, with its entity tag.
async fn changed_from(reader: &Person, address: &str, tag: &str) -> (String, String) {
    eventually("another picture", || async {
        let now = reader.fetch(address).await;
        assert_eq!(now.status, 200);
        let is_other = now.header("etag") != tag && now.header("content-type") != "image/gif";
        is_other.then(|| (now.header("content-type").into(), now.header("etag").into()))
    })
    .await
}

#[tokio::test]
async fn portrait_address_stays_and_its_answer_changes() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    let address = format!("/accounts/{}/picture", bob.id);
    let image = format!("<img src=\"{address}\" alt=\"\"");
    assert!(bob.page("/account").await.contains(&image));
    bob.post("general", "hi").await;
    let room = format!("/rooms/{}", ann.room("general"));
    assert!(ann.page(&room).await.contains(&image));

    // Without a picture: one transparent pixel, which is cached like any other.
    let none = ann.fetch(&address).await;
    let no_picture = none.header("etag").to_owned();
    assert_eq!(
        (none.status, none.header("content-type"), none.body.len()),
        (200, "image/gif", 43)
    );
    let known = [("if-none-match", no_picture.as_str())];
    let unchanged = ann.fetch_with(&address, &known).await;
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    assert!(unchanged.header("cache-control").starts_with("private"));

    set_portrait(&bob, &png(300, 200)).await.expect(303);
    let (media, first) = changed_from(&ann, &address, &no_picture).await;
    assert_eq!(media, "image/jpeg");
    assert_eq!(ann.fetch_with(&address, &known).await.status, 200);
    let known = [("if-none-match", first.as_str())];
    assert_eq!(ann.fetch_with(&address, &known).await.status, 304);

    set_portrait(&bob, &png(200, 300)).await.expect(303);
    let (_, second) = changed_from(&ann, &address, &first).await;
    assert_ne!(first, second);

    let removed = [("account", bob.id.as_str())];
    bob.form("/act/community.set-portrait", &removed)
        .await
        .expect(303);
    assert_eq!(ann.fetch(&address).await.header("etag"), no_picture);
    set_portrait(&bob, b"<script>").await.expect(422);
}

#[tokio::test]
async fn own_portrait_and_emblem_are_revalidated() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    let portrait = format!("/accounts/{}/picture", ann.id);
    let emblem = format!("/spaces/{}/picture", ann.space);
    for (reader, address, cached) in [
        (&ann, &portrait, "private, no-cache"),
        (&bob, &portrait, "private, max-age=60"),
        (&bob, &emblem, "private, no-cache"),
    ] {
        assert_eq!(reader.fetch(address).await.header("cache-control"), cached);
    }
}

#[tokio::test]
async fn pictures_are_refused_to_strangers() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let stranger = server.stranger("eve").await;
    let emblem = format!("/spaces/{}/picture", ann.space);
    // Ann owns the stranger's space, too; Bob has nothing in common with her.
    let bob = server.member("bob").await;
    let portrait = format!("/accounts/{}/picture", bob.id);
    assert!(ann.page("/account").await.contains(&emblem));
    let form = [("space", ann.space.as_str())];
    let settings = format!("/spaces/{}/settings", ann.space);
    let action = "/act/community.set-emblem";
    ann.form_with_files(action, &settings, &form, &[("sea.png", &png(64, 64))])
        .await
        .expect(303);
    let (_, tag) = changed_from(&ann, &emblem, "").await;
    let known = [("if-none-match", tag.as_str())];
    assert_eq!(stranger.fetch(&emblem).await.status, 404);
    assert_eq!(stranger.fetch_with(&emblem, &known).await.status, 404);
    set_portrait(&bob, &png(64, 64)).await.expect(303);
    let none = ann.fetch("/accounts/1/picture").await;
    let (_, portrait_tag) = changed_from(&ann, &portrait, none.header("etag")).await;
    let hidden = stranger.fetch(&portrait).await;
    assert_eq!((hidden.status, &hidden.body), (200, &none.body));
    let known_portrait = [("if-none-match", portrait_tag.as_str())];
    let asked = stranger.fetch_with(&portrait, &known_portrait).await;
    assert_eq!(asked.status, 200, "it does not tell that there is one");
    let visitor = server.visitor();
    for address in [&emblem, &portrait] {
        assert_ne!(
            visitor.fetch(address).await.header("content-type"),
            "image/gif"
        );
        assert!(!matches!(
            visitor.fetch_with(address, &known).await.status,
            200 | 304
        ));
    }
    assert_ne!(bob.fetch(&portrait).await.body, none.body);
    assert_eq!(bob.fetch(&emblem).await.status, 200);
    let removed = json!({ "space": ann.space, "account": bob.id });
    ann.act("community.remove-member", removed).await.done();
    // Another instance hears of it a moment later.
    eventually("a hidden picture", || async {
        (bob.fetch(&emblem).await.status == 404).then_some(())
    })
    .await;
}

#[tokio::test]
async fn portrait_upload_keeps_pages_of_others() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    bob.post("general", "hi").await;
    let room = format!("/rooms/{}", ann.room("general"));
    let portrait = format!("/accounts/{}/picture", bob.id);
    let mut picture = String::new();
    // Presence changes pages, too, so it may take a few tries until nothing else happens.
    for side in 100..120 {
        ann.page(&room).await;
        let tag = ann.get(&room).await.expect(200).header("etag").to_owned();
        let made = server.metric(LOGS_MADE).await;
        set_portrait(&bob, &png(side, 100)).await.expect(303);
        (_, picture) = changed_from(&ann, &portrait, &picture).await;
        let again = ann.request("GET", &room).header("If-None-Match", &tag);
        let is_kept = ann.send(again).await.status == 304;
        if is_kept && server.metric(LOGS_MADE).await.total_cmp(&made).is_eq() {
            return;
        }
    }
    panic!("every upload has the page made again");
}

#[tokio::test]
async fn portrait_is_refused_to_strangers_by_its_file_too() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let stranger = server.stranger("eve").await;
    let bob = server.member("bob").await;
    let content = png(64, 64);
    let size = content.len() as u64;
    let begun = bob
        .try_create_upload("community.portrait", &bob.id, "me.png", size)
        .await
        .expect(201);
    let path = begun.header("location").to_owned();
    let person = bob.clone();
    let upload = Upload { person, path };
    upload.patch(0, &content).await.expect(204);
    let file = upload.head().await.header("tidepool-file").to_owned();
    let fields = json!({ "account": bob.id, "files": [file] });
    bob.act("community.set-portrait", fields).await.expect(200);
    let address = format!("/files/{file}/me.png?size=small");
    eventually("the picture", || async {
        (ann.fetch(&address).await.status == 200).then_some(())
    })
    .await;
    assert_eq!(stranger.fetch(&address).await.status, 404);
}
