//! Messages: writing, editing and deleting them.

use serde_json::json;

use crate::support::{Message, TestServer, new_key, text};

fn bodies(messages: &[Message]) -> Vec<&str> {
    messages
        .iter()
        .map(|message| message.body.as_str())
        .collect()
}

#[tokio::test]
async fn message_length_counts_graphemes_and_bytes() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let family = "👩‍👩‍👧‍👦"; // one character of 25 bytes
    for (body, fits) in [
        ("x".repeat(4_000), true),
        ("x".repeat(4_001), false),
        ("語".repeat(4_000), true),
        ("語".repeat(4_001), false),
        ("e\u{301}".repeat(4_000), true),
        (family.repeat(655), true), // 16 KiB
        (family.repeat(656), false),
        ("e\u{301}\u{302}\u{303}\u{304}".repeat(1_821), false),
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
                    .is_some_and(|problem| problem.contains("4000") || problem.contains("16 KB")),
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
    for nothing in [
        "",
        " ",
        "\r\n\t",
        "\u{3000}",
        "\0",
        "\u{2800}",
        "\u{3164} \u{200b}",
        "\u{e0041}\u{fe0f}\u{301}",
    ] {
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
async fn edit_of_changed_message_is_refused() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let message = ann.post("general", "one").await;
    let edit = |body: &str, revision: i64| {
        let fields = json!({ "message": message.id, "body": body, "revision": revision });
        ann.act("chat.edit", fields)
    };
    edit("two", 1).await.done();
    assert_eq!(edit("lost", 1).await.expect(409).code(), "conflict");
    assert_eq!(ann.history("general").await[0].body, "two");
    // The form shows what the message says now beside what was written, and then replaces it.
    let path = format!("/messages/{}/edit", message.id);
    let form = |revision| {
        [
            ("message", message.id.as_str()),
            ("body", "three"),
            ("revision", revision),
        ]
    };
    let stale = form("1");
    let refused = ann
        .form_from(&path, "/act/chat.edit", &stale)
        .await
        .expect(409);
    assert!(refused.body.contains("three"), "{}", refused.body);
    assert!(refused.body.contains("As it is now"), "{}", refused.body);
    assert!(refused.body.contains("name=\"revision\" value=\"2\""));
    ann.form("/act/chat.edit", &form("2")).await.location();
    assert_eq!(ann.history("general").await[0].body, "three");
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
async fn markdown_renders_inert_html() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let written = "**bold** `code` :cat: <https://example.org/a?b&c>\n\n```rust\nlet x = 1;\n```\n\
        [x](javascript:alert(1))";
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
