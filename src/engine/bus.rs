//! The bus: typed, declared topics. Modules meet here and nowhere else.
//!
//! An event travels as one shared [`Envelope`]; nothing is serialised. Events of one module keep
//! their order, so events of one key (a room, say) do too, also across topics. A subscriber that
//! falls behind is told how many it missed and reads the store instead; it never holds up a
//! publisher. A handler that fails is tried again a few times, and then its event becomes a dead
//! letter that an owner can see and replay.

mod dead_letters;
mod event;
mod subscriber;
#[cfg(test)]
mod tests;

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde_json::value::RawValue;
use tokio::sync::broadcast;

use crate::base::clock::Micros;
use crate::base::ids::{AccountId, EventId, SpaceId};
use crate::engine::versions::Versions;
pub use dead_letters::{DeadLetter, DeadLetters};
pub use event::{Event, EventField, Topic, json};
pub use subscriber::Subscriber;

// Events a subscriber may be behind before it is told that it lagged.
const CHANNEL_CAPACITY: usize = 4096;

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
pub struct Bus {
    declared: Arc<OnceLock<Declared>>,
    versions: Versions,
}

#[derive(Default)]
struct Declared {
    topics: BTreeMap<&'static str, &'static Topic>,
    /// One lane for each module, so that topics of one module keep their order among themselves.
    lanes: BTreeMap<&'static str, broadcast::Sender<Arc<Envelope>>>,
}

impl Bus {
    /// A bus without topics. What an event is ordered by counts as changed when it is published.
    pub fn new(versions: Versions) -> Self {
        Self {
            declared: Arc::default(),
            versions,
        }
    }

    /// Takes these topics and no others, once.
    ///
    /// # Panics
    /// When two topics share a name, a name is not `module.noun.verb`, or it is called twice: a
    /// mistake of the program.
    pub(super) fn declare(&self, declared: impl IntoIterator<Item = &'static Topic>) {
        let mut table = Declared::default();
        for topic in declared {
            assert!(
                topic.is_well_named(),
                "topic {} is not named module.noun.verb",
                topic.name
            );
            table
                .lanes
                .entry(topic.owner())
                .or_insert_with(|| broadcast::channel(CHANNEL_CAPACITY).0);
            assert!(
                table.topics.insert(topic.name, topic).is_none(),
                "topic {} is declared twice",
                topic.name
            );
        }
        assert!(
            self.declared.set(table).is_ok(),
            "the topics are declared once"
        );
    }

    /// Tells everyone who subscribed. Called after the commit that made it true (see
    /// `Tx::after_commit`).
    ///
    /// An undeclared topic is refused: logged as an error, and a panic in debug builds.
    pub fn publish<E: Event>(&self, origin: Origin, event: E) {
        let topic = E::topic();
        let Some(declared) = self
            .declared
            .get()
            .filter(|declared| declared.topics.contains_key(topic.name))
        else {
            debug_assert!(
                false,
                "{} is published but no module declares it",
                topic.name
            );
            tracing::error!(topic = topic.name, "refused: no module declares this topic");
            return;
        };
        self.versions.bump(topic.key, event.key());
        let envelope = Envelope {
            id: EventId::new(),
            at: Micros::now(),
            actor: origin.actor,
            space: origin.space,
            key: event.key(),
            topic,
            body: Box::new(event),
        };
        metrics::counter!("tidepool_events_total", "topic" => topic.name).increment(1);
        // No subscriber is not an error.
        let _ = declared.lanes[topic.owner()].send(Arc::new(envelope));
    }

    /// All topics, by name.
    pub fn topics(&self) -> impl Iterator<Item = &'static Topic> {
        self.declared
            .get()
            .into_iter()
            .flat_map(|declared| declared.topics.values().copied())
    }

    fn lane(&self, owner: &str) -> Option<broadcast::Receiver<Arc<Envelope>>> {
        self.declared
            .get()?
            .lanes
            .get(owner)
            .map(broadcast::Sender::subscribe)
    }
}
