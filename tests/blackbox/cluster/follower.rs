//! A page that follows a room while servers fail: it comes back by itself, as a browser does, and
//! shows what it was sent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message as WebSocketMessage;

use super::poster::repeat;
use crate::support::{Message, Person, Stream};

/// Before a socket that did not open is tried again.
const RECONNECT_DELAY: Duration = Duration::from_millis(200);

/// What a page knows.
#[derive(Default)]
pub struct View {
    /// The instance it is connected to; empty while it is to none.
    pub instance: String,
    /// The messages it shows, by id.
    pub messages: BTreeMap<i64, Message>,
    /// How often it had to read the page again.
    pub refreshes: usize,
    cursor: Option<String>,
}

/// A page that is kept open until this is dropped.
pub struct Follower {
    view: Arc<Mutex<View>>,
    task: JoinHandle<()>,
}

impl Follower {
    /// Opens the page of `general`.
    pub async fn start(person: Person) -> Self {
        let view = Arc::<Mutex<View>>::default();
        read_page(&person, &view).await;
        let task = tokio::spawn(follow(person, view.clone()));
        Self { view, task }
    }

    /// Looks at what it knows.
    pub fn look<T>(&self, at: impl FnOnce(&View) -> T) -> T {
        at(&self.view.lock().expect("the view is whole"))
    }

    /// Whether it shows what the room holds, from its oldest message on.
    pub fn is_equal_to(&self, history: &BTreeMap<i64, Message>) -> bool {
        self.look(|view| {
            let Some(oldest) = view.messages.keys().next() else {
                return history.is_empty();
            };
            view.messages.iter().eq(history.range(oldest..))
        })
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads the newest page of the room, with the cursor to follow from.
async fn read_page(person: &Person, view: &Mutex<View>) {
    let fields = json!({ "room": person.room("general") });
    let page = repeat(person, "chat.history", fields).await;
    let mut view = view.lock().expect("the view is whole");
    view.messages = messages_of(&page).collect();
    view.cursor = page["cursor"].as_str().map(str::to_owned);
}

/// The messages of a page of the room's history, by id.
pub fn messages_of(page: &Value) -> impl Iterator<Item = (i64, Message)> {
    let messages = page["messages"].as_array().expect("a list");
    messages.iter().map(Message::of).map(|message| {
        let id = message.id.parse().expect("ids are numbers");
        (id, message)
    })
}

async fn follow(person: Person, view: Arc<Mutex<View>>) {
    loop {
        if let Some(mut socket) = person.try_socket("/live/data").await {
            while let Some(received) = next(&mut socket).await {
                receive(&person, &view, &mut socket, &received).await;
            }
        }
        view.lock().expect("the view is whole").instance.clear();
        tokio::time::sleep(RECONNECT_DELAY).await;
    }
}

async fn receive(person: &Person, view: &Mutex<View>, socket: &mut Stream, received: &Value) {
    match received["type"].as_str() {
        Some("hello") => {
            let instance = received["instance"].as_str().expect("a name");
            instance.clone_into(&mut view.lock().expect("the view is whole").instance);
            subscribe(person, view, socket).await;
        }
        Some("refresh") => {
            view.lock().expect("the view is whole").refreshes += 1;
            read_page(person, view).await;
            subscribe(person, view, socket).await;
        }
        Some("event") => {
            let mut view = view.lock().expect("the view is whole");
            for (id, message) in messages_of(&json!({ "messages": [received["event"]["message"]] }))
            {
                let known = view.messages.get(&id).map_or(0, |known| known.revision);
                if message.revision > known {
                    view.messages.insert(id, message);
                }
            }
            view.cursor = received["cursor"].as_str().map(str::to_owned);
        }
        Some("subscribed") => {}
        _ => panic!("{received}"),
    }
}

async fn subscribe(person: &Person, view: &Mutex<View>, socket: &mut Stream) {
    let cursor = view.lock().expect("the view is whole").cursor.clone();
    let feed = person.feed("room/general");
    let message = json!({ "type": "subscribe", "feed": feed, "cursor": cursor });
    // A socket that has broken meanwhile says so when it is read.
    let _ = socket
        .send(WebSocketMessage::text(message.to_string()))
        .await;
}

/// The next message of the server; nothing at the end.
async fn next(socket: &mut Stream) -> Option<Value> {
    loop {
        if let WebSocketMessage::Text(text) = socket.next().await?.ok()? {
            return Some(serde_json::from_str(&text).expect("JSON"));
        }
    }
}
