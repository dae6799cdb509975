//! Voice messages: what is accepted as one, and what is shown of it wherever its message is.

use serde_json::{Value, json};

use super::account_data::copy_of;
use crate::support::{Answer, Message, Person, TestServer, eventually, new_key};

/// How long it is, and three bars.
const MARK: &str = "14200 00ff7f";
const BARS: &str = "d=\"M2 13v2M6 1v26M10 7v13\"";

/// The beginning of what a browser records: a file of WebM with tracks of these kinds.
fn webm(kinds: &[u8]) -> Vec<u8> {
    let entries: Vec<u8> = kinds
        .iter()
        .flat_map(|kind| [0xae, 0x83, 0x83, 0x81, *kind])
        .collect();
    let segment = b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff";
    let tracks = [0x16, 0x54, 0xae, 0x6b, 0x80 | entries.len() as u8];
    let rest = b"\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff some sound";
    [
        &b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm"[..],
        segment,
        &tracks,
        &entries,
        rest,
        &[0; 256], // as long as what is asked for its type
    ]
    .concat()
}

fn sound() -> Vec<u8> {
    webm(&[2])
}

async fn try_speak(person: &Person, room: &str, content: &[u8], mark: &str, body: &str) -> Answer {
    let file = person.attach(room, "spoken.webm", content).await;
    let fields = json!({ "room": person.room(room), "body": body, "key": new_key(),
        "files": [file], "voices": [mark] });
    person.act("chat.post", fields).await
}

async fn speak(person: &Person, room: &str) -> (Message, Value) {
    let done = try_speak(person, room, &sound(), MARK, "").await.done();
    (
        Message::of(&done["message"]),
        done["message"]["files"][0].clone(),
    )
}

#[tokio::test]
async fn voice_message_shows_its_length_and_waveform() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    let mut events = bob.following(&bob.feed("room/general")).await;
    let mut page = bob.html_socket().await;
    page.follow(&bob.feed("room/general")).await;
    let (message, file) = speak(&ann, "general").await;
    let event = events.event("chat.message.posted").await;
    let told = &event["event"]["message"]["files"][0];
    assert_eq!(
        told["voice"],
        json!({ "duration": 14_200, "waveform": "00ff7f" })
    );
    assert_eq!(told["media"], "audio/webm");
    let href = format!("/files/{}/spoken.webm", file["id"].as_str().expect("an id"));
    let frame = page.frame("class=\"player\"").await;
    let log = bob.page(&format!("/rooms/{}", bob.room("general"))).await;
    for html in [&frame, &log] {
        assert!(html.contains(BARS) && html.contains("0:14"), "{html}");
        assert!(html.contains("aria-label=\"Voice message, 0:14\""));
        // Without scripts it is played by the browser.
        let plain = format!("<noscript><audio src=\"{href}\" controls preload=\"none\"");
        assert!(html.contains(&plain), "{html}");
    }
    let piece = bob.fetch_with(&href, &[("range", "bytes=0-3")]).await;
    assert_eq!(
        (piece.status, piece.header("content-type"), &piece.body[..]),
        (206, "audio/webm", &b"\x1a\x45\xdf\xa3"[..])
    );
    let menu = bob.page(&format!("/messages/{}/menu", message.id)).await;
    assert!(menu.contains(&format!("href=\"{href}?save\"")), "{menu}");
    let policy = bob.get("/").await.header("permissions-policy").to_owned();
    assert!(policy.contains("microphone=(self)"), "{policy}");
    // An edit adds a text and keeps it; a deletion deletes it.
    let edited = ann.edit(&message, "what I said").await;
    // The other instance hears of it a moment later.
    eventually("the edited message", async || {
        let path = format!("/rooms/{}/log", bob.room("general"));
        let log = bob.page(&path).await;
        (log.contains(BARS) && log.contains("what I said")).then_some(())
    })
    .await;
    ann.delete(&edited).await;
    eventually("the file that is gone", async || {
        (bob.get(&href).await.status == 404).then_some(())
    })
    .await;
}

#[tokio::test]
async fn mark_of_voice_that_is_none_is_refused() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let picture = include_bytes!("../../docs/images/phone.png");
    let others = [&picture[..], b"words", &webm(&[1, 2]), &webm(&[])];
    for content in others {
        let answer = try_speak(&ann, "general", content, MARK, "").await;
        let problem = answer.expect(422).problem("files").unwrap_or_default();
        assert!(problem.contains("no sound"), "{problem}");
    }
    let endless = format!("1 {}", "aa".repeat(65));
    for mark in [
        "NaN 00",
        "Infinity 00",
        "-5 00",
        "1.5 00",
        "0 00",
        "14200",
        "14200 0",
        "14200 zz",
        &endless,
    ] {
        let answer = try_speak(&ann, "general", &sound(), mark, "").await;
        let problem = answer.expect(422).problem("files").unwrap_or_default();
        assert!(problem.contains("cannot be used"), "{mark}: {problem}");
    }
    for mark in ["600001 00", "99999999999999999999 00"] {
        let answer = try_speak(&ann, "general", &sound(), mark, "").await;
        let problem = answer.expect(422).problem("files").unwrap_or_default();
        assert!(problem.contains("10 minutes"), "{mark}: {problem}");
    }
    assert_eq!(ann.history("general").await, []);
    // Sound without the mark is an ordinary file.
    let answer = try_speak(&ann, "general", &sound(), "", "").await.done();
    assert_eq!(answer["message"]["files"][0]["voice"], Value::Null);
}

#[tokio::test]
async fn words_stand_for_a_voice_message_without_text() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    let direct = ann.direct(&[&bob]).await;
    let (message, _) = speak(&ann, &direct).await;
    const WORDS: &str = "Voice message, 0:14";
    // Told of, and found.
    eventually("the notice", async || {
        let inbox = bob.page("/inbox").await;
        (inbox.contains(WORDS) && !inbox.contains("spoken.webm")).then_some(())
    })
    .await;
    let newest = bob.get("/inbox/newest").await.json();
    assert_eq!(newest[0]["body"], WORDS);
    eventually("the result", async || {
        let found = bob.page("/search?q=has:file").await;
        found.contains(WORDS).then_some(())
    })
    .await;
    // Answered, forwarded and linked to.
    let room = bob.room(&direct);
    let reply = bob
        .page(&format!("/rooms/{room}?reply={}", message.id))
        .await;
    assert!(
        reply.contains(&format!("dir=\"auto\">{WORDS}</span>")),
        "{reply}"
    );
    let fields = json!({ "room": room, "body": "yes", "key": new_key(), "reply_to": message.id });
    bob.act("chat.post", fields).await.done();
    let log = ann.page(&format!("/rooms/{room}/log")).await;
    assert!(
        log.contains(&format!("dir=\"auto\">{WORDS}</span></a></p>")),
        "{log}"
    );
    for path in ["forward", "preview"] {
        let page = bob.page(&format!("/messages/{}/{path}", message.id)).await;
        assert!(page.contains(WORDS), "{page}");
    }
}

#[tokio::test]
async fn voice_stays_with_copies_of_its_message() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.owner("ann").await, server.member("bob").await);
    let (message, file) = speak(&bob, "general").await;
    let fields = json!({ "message": message.id, "room": ann.room("general") });
    let done = ann.act("chat.forward", fields).await.done();
    let copy = &done["message"]["files"][0];
    assert_eq!(copy["voice"], file["voice"]);
    assert_ne!(copy["id"], file["id"]);
    // Held, and released.
    let rule = json!({ "space": ann.space, "kind": "words", "name": "Casinos", "words": "casino",
        "action": "hold", "enabled": "yes" });
    ann.act("moderation.save-rule", rule).await.done();
    let held = try_speak(&bob, "general", &sound(), MARK, "a casino").await;
    let held = held.done()["held"]["id"].clone();
    let page = ann.page(&format!("/spaces/{}/held", ann.space)).await;
    assert!(page.contains("Voice message, 0:14"), "{page}");
    let fields = json!({ "held": held });
    let released = ann.act("chat.release-held", fields).await.done();
    assert_eq!(released["message"]["files"][0]["voice"], file["voice"]);
    // In the copy of one's data.
    let data = copy_of(&bob).await;
    let exported = &data["messages"][0]["files"][0];
    assert_eq!(exported["voice"], file["voice"]);
    assert_eq!(exported["name"], "spoken.webm");
}
