//! Frames of open pages and sockets: order, content, language.

use serde_json::{Value, json};

use crate::support::{Message, TestServer};

/// Waits for the next post, edit or deletion: its topic and message.
async fn change(socket: &mut crate::support::Socket) -> (String, Message) {
    let event = socket
        .expect("a change", |said| {
            said["topic"]
                .as_str()
                .is_some_and(|topic| topic.starts_with("chat.message."))
        })
        .await;
    (
        event["topic"].as_str().expect("a topic").to_owned(),
        Message::of(&event["event"]["message"]),
    )
}

#[tokio::test]
async fn message_frames_arrive_in_order() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut data = ann.following("room/general").await;
    let mut page = bob.html_socket().await;
    page.follow(&bob.feed("room/general")).await;
    let mut told = async |topic: &str, message: &Message| {
        assert_eq!(
            change(&mut data).await,
            (format!("chat.message.{topic}"), message.clone())
        );
        let frame = page.frame("hx-partial").await;
        assert!(
            frame.contains(&format!("id=\"m-{}\"", message.id)),
            "{topic}: {frame}"
        );
        assert!(
            topic == "deleted" || frame.contains(&message.body),
            "{topic}: {frame}"
        );
    };
    let first = ann.post("general", "one").await;
    told("posted", &first).await;
    let second = bob.post("general", "two").await;
    told("posted", &second).await;
    told("edited", &ann.edit(&first, "one, better").await).await;
    told("deleted", &bob.delete(&second).await).await;
}

#[tokio::test]
async fn old_frames_hold_no_edited_text() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let feed = ann.feed("room/general");
    let start = ann.following("room/general").await.follow(&feed).await;
    let first = ann.post("general", "a slip of the tongue").await;
    let second = ann.post("general", "a secret").await;
    ann.edit(&first, "well put").await;
    ann.delete(&second).await;
    let bob = server.member("bob").await;
    for path in ["/live/data", "/live"] {
        let mut socket = bob.socket_at(&format!("{path}?feed={feed}@{start}")).await;
        ann.act("chat.history", json!({ "room": ann.room("general") }))
            .await
            .expect(200);
        ann.post("general", "the end").await;
        let mut heard = String::new();
        while !heard.contains("the end") {
            heard += &socket.next().await.expect("the socket is open").to_string();
        }
        assert!(heard.contains("well put"), "{heard}");
        assert!(
            !heard.contains("slip") && !heard.contains("secret"),
            "{heard}"
        );
    }
}

#[tokio::test]
async fn html_and_json_sockets_share_cursors() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (mut data, mut page) = (ann.socket().await, ann.html_socket().await);
    assert_eq!(data.instance, page.instance);
    let feed = ann.feed("room/general");
    assert_eq!(data.follow(&feed).await, page.follow(&feed).await);
    ann.post("general", "hi").await;
    let (event, frame) = (
        data.message_of_type("event").await,
        page.message_of_type("frame").await,
    );
    assert_eq!(
        (&event["feed"], &event["cursor"]),
        (&frame["feed"], &frame["cursor"])
    );
}

#[tokio::test]
async fn posted_frame_carries_client_key() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let mut page = ann.html_socket().await;
    page.follow(&ann.feed("room/general")).await;
    ann.try_post("general", "hi", "key-of-mine").await.done();
    let frame = page.frame("hx-partial").await;
    assert!(frame.contains("[data-pending='key-of-mine']"), "{frame}");
    let request = ann
        .request("POST", "/act/chat.post")
        .header("HX-Request", "true");
    let answer = ann
        .send(
            request
                .form(&json!({ "room": ann.room("general"), "body": "ho", "key": "key-of-two" })),
        )
        .await
        .expect(200);
    assert!(
        page.frame("key-of-two").await.contains(&answer.body),
        "the answer is the frame: {}",
        answer.body
    );
}

#[tokio::test]
async fn socket_actions_reply_and_publish() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let (mut anns, mut bobs) = (ann.socket().await, bob.following("room/general").await);
    let fields = json!({ "room": ann.room("general"), "body": "hi", "key": "key-0001" });
    let posted = Message::of(&anns.act("chat.post", fields).await["result"]["message"]);
    assert_eq!(change(&mut bobs).await.1, posted);
    anns.act("chat.edit", json!({ "message": posted.id, "body": "ho" }))
        .await;
    assert_eq!(change(&mut bobs).await.1.body, "ho");
    let refused = bobs
        .act("chat.edit", json!({ "message": posted.id, "body": "mine" }))
        .await;
    assert_eq!(
        (&refused["type"], &refused["error"]["code"]),
        (&json!("error"), &json!("forbidden"))
    );
    let refused = bobs
        .act(
            "chat.post",
            json!({ "room": bob.room("general"), "body": "", "key": "key-0001" }),
        )
        .await;
    assert!(refused["error"]["fields"]["body"].is_string(), "{refused}");
}

#[tokio::test]
async fn sidebar_refetch_reaches_affected_accounts() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut page = bob.html_socket().await;
    page.follow(&format!("space/{}", bob.space)).await;
    page.follow(&format!("account/{}", bob.id)).await;
    ann.create_room("garden").await;
    assert_eq!(page.message_of_type("frame").await["html"], "<!--reread-->");
    ann.create_room("whisper").private().with(&[&bob]).await;
    let frame = page.message_of_type("frame").await;
    assert_eq!(
        (&frame["feed"], &frame["html"]),
        (
            &json!(format!("account/{}", bob.id)),
            &json!("<!--reread-->")
        )
    );
    ann.direct(&[&bob]).await;
    assert_eq!(
        page.message_of_type("frame").await["feed"],
        format!("account/{}", bob.id).as_str()
    );
    let sidebar = bob
        .fragment(&format!("/sidebar?space={}&here=/rooms/1", bob.space))
        .await
        .expect(200)
        .body;
    for label in ["garden", "whisper", "ann"] {
        assert!(sidebar.contains(label), "{label} is missing: {sidebar}");
    }
}

#[tokio::test]
async fn page_cursors_bring_later_frames() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let page = ann.page(&format!("/rooms/{}", ann.room("general"))).await;
    let feeds: Vec<_> = crate::support::text::attributes(&page, "data-feeds")
        .join(" ")
        .split(' ')
        .map(str::to_owned)
        .collect();
    let families = ["room/", "account/", "space/"];
    assert!(
        families
            .iter()
            .all(|family| feeds.iter().any(|feed| feed.starts_with(family))),
        "{feeds:?}"
    );
    let message = ann.post("general", "a moment later").await;
    let query: Vec<_> = feeds.iter().map(|feed| format!("feed={feed}")).collect();
    let mut socket = ann
        .socket_at(&format!("/live/data?{}", query.join("&")))
        .await;
    assert_eq!(change(&mut socket).await.1, message);
    let history = ann
        .act("chat.history", json!({ "room": ann.room("general") }))
        .await
        .done();
    let second = ann.post("general", "and another").await;
    let mut socket = ann.socket().await;
    socket
        .try_follow(&ann.feed("room/general"), history["cursor"].as_str())
        .await;
    assert_eq!(
        change(&mut socket).await.1,
        second,
        "exactly what came after"
    );
}

#[tokio::test]
async fn frames_are_in_socket_language() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    bob.act("community.set-language", json!({ "language": "qps-ploc" }))
        .await;
    let message = ann.post("general", "hi").await;
    let (mut english, mut pseudo) = (ann.html_socket().await, bob.html_socket().await);
    english.follow(&ann.feed("room/general")).await;
    pseudo.follow(&bob.feed("room/general")).await;
    ann.delete(&message).await;
    let frames: [Value; 2] = [
        english.message_of_type("frame").await,
        pseudo.message_of_type("frame").await,
    ];
    assert!(!frames[0]["html"].as_str().expect("HTML").contains('⟦'));
    if bob.page("/account").await.contains('⟦') {
        assert!(
            frames[1]["html"].as_str().expect("HTML").contains('⟦'),
            "{}",
            frames[1]
        );
    }
}

#[tokio::test]
async fn feed_events_match_declared_topics() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let topics: Vec<Value> =
        serde_json::from_slice(&server.run(&["topics", "--json"]).stdout).expect("JSON");
    let mut socket = bob.socket().await;
    for feed in [
        "room/general",
        "room/general/typing",
        &format!("space/{}", bob.space),
        &format!("space/{}/presence", bob.space),
        &format!("account/{}", bob.id),
    ] {
        socket.follow(&bob.feed(feed)).await;
    }
    let message = ann.post("general", "hi").await;
    socket.event("chat.unread.changed").await;
    ann.edit(&message, "ho").await;
    ann.act("chat.type", json!({ "room": ann.room("general") }))
        .await
        .done();
    bob.act(
        "chat.read",
        json!({ "room": bob.room("general"), "message": message.id }),
    )
    .await
    .done();
    ann.delete(&message).await;
    ann.create_room("garden").await;
    ann.act(
        "community.rename-space",
        json!({ "space": ann.space, "name": "Orangery" }),
    )
    .await
    .done();
    let cem = server.member("cem").await;
    let _tab = cem.socket().await;
    ann.act(
        "community.archive-room",
        json!({ "room": ann.room("garden"), "archive": "yes" }),
    )
    .await
    .done();
    ann.act(
        "community.remove-member",
        json!({ "space": ann.space, "account": cem.id }),
    )
    .await
    .done();
    let mut seen = std::collections::BTreeSet::new();
    while !seen.contains("community.member.left") {
        let event = socket.message_of_type("event").await;
        let name = event["topic"].as_str().expect("a topic").to_owned();
        let topic = topics
            .iter()
            .find(|topic| topic["topic"] == name.as_str())
            .unwrap_or_else(|| panic!("{name} is not declared"));
        let given: Vec<_> = event["event"]
            .as_object()
            .expect("fields")
            .keys()
            .map(String::as_str)
            .collect();
        let mut declared: Vec<_> = topic["fields"]
            .as_array()
            .expect("fields")
            .iter()
            .map(|field| field["name"].as_str().expect("a name"))
            .collect();
        declared.sort_unstable();
        assert_eq!(given, declared, "{name}");
        seen.insert(name);
    }
    assert!(seen.len() >= 7, "{seen:?}");
}
