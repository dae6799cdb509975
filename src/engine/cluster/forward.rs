//! Sends what this instance publishes to the others.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::Cluster;
use super::message::{Body, Numbered, Outgoing, Recheck};
use super::receive::FeedSubscription;
use crate::engine::bus::{Envelope, Reach};
use crate::engine::versions::Thing;

/// Messages that are sent together.
const MAX_BATCH: usize = 256;
/// Between two messages that say that this instance is there.
const ALIVE_INTERVAL: Duration = Duration::from_millis(250);

impl Cluster {
    /// Has the bus send every event of interest to others.
    pub(super) fn forward_events(&self) {
        let cluster = self.clone();
        self.0.engine.bus.forward_to(move |envelope, changed| {
            cluster.queue(Outgoing::Event(envelope.clone()));
            // An event for all says itself what it changes.
            if envelope.reach == Reach::Followers && !changed.is_empty() {
                cluster.queue(Outgoing::Changed(changed));
            }
        });
    }

    /// Has the hub send every change of rights.
    pub(super) fn forward_rechecks(&self) {
        let cluster = self.clone();
        self.0
            .engine
            .live
            .forward_rechecks(move |position, accounts| {
                cluster.note_rights(position);
                let accounts = accounts.map(<[_]>::to_vec);
                cluster.queue(Outgoing::Recheck(Recheck { position, accounts }));
            });
    }

    /// Has the hub subscribe the subject of each feed that it opens.
    pub(super) fn follow_feeds(&self) {
        let cluster = self.clone();
        self.0.engine.live.follow_remotely(move |feed| {
            let (cluster, feed) = (cluster.clone(), feed.to_owned());
            Box::pin(async move { FeedSubscription::start(cluster, feed).await })
        });
    }

    /// Numbers a message for all, also one that is dropped: others see the gap.
    pub(super) fn queue(&self, message: Outgoing) {
        let mut newest = self.0.status.newest();
        *newest += u64::from(message.is_numbered());
        if self.0.outgoing.try_send((*newest, message)).is_err() {
            metrics::counter!("tidepool_cluster_dropped_total").increment(1);
        }
    }

    /// Sends what waits, and every [`ALIVE_INTERVAL`] that this instance is there.
    pub(super) async fn send(self, mut waiting: mpsc::Receiver<(u64, Outgoing)>) {
        let (mut sent, mut alive_at) = (0, Instant::now());
        let mut batch = Vec::with_capacity(MAX_BATCH);
        loop {
            if Instant::now() >= alive_at {
                self.send_numbered(&mut sent, 0, &Body::Alive).await;
                alive_at = Instant::now() + ALIVE_INTERVAL;
            }
            let received = waiting.recv_many(&mut batch, MAX_BATCH);
            match timeout_at(alive_at, received).await {
                Ok(0) => return,
                Ok(_) => self.send_batch(&mut batch, &mut sent).await,
                Err(_) => {}
            }
        }
    }

    /// Changes that stand together go in one message. `sent` is the number of the newest message
    /// that others know of.
    async fn send_batch(&self, batch: &mut Vec<(u64, Outgoing)>, sent: &mut u64) {
        let mut changed = Changed::default();
        for (number, message) in batch.drain(..) {
            match message {
                Outgoing::Changed(things) => changed.add(number, things),
                Outgoing::Event(envelope) if envelope.reach == Reach::Followers => {
                    self.send_to_followers(&envelope).await;
                }
                Outgoing::Event(envelope) => {
                    self.send_changed(&mut changed, sent).await;
                    *sent = number - 1;
                    let event = Body::Event(envelope.to_send());
                    self.send_numbered(sent, 1, &event).await;
                }
                // After the changes that precede it: they end what was cached of the rights.
                Outgoing::Recheck(recheck) => {
                    self.send_changed(&mut changed, sent).await;
                    *sent = number - 1;
                    self.send_numbered(sent, 1, &Body::Recheck(recheck)).await;
                }
                Outgoing::Alive => {
                    self.send_changed(&mut changed, sent).await;
                    self.send_numbered(sent, 0, &Body::Alive).await;
                }
            }
        }
        self.send_changed(&mut changed, sent).await;
    }

    async fn send_to_followers(&self, envelope: &Arc<Envelope>) {
        if self.0.status.is_cut_off() {
            return;
        }
        let message = to_bytes(&envelope.to_send());
        for feed in &envelope.feeds {
            metrics::counter!("tidepool_cluster_sent_total", "to" => "followers").increment(1);
            let connection = &self.0.connection;
            connection.send_to(&feed.feed, message.clone()).await;
        }
    }

    async fn send_changed(&self, changed: &mut Changed, sent: &mut u64) {
        let Changed {
            newest,
            count,
            mut things,
        } = std::mem::take(changed);
        if count == 0 {
            return;
        }
        things.sort_unstable();
        things.dedup();
        let named = things.into_iter().map(|thing| {
            let (kind, number) = thing.parts();
            (kind.to_owned(), number)
        });
        let body = Body::Changed(named.collect());
        *sent = newest - count;
        self.send_numbered(sent, count, &body).await;
    }

    /// While NATS does not answer, messages only have a number: others see the gap later.
    async fn send_numbered(&self, sent: &mut u64, count: u64, body: &Body) {
        *sent += count;
        if self.0.status.is_cut_off() {
            return;
        }
        let message = Numbered {
            from: self.0.engine.live.instance().to_owned(),
            number: *sent,
            count,
            body: crate::engine::bus::json(body),
        };
        metrics::counter!("tidepool_cluster_sent_total", "to" => "all").increment(1);
        self.0.connection.send_all(to_bytes(&message)).await;
    }
}

/// Changes that are sent in one message.
#[derive(Default)]
struct Changed {
    /// The number of the last.
    newest: u64,
    count: u64,
    things: Vec<Thing>,
}

impl Changed {
    /// Numbers are consecutive, unless messages between were dropped: then those after the gap.
    fn add(&mut self, number: u64, things: Vec<Thing>) {
        self.count = if number == self.newest + 1 {
            self.count + 1
        } else {
            1
        };
        self.newest = number;
        self.things.extend(things);
    }
}

fn to_bytes(message: &impl Serialize) -> Bytes {
    let text: Box<str> = crate::engine::bus::json(message).into();
    Bytes::from(String::from(text))
}
