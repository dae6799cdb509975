//! The connection to NATS, and the subjects on it.

use std::time::Duration;

use anyhow::Context;
use async_nats::{Client, ConnectOptions, Event, ServerAddr, Subscriber};
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::base::settings::Settings;

/// Between two pings; a connection without an answer to two of them is given up.
const PING_INTERVAL: Duration = Duration::from_secs(1);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Between two attempts to connect, once NATS has not answered.
const RECONNECT_DELAY: Duration = Duration::from_millis(250);
/// For NATS to confirm a subscription. Without it the heads of feeds are compared all the same.
const SUBSCRIBE_TIMEOUT: Duration = Duration::from_secs(1);

/// A connection that is made again when it is lost. Cheap to clone.
#[derive(Clone)]
pub(super) struct Connection {
    client: Client,
    prefix: String,
}

impl Connection {
    /// Begins to connect, and returns the connection's events.
    ///
    /// # Errors
    /// When the address is none.
    pub(super) async fn open(
        settings: &Settings,
        instance: &str,
    ) -> anyhow::Result<(Self, mpsc::UnboundedReceiver<Event>)> {
        let addresses = settings.nats.split(',').map(str::trim);
        let addresses: Result<Vec<ServerAddr>, _> = addresses.map(str::parse).collect();
        let addresses = addresses.context("the setting nats is no address")?;
        let (tell, events) = mpsc::unbounded_channel();
        let client = ConnectOptions::new()
            .name(format!("tidepool {instance}"))
            .no_echo()
            .ping_interval(PING_INTERVAL)
            .connection_timeout(CONNECT_TIMEOUT)
            .reconnect_delay_callback(|_| RECONNECT_DELAY)
            .retry_on_initial_connect()
            .ignore_discovered_servers()
            .event_callback(move |event| {
                drop(tell.send(event));
                std::future::ready(())
            })
            .connect(addresses)
            .await
            .context("NATS cannot be used")?;
        let prefix = settings.nats_prefix.clone();
        Ok((Self { client, prefix }, events))
    }

    /// Sends to all other instances.
    pub(super) async fn send_all(&self, message: Bytes) {
        self.send(format!("{}.all", self.prefix), message).await;
    }

    /// Sends to those that follow a feed.
    pub(super) async fn send_to(&self, feed: &str, message: Bytes) {
        self.send(self.subject(feed), message).await;
    }

    async fn send(&self, subject: String, message: Bytes) {
        if let Err(error) = self.client.publish(subject, message).await {
            tracing::debug!(%error, "a message to other instances was not sent");
        }
    }

    /// The messages for all instances.
    ///
    /// # Errors
    /// When the prefix is no part of a subject.
    pub(super) async fn subscribe_all(&self) -> anyhow::Result<Subscriber> {
        let subscriber = self.client.subscribe(format!("{}.all", self.prefix)).await;
        subscriber.context("the setting nats_prefix is no part of a NATS subject")
    }

    /// The messages of a feed. NATS knows of the subscription when this returns, unless it does not
    /// answer.
    ///
    /// # Errors
    /// When the client has ended.
    pub(super) async fn subscribe(&self, feed: &str) -> anyhow::Result<Subscriber> {
        let subscriber = self.client.subscribe(self.subject(feed)).await?;
        // Queued until the connection stands again.
        let _ = timeout(SUBSCRIBE_TIMEOUT, self.client.flush()).await;
        Ok(subscriber)
    }

    /// Waits until NATS has what was sent before.
    pub(super) async fn flush(&self) -> bool {
        let flushed = timeout(SUBSCRIBE_TIMEOUT, self.client.flush()).await;
        flushed.is_ok_and(|flushed| flushed.is_ok())
    }

    /// `tidepool.feed.room.12`.
    fn subject(&self, feed: &str) -> String {
        format!("{}.feed.{}", self.prefix, feed.replace('/', "."))
    }
}
