//! What is done with messages besides writing them: answers, reactions, pins and bookmarks.

use serde_json::{Value, json};

use super::threads::thread_of;
use crate::support::{Message, Person, TestServer, eventually};

const REACTIONS: usize = 20;

async fn two_people() -> (TestServer, Person, Person) {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    (server, ann, bob)
}

async fn code(by: &Person, action: &str, fields: Value) -> String {
    let answer = by.act(action, fields).await;
    match answer.status {
        200 => String::new(),
        _ => answer.code(),
    }
}

/// The message as a person sees it in the room's page.
async fn shown(person: &Person, message: &Message) -> String {
    let page = person.page(&format!("/rooms/{}", message.room)).await;
    let (_, rest) = page
        .split_once(&format!("id=\"m-{}\"", message.id))
        .expect("the message");
    rest.split("</li>").next().unwrap_or_default().to_owned()
}

async fn react(person: &Person, message: &Message, emoji: &str) -> Value {
    let fields = json!({ "message": message.id, "emoji": emoji });
    person.act("chat.react", fields).await.done()
}

async fn answer(person: &Person, to: &Message, text: &str) -> Value {
    let key = format!("answer-{}", to.id);
    let fields = json!({ "room": to.room, "body": text, "reply_to": to.id, "key": key });
    person.act("chat.post", fields).await.done()["message"].take()
}

#[tokio::test]
async fn answer_quotes_follows_edits_and_forgets_deleted_text() {
    let (server, ann, bob) = two_people().await;
    // A cursor is resumed by the instance that gave it out.
    let (ann, bob) = (ann.at_instance(&server, 0), bob.at_instance(&server, 0));
    let asked = ann.post("general", "ماذا عن **الغد**؟").await;
    let (feed, mut socket) = (bob.feed("room/general"), bob.socket().await);
    let start = socket.subscribe(&feed, None).await["cursor"].take();
    let start = start.as_str().expect("a cursor").to_owned();
    let answered = answer(&bob, &asked, "明天可以").await;
    assert_eq!(answered["reply"]["to"], asked.id.as_str());
    let event = socket.event("chat.message.posted").await;
    assert_eq!(event["event"]["message"]["reply"]["author_name"], "ann");
    let id = answered["id"].as_str().expect("an id").to_owned();
    let answer = Message {
        id,
        ..asked.clone()
    };
    let page = shown(&ann, &answer).await;
    assert!(page.contains("ماذا عن الغد؟"), "without markup: {page}");
    // An answer has its own header, and counts as calling whom it answers.
    assert!(!page.contains("data-continues"), "{page}");
    let mentions = ann.page("/mentions").await;
    assert!(mentions.contains("明天可以"), "{mentions}");

    // The quote changes with what it quotes, in open pages, too.
    let mut html = bob.html_socket().await;
    html.follow(&bob.feed("room/general")).await;
    ann.act(
        "chat.edit",
        json!({ "message": asked.id, "body": "What of *Sunday*?" }),
    )
    .await
    .done();
    html.frame("What of Sunday?").await;
    assert!(shown(&bob, &answer).await.contains("What of Sunday?"));
    ann.act("chat.delete", json!({ "message": asked.id }))
        .await
        .done();
    eventually("quote without the text", async || {
        (!shown(&bob, &answer).await.contains("Sunday")).then_some(())
    })
    .await;
    // Neither does a client read it that comes back from before.
    let path = format!("/live/data?feed={feed}@{start}");
    let mut back = bob.socket_at(&path).await;
    let events = back.drain().await;
    let is_answer = |event: &Value| event["event"]["message"]["id"] == answer.id.as_str();
    assert!(events.iter().any(is_answer), "{events:#?}");
    for event in events {
        assert!(!event.to_string().contains("Sunday"), "{event}");
        assert!(!event.to_string().contains("الغد"), "{event}");
    }
}

#[tokio::test]
async fn answer_to_other_room_or_deleted_message_is_refused() {
    let (_server, ann, bob) = two_people().await;
    ann.create_room("cellar").private().await;
    let secret = ann.post("cellar", "the code is 1234").await;
    let gone = ann.post("general", "gone").await;
    ann.act("chat.delete", json!({ "message": gone.id }))
        .await
        .done();
    for to in [secret.id.as_str(), gone.id.as_str(), "1"] {
        let fields = json!({
            "room": bob.room("general"), "body": "what?", "reply_to": to,
            "key": format!("to-{to:0>8}"),
        });
        assert_eq!(code(&bob, "chat.post", fields).await, "conflict", "{to}");
    }
    let page = bob
        .page(&format!(
            "/rooms/{}?reply={}",
            bob.room("general"),
            secret.id
        ))
        .await;
    assert!(!page.contains("1234"));
}

#[tokio::test]
async fn reactions_are_counted_once_for_each_person() {
    let (_server, ann, bob) = two_people().await;
    let message = ann.post("general", "สวัสดี").await;
    let mut socket = ann.following("room/general").await;
    assert_eq!(react(&bob, &message, ":wave:").await["on"], true);
    let event = socket.event("chat.message.reacted").await;
    let reactions = &event["event"]["message"]["reactions"];
    assert_eq!(reactions[0]["emoji"], "👋", "{event}");
    assert_eq!(reactions[0]["by"][0], bob.id.as_str());
    react(&ann, &message, "👋").await;
    react(&ann, &message, "❤").await;
    let page = shown(&bob, &message).await;
    let both = format!("data-by=\"{} {}\" title=\"bob, ann\"", bob.id, ann.id);
    assert!(page.contains(&both), "{page}");
    assert!(page.contains("value=\"❤️\""), "{page}");
    // The same for who asks for it twice; taken back by asking again.
    let fields = json!({ "message": message.id, "emoji": "👋", "on": "yes" });
    let again = bob.act("chat.react", fields).await.done();
    assert_eq!(again["reactions"][0]["count"], 2);
    assert_eq!(react(&bob, &message, "👋").await["on"], false);
    assert!(!shown(&bob, &message).await.contains(&both));
    // By forms, without scripts.
    let form = [("message", message.id.as_str()), ("emoji", "🎉")];
    assert_eq!(bob.form("/act/chat.react", &form).await.status, 303);
    let page = bob
        .page(&format!("/messages/{}/reactions", message.id))
        .await;
    assert!(page.contains("🎉") && page.contains(">bob<"), "{page}");
    for wrong in ["x", "", ":nothing-of-it:", "👍👍"] {
        let fields = json!({ "message": message.id, "emoji": wrong });
        assert_eq!(code(&bob, "chat.react", fields).await, "invalid", "{wrong}");
    }
    // So many different ones and no more; another person for one that is there.
    let some = "👍👎😀😁😂🤣😃😄😅😆😉😊😋😎😍😘🥰😗😙😚🙂🤗";
    let mut refused = 0;
    for emoji in some.chars() {
        let fields = json!({ "message": message.id, "emoji": emoji.to_string() });
        refused += usize::from(code(&ann, "chat.react", fields).await == "conflict");
    }
    assert_eq!(refused, some.chars().count() + 3 - REACTIONS);
    react(&bob, &message, "👍").await;
}

#[tokio::test]
async fn reaction_at_once_by_many_is_counted_exactly() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let message = ann.post("general", "who is in?").await;
    let mut people = Vec::new();
    for number in 0..6 {
        people.push(server.member(&format!("p{number}")).await);
    }
    let all = people.iter().map(|person| react(person, &message, "✋"));
    futures_util::future::join_all(all).await;
    let fields = json!({ "room": message.room });
    let history = ann.act("chat.history", fields).await.done();
    let found = history["messages"].as_array().expect("messages");
    let found = found.iter().find(|one| one["id"] == message.id.as_str());
    assert_eq!(found.expect("the message")["reactions"][0]["count"], 6);
}

#[tokio::test]
async fn members_react_where_few_write_but_not_in_closed_rooms() {
    let (_server, ann, bob) = two_people().await;
    let made = json!({ "space": ann.space, "name": "news", "kind": "announcement" });
    let made = ann.act("community.create-room", made).await.done();
    let news = made["room"].as_str().expect("an id").to_owned();
    ann.remember_room("news", &news);
    let message = ann.post("news", "We have moved").await;
    react(&bob, &message, "🎉").await;
    ann.act(
        "community.archive-room",
        json!({ "room": news, "archive": "yes" }),
    )
    .await
    .done();
    let fields = json!({ "message": message.id, "emoji": "👎" });
    eventually("a refused reaction", async || {
        (code(&bob, "chat.react", fields.clone()).await == "conflict").then_some(())
    })
    .await;
}

#[tokio::test]
async fn pins_are_for_all_bookmarks_for_oneself() {
    let (_server, ann, bob) = two_people().await;
    let first = ann.post("general", "The tide table is on the wall").await;
    let second = bob.post("general", "खोया चाबी").await;
    let mut socket = bob.following("room/general").await;
    let pin = |message: &Message| json!({ "message": message.id });
    assert_eq!(code(&bob, "chat.pin", pin(&first)).await, "forbidden");
    ann.act("chat.pin", pin(&first)).await.done();
    socket.event("chat.message.pinned").await;
    assert!(shown(&bob, &first).await.contains("class=\"pinned\""));
    let pins = format!("/rooms/{}/pins", bob.room("general"));
    assert!(bob.page(&pins).await.contains("The tide table"));
    eventually("pinned message in the search", async || {
        let page = bob.page("/search?q=is%3Apinned").await;
        page.contains("tide table").then_some(())
    })
    .await;
    ann.act("chat.unpin", pin(&first)).await.done();
    assert!(!bob.page(&pins).await.contains("The tide table"));

    bob.act("chat.bookmark", pin(&first)).await.done();
    bob.act("chat.bookmark", pin(&second)).await.done();
    let kept = bob.page("/bookmarks").await;
    assert!(kept.contains("The tide table") && kept.contains("खोया"));
    assert!(!ann.page("/bookmarks").await.contains("खोया"));
    bob.act("chat.unbookmark", pin(&second)).await.done();
    assert!(!bob.page("/bookmarks").await.contains("खोया"));
    ann.act("chat.delete", pin(&first)).await.done();
    assert!(!bob.page("/bookmarks").await.contains("The tide table"));
    let deleted = code(&bob, "chat.bookmark", pin(&first)).await;
    assert_eq!(deleted, "conflict");
}

#[tokio::test]
async fn search_finds_what_mentions_the_searcher() {
    let (_server, ann, bob) = two_people().await;
    let asked = bob.post("general", "nobody in particular").await;
    ann.post("general", "@bob the boat leaves").await;
    answer(&ann, &asked, "an answer for him").await;
    ann.post("general", "for nobody").await;
    eventually("what mentions bob", async || {
        let page = bob.page("/search?q=mentions%3Ame").await;
        (page.contains("boat leaves") && page.contains("an answer for him")).then_some(())
    })
    .await;
    let page = bob.page("/search?q=mentions%3Ame").await;
    assert!(!page.contains("for nobody"));
    assert!(
        !ann.page("/search?q=mentions%3Ame")
            .await
            .contains("boat leaves")
    );
}

#[tokio::test]
async fn closed_conversation_and_its_threads_take_no_marks() {
    let (_server, ann, bob) = two_people().await;
    let room = ann.direct(&[&bob]).await;
    let said = bob.post(&room, "before").await;
    let thread = thread_of(&ann, &said).await;
    let replied = bob.post(&thread, "also before").await;
    ann.act("community.block", json!({ "account": bob.id }))
        .await
        .done();
    for message in [&said, &replied] {
        let react = json!({ "message": message.id, "emoji": "👍" });
        let pin = json!({ "message": message.id });
        for (action, fields) in [("chat.react", react), ("chat.pin", pin)] {
            assert_eq!(code(&bob, action, fields).await, "conflict", "{action}");
        }
    }
}

#[tokio::test]
async fn root_of_thread_follows_its_reactions_under_ids_of_its_own() {
    let (_server, ann, bob) = two_people().await;
    let asked = ann.post("general", "Who has the ladder?").await;
    let answered = answer(&bob, &asked, "หนู").await;
    let id = answered["id"].as_str().expect("an id").to_owned();
    let root = Message {
        id,
        ..asked.clone()
    };
    let thread = thread_of(&ann, &root).await;
    let (room, own) = (ann.room("general"), format!("id=\"q-{}\"", root.id));
    let page = ann.page(&format!("/rooms/{room}?thread={thread}")).await;
    assert_eq!(page.matches(&own).count(), 1, "{page}");
    assert!(page.contains(&format!("id=\"root-q-{}\"", root.id)));
    let mut socket = ann.html_socket().await;
    socket.follow(&format!("room/{thread}")).await;
    react(&bob, &root, "🪜").await;
    let frame = socket.frame(&format!("#root-{}", root.id)).await;
    assert!(frame.contains("🪜"), "{frame}");
}
