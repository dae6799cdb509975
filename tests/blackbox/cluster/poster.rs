//! Somebody who posts and edits while servers fail: every request is repeated under its key until
//! it is acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::support::{Person, eventually};

/// Between two posts: enough for a page to show, and few enough that all can be read in the end.
const PAUSE: Duration = Duration::from_millis(25);

/// Before a request that failed is sent again.
const RETRY_DELAY: Duration = Duration::from_millis(50);

/// Several people who post into `general`.
pub struct Posters {
    tasks: Vec<JoinHandle<Vec<String>>>,
    is_ending: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
}

impl Posters {
    /// These people begin to post.
    pub fn start(people: Vec<Person>) -> Self {
        let (is_ending, acknowledged) = (Arc::<AtomicBool>::default(), Arc::default());
        let tasks = people
            .into_iter()
            .map(|person| tokio::spawn(post(person, is_ending.clone(), Arc::clone(&acknowledged))));
        Self {
            tasks: tasks.collect(),
            is_ending,
            acknowledged,
        }
    }

    /// Waits until so many more posts have been acknowledged.
    pub async fn post_more(&self, count: usize) {
        let aim = self.acknowledged.load(Ordering::Relaxed) + count;
        eventually("acknowledged posts", async || {
            (self.acknowledged.load(Ordering::Relaxed) >= aim).then_some(())
        })
        .await;
    }

    /// Ends posting. The keys of all posts; each was acknowledged.
    pub async fn end(self) -> Vec<String> {
        self.is_ending.store(true, Ordering::Relaxed);
        let mut keys = Vec::new();
        for task in self.tasks {
            keys.extend(task.await.expect("the poster ends"));
        }
        keys
    }
}

async fn post(
    person: Person,
    is_ending: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
) -> Vec<String> {
    let mut keys = Vec::new();
    while !is_ending.load(Ordering::Relaxed) {
        let key = format!("{}-{:06}", person.name.replace(' ', "-"), keys.len());
        let room = person.room("general");
        let fields = json!({ "room": room, "body": key, "key": key });
        let posted = repeat(&person, "chat.post", fields).await;
        assert_eq!(posted["message"]["key"], *key);
        acknowledged.fetch_add(1, Ordering::Relaxed);
        if keys.len() % 5 == 4 {
            let body = format!("{key} edited");
            let fields = json!({ "message": posted["message"]["id"], "body": body });
            repeat(&person, "chat.edit", fields).await;
        }
        keys.push(key);
        tokio::time::sleep(PAUSE).await;
    }
    keys
}

/// Does an action until it is acknowledged. What is unavailable may be tried again; no other
/// refusal is expected.
pub async fn repeat(person: &Person, action: &str, fields: Value) -> Value {
    loop {
        match person.try_act(action, fields.clone()).await {
            Some(answer) if answer.status == 200 => return answer.json(),
            Some(answer) if ![502, 503, 504].contains(&answer.status) => {
                panic!("{action}: {} {}", answer.status, answer.body)
            }
            _ => tokio::time::sleep(RETRY_DELAY).await,
        }
    }
}
