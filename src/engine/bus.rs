//! The event bus: publish/subscribe within the process, on typed and declared topics. Modules
//! communicate through it alone.
//!
//! An event is shared as one [`Envelope`], without serialization. A subscriber gets its events one
//! at a time in the order of publishing, across topics. It never blocks a publisher: one that falls
//! behind loses events, is told how many, and reads the database instead. A failing handler is
//! retried a few times; then its event is stored as a dead letter, which the host can replay.

mod dead_letters;
mod event;
mod subscriber;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::{AccountId, EventId, SpaceId};
use crate::engine::versions::{Thing, Versions};
pub use dead_letters::{DeadLetter, DeadLetters};
pub use event::{Event, EventField, Topic, json};
use subscriber::Inbox;
pub use subscriber::{BoundSubscriber, EventHandler, Subscriber};

/// An event with its metadata, as subscribers get it.
pub struct Envelope {
    /// Greater than the ids of all events published before.
    pub id: EventId,
    /// When the event was published, right after its commit.
    pub at: Micros,
    /// The account that caused the event, if a person did.
    pub actor: Option<AccountId>,
    /// The space in which the event happened, if in one.
    pub space: Option<SpaceId>,
    /// The value of [`Topic::key`]: the number of what the event is about.
    pub key: i64,
    /// The topic on which the event was published.
    pub topic: &'static Topic,
    /// How far the event goes.
    pub(in crate::engine) reach: Reach,
    /// The feeds that carry the event.
    pub(in crate::engine) feeds: Box<[FeedPosition]>,
    /// Whether the event comes from another instance, which has handled it, too.
    pub is_remote: bool,
    /// Whether a dead letter is replayed: clients have refetched what it changed long ago.
    pub(in crate::engine) is_replay: bool,
    body: Box<dyn Any + Send + Sync>,
}

/// An event as it travels between instances.
#[derive(Serialize, Deserialize)]
pub(in crate::engine) struct ReceivedEvent {
    topic: String,
    pub(in crate::engine) id: EventId,
    at: i64,
    actor: Option<AccountId>,
    space: Option<SpaceId>,
    key: i64,
    feeds: Vec<FeedPosition>,
    event: Box<RawValue>,
}

impl Envelope {
    /// The event as it travels to other instances.
    pub(in crate::engine) fn to_send(&self) -> ReceivedEvent {
        ReceivedEvent {
            topic: self.topic.name.to_owned(),
            id: self.id,
            at: self.at.0,
            actor: self.actor,
            space: self.space,
            key: self.key,
            feeds: self.feeds.to_vec(),
            event: self.json(),
        }
    }

    /// The event, if it is an `E`.
    pub fn get<E: Event>(&self) -> Option<&E> {
        self.body.downcast_ref()
    }

    /// The position that the event took on a stored feed.
    pub(in crate::engine) fn position_on(&self, feed: &str) -> Option<u64> {
        let mut feeds = self.feeds.iter();
        feeds.find(|taken| taken.feed == feed)?.position
    }

    /// The event's fields as JSON, as API clients get them.
    pub fn json(&self) -> Box<RawValue> {
        (self.topic.encode)(self.body.as_ref())
    }
}

/// A feed that carries an event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::engine) struct FeedPosition {
    /// Such as `room/12`.
    pub(in crate::engine) feed: String,
    /// That the event took, of a stored feed.
    pub(in crate::engine) position: Option<u64>,
}

/// Which instances of the server get an event. Each runs its own subscribers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Reach {
    /// The one where it was published.
    Instance,
    /// Those with sockets that follow a feed that carries it.
    Followers,
    /// All.
    Everywhere,
}

/// Sends an event to other instances, with all that it changes.
type Forward = Box<dyn Fn(&Arc<Envelope>, Vec<Thing>) + Send + Sync>;

/// Who caused an event, and in which space.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin {
    /// The account that caused the event, if a person did.
    pub actor: Option<AccountId>,
    /// The space in which the event happened, if in one.
    pub space: Option<SpaceId>,
}

impl Origin {
    /// The origin of an event that a person caused, in a space or outside all spaces.
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
    /// Set where there are other instances.
    forward: OnceLock<Forward>,
}

impl Bus {
    /// A bus with these topics and no others. Publishing an event bumps what it changes in
    /// `versions`.
    ///
    /// # Panics
    /// When two topics share a name or a name is not `module.noun.verb`: a programming error.
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
            forward: OnceLock::new(),
        }))
    }

    /// Has all events sent to other instances from now on, too, but those published here alone.
    pub(in crate::engine) fn forward_to(
        &self,
        forward: impl Fn(&Arc<Envelope>, Vec<Thing>) + Send + Sync + 'static,
    ) {
        drop(self.0.forward.set(Box::new(forward)));
    }

    /// Sends an event to all subscribers of its topic, on every instance. To be called only after the commit of what
    /// the event reports; [`publish_after_commit`](Self::publish_after_commit) ensures that.
    ///
    /// An event of an undeclared topic is dropped and logged as an error; debug builds panic.
    pub fn publish<E: Event>(&self, origin: Origin, event: E) {
        self.send(origin, Reach::Everywhere, Box::default(), event);
    }

    /// The same for what concerns this instance alone, such as its sockets.
    pub fn publish_here<E: Event>(&self, origin: Origin, event: E) {
        self.send(origin, Reach::Instance, Box::default(), event);
    }

    /// The same for what only followers of a feed are told and what is not stored, such as who is
    /// typing: other instances get it where one of their sockets follows the feed.
    pub fn publish_to<E: Event>(&self, feed: String, origin: Origin, event: E) {
        let position = None;
        let feeds = Box::new([FeedPosition { feed, position }]);
        self.send(origin, Reach::Followers, feeds, event);
    }

    fn send<E: Event>(&self, origin: Origin, reach: Reach, feeds: Box<[FeedPosition]>, event: E) {
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
        let forward = match reach {
            Reach::Instance => None,
            _ => self.0.forward.get(),
        };
        let mut changed = Vec::new();
        event.visit_changed(&mut |thing| {
            self.0.versions.bump(thing);
            if forward.is_some() {
                changed.push(thing);
            }
        });
        metrics::counter!("tidepool_events_total", "topic" => topic.name).increment(1);
        let subscribers = self.0.subscribers.read();
        let subscribers = subscribers.unwrap_or_else(PoisonError::into_inner);
        let inboxes = subscribers.get(topic.name);
        if inboxes.is_none() && forward.is_none() {
            return;
        }
        let envelope = Arc::new(Envelope {
            id: EventId::new(),
            at: Micros::now(),
            actor: origin.actor,
            space: origin.space,
            key: event.key(),
            topic,
            reach,
            feeds,
            is_remote: false,
            is_replay: false,
            body: Box::new(event),
        });
        let inboxes = inboxes.into_iter().flatten();
        inboxes.for_each(|inbox| inbox.push(&envelope));
        if let Some(forward) = forward {
            forward(&envelope, changed);
        }
    }

    /// Hands an event of another instance to the subscribers of this one. `None` when this version
    /// does not know its topic, or cannot read its fields.
    pub(in crate::engine) fn receive(&self, received: ReceivedEvent) -> Option<()> {
        let topic = *self.0.topics.get(received.topic.as_str())?;
        let value = serde_json::from_str(received.event.get()).ok()?;
        let body = (topic.decode)(value).ok()?;
        (topic.visit_changed)(body.as_ref(), &mut |thing| self.0.versions.bump(thing));
        let subscribers = self.0.subscribers.read();
        let subscribers = subscribers.unwrap_or_else(PoisonError::into_inner);
        let envelope = Arc::new(Envelope {
            id: received.id,
            at: Micros(received.at),
            actor: received.actor,
            space: received.space,
            key: received.key,
            topic,
            reach: Reach::Instance,
            feeds: received.feeds.into_boxed_slice(),
            is_remote: true,
            is_replay: false,
            body,
        });
        let inboxes = subscribers.get(topic.name).into_iter().flatten();
        inboxes.for_each(|inbox| inbox.push(&envelope));
        Some(())
    }

    /// Publishes once `tx` is committed, in the order of commits and before the writer is told that
    /// its transaction is committed. Does nothing if `tx` is rolled back.
    pub fn publish_after_commit<E: Event>(&self, tx: &mut Tx, origin: Origin, event: E) {
        let bus = self.clone();
        tx.after_commit(move || bus.publish(origin, event));
    }

    /// The same for an event that stored feeds carry: it takes the next position of each of these
    /// in the transaction, and the handlers that present it publish their frames at these positions
    /// (see [`Hub::publish_at`](crate::engine::live::Hub::publish_at)). To be called last in a
    /// write: others that need a position of the feed wait until the commit.
    ///
    /// # Errors
    /// The database's.
    pub async fn publish_on<E: Event>(
        &self,
        tx: &mut Tx,
        feeds: &[String],
        origin: Origin,
        event: E,
    ) -> Result<()> {
        self.send_on(tx, feeds, origin, Reach::Everywhere, event)
            .await
    }

    /// The same for what happens so often that only those instances are told whose sockets follow
    /// one of the feeds. Subscribers on the others do not get it; what it changes is stale there
    /// all the same.
    ///
    /// # Errors
    /// The database's.
    pub async fn publish_to_followers<E: Event>(
        &self,
        tx: &mut Tx,
        feeds: &[String],
        origin: Origin,
        event: E,
    ) -> Result<()> {
        self.send_on(tx, feeds, origin, Reach::Followers, event)
            .await
    }

    async fn send_on<E: Event>(
        &self,
        tx: &mut Tx,
        feeds: &[String],
        origin: Origin,
        reach: Reach,
        event: E,
    ) -> Result<()> {
        let mut positions = Vec::with_capacity(feeds.len());
        for feed in feeds {
            positions.push(FeedPosition {
                feed: feed.clone(),
                position: Some(tx.next_position(feed).await?.cast_unsigned()),
            });
        }
        let (bus, positions) = (self.clone(), positions.into_boxed_slice());
        tx.after_commit(move || bus.send(origin, reach, positions, event));
        Ok(())
    }

    /// All declared topics, sorted by name.
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
