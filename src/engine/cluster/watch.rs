//! Notices what messages did not tell, and repairs it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::Event;
use tokio::sync::mpsc;

use super::Cluster;
use super::message::Outgoing;
use crate::base::db::Db;
use crate::base::error::Result;
use crate::engine::live::RIGHTS_FEED;

/// Between two looks at the position of rights.
const RIGHTS_INTERVAL: Duration = Duration::from_millis(500);
/// Between two comparisons of feeds' heads with the database.
const HEADS_INTERVAL: Duration = Duration::from_secs(1);
/// For messages that are under way, before feeds that are behind are given up.
const ARRIVAL_TIME: Duration = Duration::from_millis(250);
/// At least so long lies between two repairs: each reads and checks everything again.
const REPAIR_INTERVAL: Duration = Duration::from_millis(500);

/// The newest change of rights that this instance has handled.
pub(super) struct KnownRights(AtomicU64);

impl KnownRights {
    /// Those of now: nothing is cached of earlier ones.
    pub(super) async fn read(db: &Db) -> Result<Self> {
        Ok(Self(AtomicU64::new(stored_rights(db).await?)))
    }
}

async fn stored_rights(db: &Db) -> Result<u64> {
    const READ: &str = "SELECT position FROM feed_positions WHERE feed = $1";
    let position: Option<i64> = db.optional_scalar(READ, (RIGHTS_FEED,)).await?;
    Ok(position.map_or(0, i64::cast_unsigned))
}

impl Cluster {
    /// Notes a change of rights that is handled by itself. When it is not the next one, others were
    /// missed, and everybody is checked.
    pub(super) fn note_rights(&self, position: u64) {
        let known = &self.0.known_rights.0;
        let before = known.fetch_max(position, Ordering::AcqRel);
        if position > before + 1 {
            self.check_everybody();
        }
    }

    /// After changes of rights that are not known one by one.
    fn check_everybody(&self) {
        metrics::counter!("tidepool_cluster_rights_missed_total").increment(1);
        self.0.engine.versions.expire_all();
        self.0.engine.live.recheck_all();
    }

    /// Compares the position of rights with the database, also while NATS does not answer.
    pub(super) async fn watch_rights(self) {
        loop {
            tokio::time::sleep(RIGHTS_INTERVAL).await;
            match stored_rights(&self.0.engine.db).await {
                Ok(position) => {
                    let known = &self.0.known_rights.0;
                    if position > known.fetch_max(position, Ordering::AcqRel) {
                        self.check_everybody();
                    }
                }
                Err(error) => tracing::debug!(%error, "changes of rights are not known"),
            }
        }
    }

    /// Compares the heads of followed feeds with the database. One that has not reached by now
    /// where the database was a second ago has missed something.
    pub(super) async fn watch_heads(self) {
        let live = &self.0.engine.live;
        let mut before = HashMap::new();
        loop {
            tokio::time::sleep(HEADS_INTERVAL).await;
            self.0.status.peers().evict();
            match live.stored_heads().await {
                Ok(heads) => {
                    live.skip_behind_all(&before);
                    before = heads;
                }
                Err(error) => tracing::debug!(%error, "the heads of feeds are not known"),
            }
        }
    }

    /// Whether cached entries can be trusted follows the connection.
    pub(super) async fn watch_connection(self, mut events: mpsc::UnboundedReceiver<Event>) {
        while let Some(event) = events.recv().await {
            match event {
                Event::Connected => {
                    // Subscriptions are made again by now; this waits until NATS has them.
                    if !self.0.connection.flush().await {
                        continue; // lost again
                    }
                    self.0.status.set_connected(true);
                    self.0.engine.versions.resume();
                    self.queue(Outgoing::Alive);
                    if self.0.status.has_joined() {
                        self.0.missed.notify_one();
                    }
                    tracing::info!("joined to the other instances");
                }
                Event::Disconnected | Event::Closed => {
                    self.0.status.set_connected(false);
                    self.0.engine.versions.suspend();
                    tracing::warn!("cut off from the other instances: NATS does not answer");
                }
                Event::SlowConsumer(_) => self.0.missed.notify_one(),
                other => tracing::debug!(%other, "NATS"),
            }
        }
    }

    /// Repairs what messages that were missed may have changed.
    pub(super) async fn repair_repeatedly(self) {
        loop {
            self.0.missed.notified().await;
            self.0.engine.versions.expire_all();
            self.0.engine.live.recheck_all();
            if let Err(error) = self.repair_feeds().await {
                tracing::warn!(%error, "feeds are not up to date yet");
                tokio::time::sleep(REPAIR_INTERVAL).await;
                self.0.missed.notify_one();
            }
            tokio::time::sleep(REPAIR_INTERVAL).await;
        }
    }

    async fn repair_feeds(&self) -> Result<()> {
        let live = &self.0.engine.live;
        let heads = live.stored_heads().await?;
        tokio::time::sleep(ARRIVAL_TIME).await;
        live.skip_behind_all(&heads);
        for feed in live.volatile_feeds() {
            for present in self.0.rights.presenters(&feed) {
                tokio::spawn(present);
            }
        }
        Ok(())
    }
}
