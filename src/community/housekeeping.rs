//! The background tasks that end expired sessions and evict idle sign-in limits.

use std::time::Duration;

use super::{Community, one_time_tokens};
use crate::base::clock::Micros;

const EVICTION_INTERVAL: Duration = Duration::from_secs(600);
/// How long an expired session may keep its sockets, and how often is looked at most.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(60);
const MIN_EXPIRY_INTERVAL: Duration = Duration::from_millis(500);

impl Community {
    /// Drops idle sign-in limits, and tokens and devices that have expired, every ten minutes.
    pub(super) async fn evict_repeatedly(self) {
        let mut interval = tokio::time::interval(EVICTION_INTERVAL);
        loop {
            interval.tick().await;
            self.sign_in_limiter.evict();
            self.sessions.evict();
            if let Err(error) = one_time_tokens::delete_expired(&self.engine().db).await {
                tracing::warn!(%error, "expired tokens were not deleted; retried in ten minutes");
            }
            if let Err(error) = self.delete_expired_exports().await {
                tracing::warn!(%error, "expired copies were not deleted; retried in ten minutes");
            }
            if let Err(error) = self.devices.delete_expired().await {
                tracing::warn!(%error, "expired devices were not deleted; retried in ten minutes");
            }
        }
    }

    /// Ends sessions when they expire, and closes their sockets.
    pub(super) async fn end_expired_sessions(self) {
        loop {
            if let Err(error) = self.sessions.end_expired().await {
                tracing::warn!(%error, "expired sessions were not ended; retried in a minute");
            }
            let next = match self.sessions.next_expiry().await {
                Ok(Some(next)) => next.since(Micros::now()),
                Ok(None) | Err(_) => EXPIRY_INTERVAL,
            };
            tokio::time::sleep(next.clamp(MIN_EXPIRY_INTERVAL, EXPIRY_INTERVAL)).await;
        }
    }
}
