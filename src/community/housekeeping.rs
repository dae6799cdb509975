//! The background task that evicts expired sessions and idle sign-in limits.

use std::time::Duration;

use super::Community;

const EVICTION_INTERVAL: Duration = Duration::from_secs(600);

impl Community {
    /// Deletes expired sessions and drops idle sign-in limits, every ten minutes.
    pub(super) async fn evict_repeatedly(self) {
        let mut interval = tokio::time::interval(EVICTION_INTERVAL);
        loop {
            interval.tick().await;
            self.sign_in_limiter.evict();
            if let Err(error) = self.sessions.delete_expired().await {
                tracing::warn!(%error, "expired sessions were not deleted; retried in ten minutes");
            }
        }
    }
}
