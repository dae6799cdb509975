//! A server killed in the middle of many posts keeps what it acknowledged.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::support::{Message, Person, TestServer, eventually};

const CLIENTS: usize = 8;
const ACKNOWLEDGED: usize = 400; // posts after which the server is killed

/// Posts until the server is gone. The keys of what was acknowledged, and the key of the one in the
/// air.
async fn post_until_killed(
    person: Person,
    number: usize,
    total: Arc<AtomicUsize>,
) -> (Vec<String>, String) {
    let mut acknowledged = Vec::new();
    for count in 0.. {
        let key = format!("load-{number}-{count:06}");
        let fields = json!({ "room": person.room("general"), "body": key, "key": key });
        let request = person
            .request("POST", "/act/chat.post")
            .header("Accept", "application/json");
        let answer = match request
            .header("Content-Type", "application/json")
            .body(fields.to_string())
            .send()
            .await
        {
            Ok(response) if response.status() == 200 => response.text().await,
            Ok(response) => panic!("{}", response.status()),
            Err(_) => return (acknowledged, key),
        };
        match answer {
            Ok(body) if body.contains(&key) => {
                acknowledged.push(key);
                total.fetch_add(1, Ordering::Relaxed);
            }
            _ => return (acknowledged, key),
        }
    }
    unreachable!("posting ends with the server")
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_posts_survive_kill() {
    let mut server = TestServer::with(&[("TIDEPOOL_WRITES_PER_10_SECONDS", "1000000")]).await;
    let ann = server.owner("ann").await;
    let total = Arc::new(AtomicUsize::new(0));
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let person = server.member(&format!("poster {number}")).await;
        clients.push(tokio::spawn(post_until_killed(
            person,
            number,
            total.clone(),
        )));
    }
    eventually("acknowledged posts", || async {
        (total.load(Ordering::Relaxed) >= ACKNOWLEDGED).then_some(())
    })
    .await;
    server.kill().await;
    let (mut acknowledged, mut unacknowledged) = (Vec::new(), Vec::new());
    for client in clients {
        let (keys, last) = client.await.expect("the client ends");
        acknowledged.extend(keys);
        unacknowledged.push(last);
    }
    server.assert_undamaged();
    server.start_again().await;
    let mut kept: HashMap<String, usize> = HashMap::new();
    let mut before: Option<String> = None;
    loop {
        let mut fields = json!({ "room": ann.room("general") });
        if let Some(id) = &before {
            fields["before"] = json!(id);
        }
        let page = ann.act("chat.history", fields).await.done();
        let messages: Vec<_> = page["messages"]
            .as_array()
            .expect("a list")
            .iter()
            .map(Message::of)
            .collect();
        for message in &messages {
            assert_eq!(message.key, message.body);
            *kept.entry(message.key.clone()).or_default() += 1;
        }
        before = messages.first().map(|message| message.id.clone());
        if page["more"] != true {
            break;
        }
    }
    assert!(acknowledged.len() >= ACKNOWLEDGED);
    for key in &acknowledged {
        assert_eq!(kept.remove(key), Some(1), "{key}");
    }
    for (key, count) in kept {
        assert!(
            count == 1 && unacknowledged.contains(&key),
            "{key} is there {count} times and was never sent"
        );
    }
    // It goes on: what was in the air is posted again under its key, and is there once.
    ann.post("general", "still here").await;
    server.assert_undamaged();
}
