//! History: reading older messages, page by page.

use serde_json::json;

use crate::support::{Message, Person, TestServer, new_key, text};

/// Posts this many and gives their ids.
async fn post_many(by: &Person, count: usize) -> Vec<String> {
    let mut socket = by.socket().await;
    let mut ids = Vec::with_capacity(count);
    for number in 0..count {
        if number < 90 {
            let fields = json!({ "room": by.room("general"), "body": format!("number {number}"),
                "key": new_key() });
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
    let ids = post_many(&ann, 230).await;
    let room = ann.room("general");
    let history_page = async |fields: serde_json::Value| {
        let answer = ann.act("chat.history", fields).await.done();
        let messages: Vec<_> = answer["messages"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| Message::of(one).id)
            .collect();
        (messages, answer["more"].as_bool().expect("more or not"))
    };
    let (mut up, mut more) = history_page(json!({ "room": room })).await;
    while more {
        let (mut older, rest) = history_page(json!({ "room": room, "before": up[0] })).await;
        assert!(!older.is_empty());
        older.append(&mut up);
        (up, more) = (older, rest);
    }
    assert_eq!(up, ids);
    let (mut down, mut more) = (vec![ids[0].clone()], true);
    while more {
        let (newer, rest) = history_page(json!({ "room": room, "after": down.last() })).await;
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
    let ids = post_many(&ann, 130).await;
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
    let ids = post_many(&ann, 120).await;
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
    let ids = post_many(&ann, 60).await;
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
