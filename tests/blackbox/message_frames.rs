//! What open windows get of posted, edited and deleted messages: order, contents, language.

use serde_json::{Value, json};

use crate::one_instance_only;
use crate::support::{Message, TestServer};

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
            data.next_change().await,
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
    one_instance_only!("frames are kept by the instances that sent them");
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
        let mut received = String::new();
        while !received.contains("the end") {
            received += &socket.next().await.expect("the socket is open").to_string();
        }
        assert!(received.contains("well put"), "{received}");
        assert!(
            !received.contains("slip") && !received.contains("secret"),
            "{received}"
        );
    }
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
    assert_eq!(bobs.next_change().await.1, posted);
    anns.act("chat.edit", json!({ "message": posted.id, "body": "ho" }))
        .await;
    assert_eq!(bobs.next_change().await.1.body, "ho");
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
        english.wait_for("frame").await,
        pseudo.wait_for("frame").await,
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
