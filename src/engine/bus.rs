//! The bus: typed, declared topics. Modules meet here and nowhere else.
//!
//! An event travels as one shared [`Envelope`]; nothing is serialised. A subscriber gets its events
//! one at a time in the order of publishing, across topics and modules. One that falls behind is
//! told how many it missed and reads the store instead; it never blocks a publisher. A handler that
//! fails is tried again a few times, and then its event becomes a dead letter that the host can see
//! and replay.

mod dead_letters;
mod event;
mod subscriber;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::value::RawValue;

use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::ids::{AccountId, EventId, SpaceId};
use crate::engine::versions::Versions;
pub use dead_letters::{DeadLetter, DeadLetters};
pub use event::{Event, EventField, Topic, json};
use subscriber::Inbox;
pub use subscriber::{BoundSubscriber, EventHandler, Subscriber};

// Events a subscriber may be behind before it is told that it lagged.

/// Something that happened, on its way to whoever asked for its topic.
pub struct Envelope {
    /// The event's own id, later than those of all events published before it.
    pub id: EventId,
    /// When it was published, right after its commit.
    pub at: Micros,
    /// Who caused it, if a person did.
    pub actor: Option<AccountId>,
    /// The space it happened in, if in one.
    pub space: Option<SpaceId>,
    /// The key whose events keep their order.
    pub key: i64,
    /// The topic it was published on.
    pub topic: &'static Topic,
    body: Box<dyn Any + Send + Sync>,
}

impl Envelope {
    /// The event, if it is an `E`.
    pub fn get<E: Event>(&self) -> Option<&E> {
        self.body.downcast_ref()
    }

    /// The event's fields as JSON, as programs see them.
    pub fn json(&self) -> Box<RawValue> {
        (self.topic.encode)(self.body.as_ref())
    }
}

/// Who and where an event comes from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin {
    /// Who caused it, if a person did.
    pub actor: Option<AccountId>,
    /// The space it happened in, if in one.
    pub space: Option<SpaceId>,
}

impl Origin {
    /// Caused by a person in a space (or outside all spaces).
    pub fn new(actor: AccountId, space: Option<SpaceId>) -> Self {
        Self {
            actor: Some(actor),
            space,
        }
    }
}

/// The bus of one instance. Cheap to clone.
#[derive(Clone)]
pub struct Bus(Arc<Inner>);

struct Inner {
    topics: BTreeMap<&'static str, &'static Topic>,
    subscribers: RwLock<BTreeMap<&'static str, Vec<Arc<Inbox>>>>,
    versions: Versions,
}

impl Bus {
    /// A bus with these topics and no others. What an event changes is bumped in `versions`.
    ///
    /// # Panics
    /// When two topics share a name or a name is not `module.noun.verb`: a mistake of the program.
    pub fn new(versions: Versions, declared: impl IntoIterator<Item = &'static Topic>) -> Self {
        let mut topics = BTreeMap::new();
        for topic in declared {
            let name = topic.name;
            assert!(
                topic.is_well_named(),
                "topic {name} is not named module.noun.verb"
            );
            assert!(
                topics.insert(name, topic).is_none(),
                "topic {name} is declared twice"
            );
        }
        Self(Arc::new(Inner {
            topics,
            subscribers: RwLock::default(),
            versions,
        }))
    }

    /// Sends an event to everyone who subscribed. Called after the commit that made it true (see
    /// `Tx::after_commit`).
    ///
    /// An undeclared topic is refused: logged as an error, and a panic in debug builds.
    pub fn publish<E: Event>(&self, origin: Origin, event: E) {
        let topic = E::topic();
        if !self.0.topics.contains_key(topic.name) {
            debug_assert!(
                false,
                "{} is published but no module declares it",
                topic.name
            );
            tracing::error!(topic = topic.name, "refused: no module declares this topic");
            return;
        }
        event.changed(&mut |thing| self.0.versions.bump(thing));
        metrics::counter!("tidepool_events_total", "topic" => topic.name).increment(1);
        let subscribers = self.0.subscribers.read();
        let subscribers = subscribers.unwrap_or_else(PoisonError::into_inner);
        let Some(inboxes) = subscribers.get(topic.name) else {
            return;
        };
        let envelope = Arc::new(Envelope {
            id: EventId::new(),
            at: Micros::now(),
            actor: origin.actor,
            space: origin.space,
            key: event.key(),
            topic,
            body: Box::new(event),
        });
        inboxes.iter().for_each(|inbox| inbox.put(&envelope));
    }

    /// The same once `tx` is committed, in commit order and before its writer is answered; never
    /// when it is undone.
    pub fn publish_after_commit<E: Event>(&self, tx: &mut Tx, origin: Origin, event: E) {
        let bus = self.clone();
        tx.after_commit(move || bus.publish(origin, event));
    }

    /// All topics, by name.
    pub fn topics(&self) -> impl Iterator<Item = &'static Topic> {
        self.0.topics.values().copied()
    }

    fn subscribe(&self, topic: &'static str, inbox: Arc<Inbox>) {
        assert!(
            self.0.topics.contains_key(topic),
            "no module declares the topic {topic}"
        );
        let subscribers = self.0.subscribers.write();
        let mut subscribers = subscribers.unwrap_or_else(PoisonError::into_inner);
        subscribers.entry(topic).or_default().push(inbox);
    }
}
