//! Messages: posting, editing, deleting and reading them.

use serde_json::{Value, json};

use super::{Answer, Person};

/// A message as the server tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// The room it stands in.
    pub room: String,
    /// The author's id.
    pub author: String,
    /// The text as written.
    pub body: String,
    /// The author's key of it.
    pub key: String,
    /// How often it changed, from 1.
    pub revision: i64,
    /// Whether it shares the header of the one before.
    pub continues: bool,
}

impl Message {
    /// From its JSON.
    #[track_caller]
    pub fn of(value: &Value) -> Self {
        let text = |name: &str| {
            value[name]
                .as_str()
                .unwrap_or_else(|| panic!("{name} of {value}"))
                .to_owned()
        };
        Self {
            id: text("id"),
            room: text("room"),
            author: text("author"),
            body: text("body"),
            key: text("key"),
            revision: value["revision"].as_i64().expect("a revision is a number"),
            continues: value["continues"].as_bool().expect("it continues or not"),
        }
    }
}

impl Person {
    /// Posts under a key; what comes back.
    pub async fn try_post(&self, room: &str, body: &str, key: &str) -> Answer {
        self.act(
            "chat.post",
            json!({ "room": self.room(room), "body": body, "key": key }),
        )
        .await
    }

    /// Posts a message.
    pub async fn post(&self, room: &str, body: &str) -> Message {
        Message::of(&self.try_post(room, body, &new_key()).await.done()["message"])
    }

    /// Edits a message.
    pub async fn edit(&self, message: &Message, body: &str) -> Message {
        Message::of(
            &self
                .act("chat.edit", json!({ "message": message.id, "body": body }))
                .await
                .done()["message"],
        )
    }

    /// Deletes a message.
    pub async fn delete(&self, message: &Message) -> Message {
        Message::of(
            &self
                .act("chat.delete", json!({ "message": message.id }))
                .await
                .done()["message"],
        )
    }

    /// The newest messages of a room, oldest first.
    pub async fn history(&self, room: &str) -> Vec<Message> {
        let answer = self
            .act("chat.history", json!({ "room": self.room(room) }))
            .await
            .done();
        answer["messages"]
            .as_array()
            .expect("a list")
            .iter()
            .map(Message::of)
            .collect()
    }
}

/// A key no post has had.
pub fn new_key() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("key-{:012}", NEXT.fetch_add(1, Ordering::Relaxed))
}
