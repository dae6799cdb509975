//! Dead letters: events whose handler failed in all its attempts, stored until the host replays or
//! discards them.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use sqlx::FromRow;

use super::{BoundSubscriber, Bus, Envelope, Reach};
use crate::base::clock::Micros;
use crate::base::db::Db;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, EventId, SpaceId};

/// The number of dead letters stored; beyond it the oldest are deleted. A handler that fails for
/// every event must not fill the disk.
const MAX_DEAD_LETTERS: i64 = 10_000;

/// An event that one subscriber failed to handle.
#[derive(Clone, Debug, FromRow)]
pub struct DeadLetter {
    /// The id of the event: unique together with the subscriber.
    pub id: EventId,
    /// The name of the subscriber whose handler failed.
    pub subscriber: String,
    /// The name of the topic.
    pub topic: String,
    /// As in [`Envelope::key`].
    pub key: i64,
    /// The account that caused the event, if a person did.
    pub actor: Option<AccountId>,
    /// The space in which the event happened, if in one.
    pub space: Option<SpaceId>,
    /// The event's fields as JSON.
    pub event: String,
    /// The error of the last attempt.
    pub error: String,
    /// When the event was published.
    pub at: Micros,
}

/// The stored dead letters, and the subscribers to replay them to. Cheap to clone.
#[derive(Clone)]
pub struct DeadLetters {
    db: Db,
    /// Every started subscriber, by name.
    subscribers: Arc<RwLock<BTreeMap<&'static str, BoundSubscriber>>>,
}

impl DeadLetters {
    /// The dead letters in this database, without subscribers yet.
    pub fn new(db: Db) -> Self {
        Self {
            db,
            subscribers: Arc::default(),
        }
    }

    /// Registers a subscriber, so that its dead letters can be replayed.
    pub(super) fn add_subscriber(&self, subscriber: BoundSubscriber) {
        let subscribers = self.subscribers.write();
        let mut subscribers = subscribers.unwrap_or_else(PoisonError::into_inner);
        subscribers.insert(subscriber.name, subscriber);
    }

    fn find_subscriber(&self, name: &str) -> Result<BoundSubscriber> {
        let subscribers = self.subscribers.read();
        let subscribers = subscribers.unwrap_or_else(PoisonError::into_inner);
        subscribers.get(name).cloned().ok_or(Error::NotFound)
    }

    /// Stores a dead letter. If the database cannot store it the event is lost, except for its log
    /// line.
    pub(super) async fn store(&self, subscriber: &'static str, envelope: &Envelope, error: &str) {
        let (id, topic, key, actor, space, at) = (
            envelope.id,
            envelope.topic.name,
            envelope.key,
            envelope.actor,
            envelope.space,
            envelope.at,
        );
        let (event, error) = (
            String::from(Box::<str>::from(envelope.json())),
            error.to_owned(),
        );
        let stored = self
            .db
            .write_queued(async move |tx| {
                    const STORE: &str = "INSERT INTO dead_letters (id, subscriber, topic, key, \
                        actor, space, event, error, at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
                    let row = (id, subscriber, topic, key, actor, space, event, error, at);
                    tx.execute(STORE, row).await?;
                    const TRIM: &str =
                        "DELETE FROM dead_letters WHERE id < (SELECT id FROM dead_letters \
                            ORDER BY id DESC LIMIT 1 OFFSET $1)";
                    tx.execute(TRIM, (MAX_DEAD_LETTERS,)).await?;
                    Ok(())
                })
            .await;
        if let Err(error) = stored {
            tracing::error!(subscriber, topic, %error, "a dead letter could not be kept");
        }
    }

    /// The newest hundred dead letters, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn newest(&self) -> Result<Vec<DeadLetter>> {
        self.db
            .all(
                "SELECT * FROM dead_letters ORDER BY id DESC, subscriber LIMIT 100",
                (),
            )
            .await
    }

    /// Runs the subscriber's handler once more; deletes the dead letter if that succeeds.
    ///
    /// # Errors
    /// `NotFound` when the dead letter, its subscriber or its topic does not exist (any more); the
    /// error of the handler.
    pub async fn replay(&self, id: EventId, subscriber: &str, bus: &Bus) -> Result<()> {
        let letter: DeadLetter = self
            .db
            .one(
                "SELECT * FROM dead_letters WHERE id = $1 AND subscriber = $2",
                (id, subscriber),
            )
            .await?;
        let topic = bus
            .topics()
            .find(|topic| topic.name == letter.topic)
            .ok_or(Error::NotFound)?;
        let handler = self.find_subscriber(&letter.subscriber)?;
        let value = serde_json::from_str(&letter.event).map_err(anyhow::Error::new)?;
        let body = (topic.decode)(value).map_err(anyhow::Error::new)?;
        let envelope = Envelope {
            id,
            at: letter.at,
            actor: letter.actor,
            space: letter.space,
            key: letter.key,
            topic,
            reach: Reach::Instance,
            feeds: Box::default(),
            is_remote: false,
            is_replay: true,
            body,
        };
        handler.attempt(Arc::new(envelope)).await?;
        self.discard(id, &letter.subscriber).await
    }

    /// Deletes a dead letter, if it exists.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn discard(&self, id: EventId, subscriber: &str) -> Result<()> {
        let subscriber = subscriber.to_owned();
        self.db
            .write(async move |tx| {
                tx.execute(
                    "DELETE FROM dead_letters WHERE id = $1 AND subscriber = $2",
                    (id, subscriber),
                )
                .await?;
                Ok(())
            })
            .await
    }
}
