//! Dead letters: events whose handler failed for good, kept until an owner replays or discards
//! them.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use sqlx::FromRow;

use super::{BoundSubscriber, Bus, Envelope};
use crate::base::clock::Micros;
use crate::base::db::Db;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, EventId, SpaceId};

/// How many are kept; the oldest go first. A handler that fails for every event must not fill the
/// disk.
const MAX_KEPT: i64 = 10_000;

/// An event that one subscriber could not handle.
#[derive(Clone, Debug, FromRow)]
pub struct DeadLetter {
    /// The event's id.
    pub id: EventId,
    /// Whose handler failed.
    pub subscriber: String,
    /// The topic it came on.
    pub topic: String,
    /// The key whose order it belongs to.
    pub key: i64,
    /// Who caused it.
    pub actor: Option<AccountId>,
    /// The space it happened in.
    pub space: Option<SpaceId>,
    /// Its fields as JSON.
    pub event: String,
    /// What the last try failed with.
    pub error: String,
    /// When the event was published.
    pub at: Micros,
}

/// Where dead letters are kept.
#[derive(Clone)]
pub struct DeadLetters {
    db: Db,
    /// Every subscriber that was started, by name, to replay letters to.
    subscribers: Arc<RwLock<BTreeMap<&'static str, BoundSubscriber>>>,
}

impl DeadLetters {
    /// Dead letters in this database.
    pub fn new(db: Db) -> Self {
        Self {
            db,
            subscribers: Arc::default(),
        }
    }

    /// Lets letters be replayed to a subscriber.
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

    /// Keeps one. A database that cannot take it leaves only the log line: there is nowhere else to
    /// put it.
    pub(super) async fn keep(&self, subscriber: &'static str, envelope: &Envelope, error: &str) {
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
        let kept = self
            .db
            .write_queued(async move |tx| {
                    const KEEP: &str = "INSERT INTO dead_letters (id, subscriber, topic, key, \
                        actor, space, event, error, at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
                    let row = (id, subscriber, topic, key, actor, space, event, error, at);
                    tx.execute(KEEP, row).await?;
                    const TRIM: &str =
                        "DELETE FROM dead_letters WHERE id < (SELECT id FROM dead_letters \
                            ORDER BY id DESC LIMIT 1 OFFSET $1)";
                    tx.execute(TRIM, (MAX_KEPT,)).await?;
                    Ok(())
                })
            .await;
        if let Err(error) = kept {
            tracing::error!(subscriber, topic, %error, "a dead letter could not be kept");
        }
    }

    /// The newest hundred, newest first.
    pub async fn newest(&self) -> Result<Vec<DeadLetter>> {
        self.db
            .all(
                "SELECT * FROM dead_letters ORDER BY id DESC, subscriber LIMIT 100",
                (),
            )
            .await
    }

    /// Gives the event to its subscriber once more; on success the letter is gone.
    ///
    /// # Errors
    /// `NotFound` when there is no such letter or its subscriber or topic no longer exists; else
    /// what the handler said.
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
            body,
        };
        handler.attempt(Arc::new(envelope)).await?;
        self.discard(id, &letter.subscriber).await
    }

    /// Forgets one.
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
