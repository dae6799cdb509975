//! Messages: writing, changing and reading them.

use serde_json::json;

use crate::support::{Message, Person, TestServer, new_key, text};

fn bodies(messages: &[Message]) -> Vec<&str> {
    messages
        .iter()
        .map(|message| message.body.as_str())
        .collect()
}

#[tokio::test]
async fn message_length_counts_graphemes() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let family = "👩‍👩‍👧‍👦"; // one character of 25 bytes
    for (body, fits) in [
        ("x".repeat(4_000), true),
        ("x".repeat(4_001), false),
        ("語".repeat(4_000), true),
        ("語".repeat(4_001), false),
        ("e\u{301}".repeat(4_000), true),
        (family.repeat(2_000), true),
        (family.repeat(4_001), false),
        ("🏳️‍🌈".repeat(4_000), true),
    ] {
        let answer = ann.try_post("general", &body, &new_key()).await;
        let what = format!(
            "{} bytes, {}",
            body.len(),
            &body[..body.chars().next().map_or(0, char::len_utf8)]
        );
        assert_eq!(answer.status, if fits { 200 } else { 422 }, "{what}");
        if !fits {
            assert!(
                answer
                    .problem("body")
                    .is_some_and(|problem| problem.contains("4")),
                "{}",
                answer.body
            );
        }
    }
}

#[tokio::test]
async fn empty_message_is_refused() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    for nothing in ["", " ", "\r\n\t", "\u{3000}", "\0"] {
        assert!(
            ann.try_post("general", nothing, &new_key())
                .await
                .expect(422)
                .problem("body")
                .is_some(),
            "{nothing:?}"
        );
    }
    let written = ann.post("general", "\r\n  two\r\n\r\n  spaces  \r\n").await;
    assert_eq!(written.body, "  two\n\n  spaces");
}

#[tokio::test]
async fn edit_of_foreign_message_is_forbidden() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let message = bob.post("general", "The frost came erly").await;
    let edited = bob.edit(&message, "The frost came early").await;
    assert_eq!(
        (edited.id.as_str(), edited.revision, edited.body.as_str()),
        (message.id.as_str(), 2, "The frost came early")
    );
    let edit = json!({ "message": message.id, "body": "no" });
    assert_eq!(
        ann.act("chat.edit", edit).await.expect(403).code(),
        "forbidden",
        "not even the owner"
    );
    bob.act("chat.edit", json!({ "message": message.id, "body": " " }))
        .await
        .expect(422);
    bob.act("chat.edit", json!({ "message": "1", "body": "x" }))
        .await
        .expect(404);
    assert_eq!(
        bob.page(&format!("/messages/{}/source", message.id)).await,
        "The frost came early"
    );
    ann.get(&format!("/messages/{}/source", message.id))
        .await
        .expect(403);
    assert_eq!(ann.history("general").await, [edited]);
}

#[tokio::test]
async fn deleted_message_keeps_position_only() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let before = bob.post("general", "before").await;
    let message = bob.post("general", "a slip of the tongue").await;
    let after = bob.post("general", "after").await;
    assert_eq!(
        cem.act("chat.delete", json!({ "message": message.id }))
            .await
            .expect(403)
            .code(),
        "forbidden"
    );
    let deleted = bob.delete(&message).await;
    assert_eq!((deleted.body.as_str(), deleted.revision), ("", 2));
    assert_eq!(
        bob.delete(&message).await,
        deleted,
        "deleting twice is deleting"
    );
    assert_eq!(
        bob.act("chat.edit", json!({ "message": message.id, "body": "x" }))
            .await
            .expect(409)
            .code(),
        "conflict"
    );
    bob.get(&format!("/messages/{}/source", message.id))
        .await
        .expect(409);
    ann.delete(&before).await;
    let page = cem.page(&format!("/rooms/{}", cem.room("general"))).await;
    assert!(!page.contains("a slip of the tongue"));
    assert_eq!(
        text::messages(&page),
        [before.id, message.id.clone(), after.id]
    );
    assert!(
        text::tag_with_id(&page, &format!("m-{}", message.id)).contains("data-deleted"),
        "{page}"
    );
}

/// Posts this many and gives their ids.
async fn many(by: &Person, count: usize) -> Vec<String> {
    let mut socket = by.socket().await;
    let mut ids = Vec::with_capacity(count);
    for number in 0..count {
        if number < 90 {
            let fields = json!({ "room": by.room("general"), "body": format!("number {number}"), "key": new_key() });
            let reply = socket.act("chat.post", fields).await;
            ids.push(Message::of(&reply["result"]["message"]).id);
        } else {
            ids.push(by.post("general", &format!("number {number}")).await.id);
        }
    }
    ids
}

#[tokio::test]
async fn history_pages_cover_each_message_once() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let ids = many(&ann, 230).await;
    let room = ann.room("general");
    let stretch = async |fields: serde_json::Value| {
        let answer = ann.act("chat.history", fields).await.done();
        let messages: Vec<_> = answer["messages"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| Message::of(one).id)
            .collect();
        (messages, answer["more"].as_bool().expect("more or not"))
    };
    let (mut up, mut more) = stretch(json!({ "room": room })).await;
    while more {
        let (mut older, rest) = stretch(json!({ "room": room, "before": up[0] })).await;
        assert!(!older.is_empty());
        older.append(&mut up);
        (up, more) = (older, rest);
    }
    assert_eq!(up, ids);
    let (mut down, mut more) = (vec![ids[0].clone()], true);
    while more {
        let (newer, rest) = stretch(json!({ "room": room, "after": down.last() })).await;
        assert!(!newer.is_empty());
        down.extend(newer);
        more = rest;
    }
    assert_eq!(down, ids);
    ann.act(
        "chat.history",
        json!({ "room": room, "after": ids[0], "before": ids[9] }),
    )
    .await
    .expect(422);
}

#[tokio::test]
async fn history_links_work_without_scripts() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let ids = many(&ann, 130).await;
    let room = format!("/rooms/{}", ann.room("general"));
    let link = |page: &str, way: &str| {
        let start = format!("{room}?{way}=");
        text::attributes(page, "href")
            .into_iter()
            .find(|href| href.starts_with(&start))
    };
    let mut page = ann.page(&room).await;
    let mut shown = text::messages(&page);
    while let Some(href) = link(&page, "before") {
        page = ann.page(&href).await;
        shown.splice(0..0, text::messages(&page));
        assert!(shown.len() <= ids.len(), "something is shown twice");
    }
    assert_eq!(shown, ids);
    let mut down = text::messages(&page);
    while let Some(href) = link(&page, "after") {
        page = ann.page(&href).await;
        down.extend(text::messages(&page));
        assert!(down.len() <= ids.len(), "something is shown twice");
    }
    assert_eq!(down, ids);
}

#[tokio::test]
async fn permalink_shows_surrounding_messages() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let ids = many(&ann, 120).await;
    let (id, room) = (&ids[60], ann.room("general"));
    assert_eq!(
        ann.get(&format!("/messages/{id}")).await.location(),
        format!("/rooms/{room}?at={id}#m-{id}")
    );
    let shown = text::messages(&ann.page(&format!("/rooms/{room}?at={id}")).await);
    let place = shown.iter().position(|one| one == id).expect("it is there");
    assert!(
        place >= 20 && shown.len() - place >= 20,
        "{place} of {}",
        shown.len()
    );
    assert_eq!(shown, ids[60 - place..60 - place + shown.len()]);
    let first = text::messages(&ann.page(&format!("/rooms/{room}?at={}", ids[0])).await);
    assert_eq!(first[0], ids[0]);
    ann.get("/messages/1").await.expect(404);
}

#[tokio::test]
async fn log_fragment_has_same_pages() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let ids = many(&ann, 60).await;
    let log = format!("/rooms/{}/log", ann.room("general"));
    let newest = ann.fragment(&log).await.expect(200);
    assert!(
        !newest.body.contains("<html") && newest.body.contains("data-feeds"),
        "{}",
        newest.body
    );
    assert_eq!(text::messages(&newest.body), ids[10..]);
    assert_eq!(
        text::messages(
            &ann.fragment(&format!("{log}?before={}", ids[10]))
                .await
                .body
        ),
        ids[..10]
    );
    assert_eq!(
        text::messages(&ann.fragment(&format!("{log}?after={}", ids[49])).await.body),
        ids[50..]
    );
}

#[tokio::test]
async fn consecutive_messages_share_header() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let flags = [
        ann.post("general", "1").await,
        ann.post("general", "2").await,
        bob.post("general", "3").await,
    ];
    let last = ann.post("general", "4").await;
    assert_eq!(flags.map(|message| message.continues), [false, true, false]);
    assert!(!last.continues);
    ann.create_room("garden").await;
    assert!(!ann.post("garden", "5").await.continues, "rooms do not mix");
}

#[tokio::test]
async fn new_divider_precedes_first_unread_message() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let room = format!("/rooms/{}", bob.room("general"));
    ann.post("general", "seen").await;
    bob.page(&room).await;
    bob.post("general", "my own is never new").await;
    let unread = ann.post("general", "unseen").await;
    ann.post("general", "unseen too").await;
    let page = bob.page(&room).await;
    let lines: Vec<_> = page
        .match_indices("class=\"new\"")
        .map(|(at, _)| at)
        .collect();
    assert_eq!(lines.len(), 1, "{page}");
    let after = text::messages(&page[lines[0]..]);
    assert_eq!(after[0], unread.id);
    assert_eq!(text::count(&bob.page(&room).await, "class=\"new\""), 0);
}

#[tokio::test]
async fn markdown_renders_inert_html() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let written = "**bold** `code` :cat: <https://example.org/a?b&c>\n\n```rust\nlet x = 1;\n```\n[x](javascript:alert(1))";
    ann.post("general", written).await;
    let page = ann.page(&format!("/rooms/{}", ann.room("general"))).await;
    for part in [
        "<strong>bold</strong>",
        "<code>code</code>",
        "🐱",
        "href=\"https://example.org/a?b&amp;c\"",
        "noopener",
    ] {
        assert!(page.contains(part), "{part} is missing: {page}");
    }
    assert!(!page.contains("javascript:"));
}

#[tokio::test]
async fn edit_and_delete_work_without_scripts() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let message = bob.post("general", "erly").await;
    let edit = format!("/messages/{}/edit", message.id);
    assert!(bob.page(&edit).await.contains("erly"));
    ann.get(&edit).await.expect(403);
    let answer = bob
        .form(
            "/act/chat.edit",
            &[("message", &message.id), ("body", "early")],
        )
        .await;
    assert_eq!(
        answer.location(),
        format!("/rooms/{}#m-{}", message.room, message.id)
    );
    let delete = format!("/messages/{}/delete", message.id);
    bob.page(&delete).await;
    ann.page(&delete).await;
    server.member("cem").await.get(&delete).await.expect(403);
    bob.form("/act/chat.delete", &[("message", &message.id)])
        .await
        .location();
    assert_eq!(bodies(&ann.history("general").await), [""]);
}
