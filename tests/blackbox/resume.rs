//! Somebody on a bad line: comes and goes while others post, edit and delete, and in the end has
//! exactly what is there.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::one_instance_only;
use crate::support::{Message, Person, Socket, TestServer, new_key};

/// Numbers that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

/// Posts, edits and deletes of one's own, so many.
async fn make_changes(person: Person, seed: u64, changes: usize) {
    let mut random = Random(seed);
    let mut own: Vec<Message> = Vec::new();
    for number in 0..changes {
        match (random.below(4), own.is_empty()) {
            (2, false) => {
                let index = random.below(own.len());
                own[index] = person
                    .edit(&own[index], &format!("{} changed at {number}", person.name))
                    .await;
            }
            (3, false) => {
                let index = random.below(own.len());
                person.delete(&own.remove(index)).await;
            }
            _ => own.push(
                person
                    .post("general", &format!("{} at {number}", person.name))
                    .await,
            ),
        }
    }
}

/// What a client knows: messages by id, and where in the feed it is.
#[derive(Default)]
struct Replica {
    messages: BTreeMap<String, Message>,
    cursor: Option<String>,
    refreshes: usize,
}

impl Replica {
    /// Takes in an event. One that follows from the cursor is new: nothing may be posted twice or
    /// come out of order.
    fn apply(&mut self, event: &Value) {
        let message = Message::of(&event["event"]["message"]);
        let known = self
            .messages
            .get(&message.id)
            .map_or(0, |known| known.revision);
        // A frame tells of its message as it is by then, so a later change may be told early and
        // then again, but never an earlier state after a later one, and never a message that was
        // not posted first.
        if self.refreshes == 0 {
            assert!(message.revision >= known, "{event}");
            assert_eq!(
                event["topic"] == "chat.message.posted",
                known == 0,
                "{event}"
            );
        }
        if message.revision > known {
            self.messages.insert(message.id.clone(), message);
        }
        self.cursor = Some(event["cursor"].as_str().expect("a cursor").to_owned());
    }

    /// Reads everything anew, as a page does after a refresh.
    async fn read(&mut self, person: &Person) {
        self.messages.clear();
        self.refreshes += 1;
        let mut before: Option<String> = None;
        loop {
            let mut fields = json!({ "room": person.room("general") });
            if let Some(id) = &before {
                fields["before"] = json!(id);
            }
            let answer = person.act("chat.history", fields).await.done();
            if before.is_none() {
                self.cursor = answer["cursor"].as_str().map(str::to_owned);
            }
            let messages: Vec<_> = answer["messages"]
                .as_array()
                .expect("a list")
                .iter()
                .map(Message::of)
                .collect();
            before = messages.first().map(|message| message.id.clone());
            self.messages.extend(
                messages
                    .into_iter()
                    .map(|message| (message.id.clone(), message)),
            );
            if answer["more"] != true {
                return;
            }
        }
    }

    /// Connects, catches up, and follows until so many events have come or the last message is
    /// known.
    async fn follow(&mut self, person: &Person, events: usize, last: &str) {
        let mut socket: Socket = person.socket().await;
        let feed = person.feed("room/general");
        let cursor = self.cursor.clone();
        if socket.subscribe(&feed, cursor.as_deref()).await["type"] == "refresh" {
            self.read(person).await;
            let answer = socket.subscribe(&feed, self.cursor.as_deref()).await;
            assert_eq!(answer["type"], "subscribed", "{answer}");
        }
        for _ in 0..events {
            if self.messages.values().any(|message| message.body == last) {
                return;
            }
            let received = socket.next().await.expect("it stays open");
            assert_eq!(received["type"], "event", "{received}");
            self.apply(&received);
        }
        // Dropped without a word, as when the net is gone.
    }
}

async fn refreshes_while_reconnecting(frames: &str, stay: usize) -> usize {
    let server = TestServer::with(&[
        ("TIDEPOOL_FEED_FRAMES", frames),
        ("TIDEPOOL_WRITES_PER_10_SECONDS", "100000"),
    ])
    .await;
    let ann = server.owner("ann").await;
    let mut replica = Replica::default();
    replica.read(&ann).await;
    replica.refreshes = 0;
    let mut others = Vec::new();
    for seed in 1..=3 {
        let person = server.member(&format!("poster {seed}")).await;
        others.push(tokio::spawn(make_changes(person, seed, 60)));
    }
    for _ in 0..8 {
        replica.follow(&ann, stay, "the end").await;
    }
    for other in others {
        other.await.expect("the others are done");
    }
    ann.try_post("general", "the end", &new_key()).await.done();
    replica.follow(&ann, usize::MAX, "the end").await;
    let refreshes = replica.refreshes;
    let mut expected = Replica::default();
    expected.read(&ann).await;
    assert_eq!(replica.messages, expected.messages);
    refreshes
}

#[tokio::test]
async fn reconnecting_page_ends_with_exact_log() {
    one_instance_only!("frames are kept by the instances that sent them");
    assert_eq!(
        refreshes_while_reconnecting("512", 9).await,
        0,
        "everything was in reach"
    );
}

#[tokio::test]
async fn long_absence_refetches_and_ends_exact() {
    refreshes_while_reconnecting("16", 5).await;
}
