//! Handles what other instances tell.

use std::any::Any;

use async_nats::Subscriber;
use futures_util::StreamExt;
use tokio::task::AbortHandle;

use super::Cluster;
use super::message::{Body, Numbered, Outgoing, Recheck};
use super::peers::Heard;
use crate::engine::bus::ReceivedEvent;

impl Cluster {
    /// Handles the messages for all instances, in the order in which each sends them.
    pub(super) async fn receive_all(self, mut messages: Subscriber) {
        while let Some(message) = messages.next().await {
            metrics::counter!("tidepool_cluster_received_total", "to" => "all").increment(1);
            match serde_json::from_slice(&message.payload) {
                Ok(message) => self.receive_numbered(&message),
                Err(error) => tracing::warn!(%error, "a message of another instance is not read"),
            }
        }
    }

    fn receive_numbered(&self, message: &Numbered) {
        // Another version may send what this one does not know: it is counted like the rest.
        let body: Option<Body> = serde_json::from_str(message.body.get()).ok();
        match body {
            Some(Body::Event(event)) => self.receive_event(event),
            Some(Body::Changed(things)) => {
                let versions = &self.0.engine.versions;
                let named = things.iter().map(|(kind, number)| (kind.as_str(), *number));
                named.for_each(|(kind, number)| versions.bump_named(kind, number));
            }
            Some(Body::Recheck(recheck)) => self.receive_recheck(&recheck),
            Some(Body::Alive) | None => {}
        }
        let Numbered {
            from,
            number,
            count,
            ..
        } = message;
        let heard = self.0.status.peers().hear(from, *number, *count);
        if matches!(heard, Heard::First { .. }) {
            // It has just come, and should not have to wait to hear of this one.
            self.queue(Outgoing::Alive);
        }
        if heard.is_gap() && self.0.status.has_joined() {
            metrics::counter!("tidepool_cluster_gaps_total").increment(1);
            // At once: who waits for what was lost must not be shown what is cached of before.
            self.0.engine.versions.expire_all();
            self.0.missed.notify_one();
        }
        self.0.status.wake_waiting();
    }

    fn receive_event(&self, event: ReceivedEvent) {
        // A topic of another version: nobody here waits for it.
        if self.0.engine.bus.receive(event).is_none() {
            tracing::debug!("an event of another instance is not known");
        }
    }

    fn receive_recheck(&self, recheck: &Recheck) {
        self.note_rights(recheck.position);
        let live = &self.0.engine.live;
        match &recheck.accounts {
            Some(accounts) => accounts.iter().for_each(|account| live.recheck(*account)),
            None => live.recheck_all(),
        }
    }
}

/// The subject of a feed, for as long as this is held.
pub(super) struct FeedSubscription(AbortHandle);

impl FeedSubscription {
    /// Subscribes, and hands the feed's events to the bus.
    pub(super) async fn start(cluster: Cluster, feed: String) -> Box<dyn Any + Send + Sync> {
        let mut messages = match cluster.0.connection.subscribe(&feed).await {
            Ok(messages) => messages,
            Err(error) => {
                tracing::error!(%error, feed, "it is not subscribed");
                return Box::new(());
            }
        };
        metrics::gauge!("tidepool_cluster_subjects").increment(1.0);
        let task = tokio::spawn(async move {
            while let Some(message) = messages.next().await {
                metrics::counter!("tidepool_cluster_received_total", "to" => "followers")
                    .increment(1);
                if let Ok(event) = serde_json::from_slice(&message.payload) {
                    cluster.receive_event(event);
                }
            }
        });
        Box::new(Self(task.abort_handle()))
    }
}

impl Drop for FeedSubscription {
    fn drop(&mut self) {
        self.0.abort();
        metrics::gauge!("tidepool_cluster_subjects").decrement(1.0);
    }
}
