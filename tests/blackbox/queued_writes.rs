//! A write that waits in the queue while its author loses the right to it is refused.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::{Value, json};

use crate::support::{Message, Person, TestServer, new_key};

const WRITES: usize = 100; // in the queue at any time

/// One write for each commit, so that the right is lost with many still waiting.
async fn slow_server() -> TestServer {
    TestServer::with(&[
        ("TIDEPOOL_WRITE_BATCH", "1"),
        ("TIDEPOOL_WRITES_PER_10_SECONDS", "100000"),
    ])
    .await
}

/// The newest message of the room, as its owner reads it.
async fn newest(reader: &Person) -> Message {
    let fields = json!({ "room": reader.room("general") });
    let answer = reader.act("chat.history", fields).await.done();
    let messages = answer["messages"].as_array().expect("a list");
    Message::of(messages.last().expect("a message"))
}

/// Has `author` write without a pause, and `ann` take the right to it away meanwhile. Nothing may
/// change once that is acknowledged, although many writes are in the queue.
async fn writes_end_with_right(
    (ann, author): (&Person, &Person),
    write: impl Fn() -> (&'static str, Value),
    (change, fields): (&str, Value),
) {
    let send = || {
        let (action, fields) = write();
        author.act(action, fields)
    };
    let mut answers: FuturesUnordered<_> = (0..WRITES).map(|_| send()).collect();
    answers.next().await.expect("an answer").expect(200);
    let change = ann.act(change, fields);
    tokio::pin!(change);
    let taken = loop {
        tokio::select! {
            taken = &mut change => break taken,
            Some(_) = answers.next() => answers.push(send()),
        }
    };
    taken.expect(200);
    let then = newest(ann).await;
    let mut refused = 0;
    while let Some(answer) = answers.next().await {
        refused += usize::from(answer.status != 200);
    }
    assert!(refused > 0, "every write was done");
    let now = newest(ann).await;
    assert_eq!((then.id, then.body), (now.id, now.body));
}

fn post(author: &Person) -> (&'static str, Value) {
    let key = new_key();
    let fields = json!({ "room": author.room("general"), "body": key, "key": key });
    ("chat.post", fields)
}

fn removal(ann: &Person, account: &Person) -> (&'static str, Value) {
    let fields = json!({ "space": ann.space, "account": account.id });
    ("community.remove-member", fields)
}

#[tokio::test]
async fn post_queued_before_removal_is_refused() {
    let server = slow_server().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    writes_end_with_right((&ann, &bob), || post(&bob), removal(&ann, &bob)).await;
}

#[tokio::test]
async fn post_queued_before_archiving_is_refused() {
    let server = slow_server().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let archive = json!({ "room": ann.room("general"), "archive": "yes" });
    let change = ("community.archive-room", archive);
    writes_end_with_right((&ann, &bob), || post(&bob), change).await;
}

#[tokio::test]
async fn edit_queued_before_removal_is_refused() {
    let server = slow_server().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let message = bob.post("general", "first").await;
    let edit = || {
        let fields = json!({ "message": message.id, "body": new_key() });
        ("chat.edit", fields)
    };
    writes_end_with_right((&ann, &bob), edit, removal(&ann, &bob)).await;
}
