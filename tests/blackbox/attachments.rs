//! Files on messages: who may hang them, who sees them, and what is left when they go.

use serde_json::{Value, json};

use crate::support::{Message, Person, TestServer, eventually, new_key};

const PNG: &[u8] = include_bytes!("../../docs/images/phone.png");

/// Uploads a file to a room. Its id.
pub(super) async fn put(person: &Person, room: &str, name: &str, content: &[u8]) -> String {
    person.attach(room, name, content).await
}

pub(super) async fn post(
    person: &Person,
    room: &str,
    body: &str,
    files: &[&str],
    captions: &[&str],
) -> crate::support::Answer {
    person.post_files(room, body, files, captions).await
}

fn files_of(answer: &Value) -> Vec<Value> {
    answer["message"]["files"]
        .as_array()
        .expect("files")
        .clone()
}

#[tokio::test]
async fn attached_picture_shows_once_it_is_made() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    let mut bobs = bob.following(&bob.feed("room/general")).await;
    let mut page = bob.html_socket().await;
    page.follow(&bob.feed("room/general")).await;
    let (picture, note) = (
        put(&ann, "general", "pool.png", PNG).await,
        put(&ann, "general", "note.txt", b"low water at six").await,
    );
    let path = format!("/files/{picture}/pool.png");
    bob.get(&path).await.expect(404);
    let done = post(&ann, "general", "", &[&picture, &note], &["The pool <b>"])
        .await
        .done();
    let files = files_of(&done);
    assert_eq!(
        (&files[0]["name"], &files[0]["caption"], &files[1]["name"]),
        (
            &json!("pool.png"),
            &json!("The pool <b>"),
            &json!("note.txt")
        )
    );
    assert_eq!(
        bobs.event("chat.message.posted").await["event"]["message"]["files"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    let made = bobs.event("chat.attachments.ready").await;
    let shown = &made["event"]["message"]["files"][0];
    assert_eq!(
        (&shown["picture"], &shown["caption"]),
        (&json!("made"), &json!("The pool <b>"))
    );
    assert!(shown["width"].as_i64() > Some(100) && made["event"]["message"]["edited_at"].is_null());
    let frame = page.frame("?size=small").await;
    assert!(
        frame.contains("alt=\"The pool &#60;b&#62;\"") && frame.contains("data:image/webp"),
        "{frame}"
    );
    let room = bob.page(&format!("/rooms/{}", bob.room("general"))).await;
    assert!(
        room.contains(&format!("src=\"{path}?size=small\"")) && room.contains("note.txt"),
        "{room}"
    );
    assert_eq!(
        bob.fetch(&format!("{path}?size=small"))
            .await
            .header("content-type"),
        "image/jpeg"
    );
    let text = bob.fetch(&format!("/files/{note}/note.txt")).await;
    assert_eq!(
        (text.status, text.body.as_slice()),
        (200, &b"low water at six"[..])
    );
    let gallery = bob
        .page(&format!("/rooms/{}/files", bob.room("general")))
        .await;
    assert!(
        gallery.contains("note.txt") && gallery.contains(&format!("{path}?size=small")),
        "{gallery}"
    );

    // Deleting the message deletes them, and their bytes.
    let message = Message::of(&done["message"]);
    ann.delete(&message).await;
    bob.get(&path).await.expect(404);
    assert!(
        !bob.page(&format!("/rooms/{}/files", bob.room("general")))
            .await
            .contains("note.txt")
    );
    eventually("no bytes", || async {
        server.contents().is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn foreign_or_used_file_cannot_be_attached() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    ann.create_room("cellar").private().await;
    let theirs = put(&bob, "general", "a.txt", b"a").await;
    let own = put(&ann, "general", "b.txt", b"b").await;
    let elsewhere = put(&ann, "cellar", "c.txt", b"c").await;
    for files in [
        &[theirs.as_str()][..],
        &[&elsewhere],
        &["1"],
        &[&own, &own],
        &[&own, &theirs],
    ] {
        assert_eq!(
            post(&ann, "general", "hi", files, &[])
                .await
                .expect(422)
                .code(),
            "invalid",
            "{files:?}"
        );
    }
    assert!(
        ann.history("general").await.is_empty(),
        "nothing was posted with what was refused"
    );
    post(&ann, "general", "hi", &[&own], &[]).await.done();
    post(&ann, "general", "again", &[&own], &[])
        .await
        .expect(422);
    assert_eq!(
        post(&ann, "general", "", &[], &[]).await.expect(422).code(),
        "invalid"
    );
    bob.try_create_upload("chat.attachment", &ann.room("cellar"), "x.txt", 3)
        .await
        .expect(404);
    // A file in a private room is seen by those in it, and by nobody who left.
    let cem = server.member("cem").await;
    post(&ann, "cellar", "secret", &[&elsewhere], &[])
        .await
        .done();
    cem.get(&format!("/files/{elsewhere}/c.txt"))
        .await
        .expect(404);
    ann.get(&format!("/files/{elsewhere}/c.txt"))
        .await
        .expect(200);
}

#[tokio::test]
async fn same_key_attaches_files_once() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let file = put(&ann, "general", "a.txt", b"a").await;
    let fields =
        json!({ "room": ann.room("general"), "body": "one", "key": new_key(), "files": [file] });
    let first = ann.act("chat.post", fields.clone()).await.done();
    assert_eq!(ann.act("chat.post", fields).await.done(), first);
    let path = format!("/rooms/{}", ann.room("general"));
    let room = ann.room("general");
    let form: &[(&str, &str)] = &[("room", &room), ("seen", "0"), ("body", "by form")];
    let sent = ann
        .form_with_files(
            "/act/chat.post",
            &path,
            form,
            &[("x.html", b"<script>alert(1)</script>"), ("y.txt", b"y")],
        )
        .await;
    assert!(sent.location().starts_with(&path), "{}", sent.body);
    let page = ann.page(&path).await;
    assert!(
        page.contains("by form") && page.contains("x.html") && page.contains("y.txt"),
        "{page}"
    );
    let href = page
        .split("href=\"")
        .map(|rest| rest.split('"').next().unwrap_or_default())
        .find(|href| href.contains("x.html"))
        .expect("a link")
        .to_owned();
    let given = ann.fetch(&href).await;
    assert_eq!(
        (
            given.header("content-type"),
            given.header("content-disposition").split(';').next()
        ),
        ("application/octet-stream", Some("attachment"))
    );
    // Too many at once: said beside the form, and nothing is posted.
    let many: Vec<(&str, &[u8])> = (0..11).map(|_| ("z.txt", &b"z"[..])).collect();
    let refused = ann
        .form_with_files(
            "/act/chat.post",
            &path,
            &[("room", &room), ("seen", "1"), ("body", "eleven")],
            &many,
        )
        .await;
    assert!(
        refused.status == 422 && refused.body.contains("10 files"),
        "{}",
        refused.body
    );
    assert!(
        ann.history("general")
            .await
            .iter()
            .all(|message| message.body != "eleven")
    );
}
