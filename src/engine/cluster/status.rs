//! What the rest of the server asks of the cluster: whether it is joined, and whether an instance
//! has heard of what a client has changed on another one.
//!
//! Requests of one client may go to different instances. The answer to a change names the newest
//! message of its instance in a cookie; the next request waits until that message has come, so
//! that nobody is shown a page from before their own change.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use super::peers::Peers;

/// For a message to come of which a client knows. What is lost is noticed sooner, by the sender's
/// next message. No client can cause more than this wait: the cookie is the client's to write.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(1);
/// For NATS to answer at a start.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// For the other instances to answer that they are there.
const GREETING_TIME: Duration = Duration::from_millis(50);
const CONNECT_POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Whether this instance is joined to others, and what it has heard of them. Cheap to clone.
#[derive(Clone, Default)]
pub struct ClusterStatus(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// The name of this instance, once there is a cluster.
    instance: OnceLock<String>,
    is_connected: AtomicBool,
    /// Whether the start is over: what others sent before it is of no interest.
    has_joined: AtomicBool,
    /// The number of the newest message for all instances.
    newest: Mutex<u64>,
    peers: Peers,
    heard: Notify,
}

impl ClusterStatus {
    /// Whether NATS does not answer: other instances are not heard.
    pub fn is_cut_off(&self) -> bool {
        self.0.instance.get().is_some() && !self.0.is_connected.load(Ordering::Acquire)
    }

    /// From now on there are other instances.
    pub(super) fn join(&self, instance: &str) {
        drop(self.0.instance.set(instance.to_owned()));
        self.set_connected(false);
    }

    pub(super) fn set_connected(&self, is_connected: bool) {
        self.0.is_connected.store(is_connected, Ordering::Release);
        let value = if is_connected { 1.0 } else { 0.0 };
        metrics::gauge!("tidepool_cluster_connected").set(value);
    }

    /// Waits for the first connection, [`CONNECT_TIMEOUT`] at most, and for others to say where
    /// their numbers are. Nothing that was sent until then can be missed.
    pub(super) async fn finish_joining(&self) {
        let connected = async {
            while self.is_cut_off() {
                tokio::time::sleep(CONNECT_POLL_INTERVAL).await;
            }
        };
        if timeout(CONNECT_TIMEOUT, connected).await.is_ok() {
            tokio::time::sleep(GREETING_TIME).await;
        }
        self.0.has_joined.store(true, Ordering::Release);
    }

    /// Whether the start is over.
    pub(super) fn has_joined(&self) -> bool {
        self.0.has_joined.load(Ordering::Acquire)
    }

    pub(super) fn newest(&self) -> MutexGuard<'_, u64> {
        self.0.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn peers(&self) -> &Peers {
        &self.0.peers
    }

    /// A message of another instance was handled.
    pub(super) fn wake_waiting(&self) {
        self.0.heard.notify_waiters();
    }

    /// Names the newest message of this instance: `Zk3xQ9aB.12`. `None` without other instances.
    pub(in crate::engine) fn newest_message(&self) -> Option<String> {
        let instance = self.0.instance.get()?;
        Some(format!("{instance}.{}", *self.newest()))
    }

    /// Waits until the message has come that a client names, a second at most. Ignores what is no
    /// name of a message, or of an instance that was not heard.
    pub(in crate::engine) async fn wait_for(&self, message: &str) {
        let Some(own) = self.0.instance.get() else {
            return;
        };
        let Some((instance, number)) = message.split_once('.') else {
            return;
        };
        let (Ok(number), true) = (number.parse::<u64>(), instance != own) else {
            return;
        };
        // Nothing is cached then.
        if self.is_cut_off() {
            return;
        }
        let has_to_come = || {
            let newest = self.0.peers.newest_of(instance);
            newest.is_some_and(|newest| newest < number)
        };
        let arrived = async {
            loop {
                let heard = self.0.heard.notified();
                if !has_to_come() {
                    return;
                }
                heard.await;
            }
        };
        let _ = timeout(ARRIVAL_TIMEOUT, arrived).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn forged_names_of_messages_are_not_waited_for() {
        let status = ClusterStatus::default();
        status.join("own");
        status.set_connected(true);
        status.peers().hear("other", 7, 7);
        for name in [
            "",
            "x",
            "unknown.1",
            "own.99",
            "other.7",
            "other.-1",
            "other.",
        ] {
            let mut waiting = std::pin::pin!(status.wait_for(name));
            assert!(futures_util::poll!(waiting.as_mut()).is_ready(), "{name}");
        }
        // The wait for one that never comes ends by itself.
        status.wait_for("other.18446744073709551615").await;
    }

    #[tokio::test]
    async fn waiting_ends_with_the_message() {
        let status = ClusterStatus::default();
        status.join("own");
        status.set_connected(true);
        status.peers().hear("other", 7, 7);
        let mut waiting = std::pin::pin!(status.wait_for("other.8"));
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        status.peers().hear("other", 8, 1);
        status.wake_waiting();
        waiting.await;
    }
}
