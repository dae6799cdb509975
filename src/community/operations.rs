//! What who runs the server looks after: dead letters, and the housekeeping that runs by itself.

use std::time::Duration;

use super::{Community, Permission, Place};
use crate::base::error::Result;
use crate::base::ids::{AccountId, EventId};
use crate::engine::jobs::Jobs;
use crate::engine::viewer::Viewer;

impl Community {
    pub(super) async fn replay_letter(
        &self,
        by: AccountId,
        event: EventId,
        subscriber: &str,
    ) -> Result<()> {
        self.permit(by, Permission::Operate, Place::Server).await?;
        let engine = &self.0.engine;
        let subscribers = self.0.subscribers.get().map_or(&[][..], Vec::as_slice);
        engine
            .dead_letters
            .replay(event, subscriber, &engine.bus, subscribers)
            .await
    }

    pub(super) async fn discard_letter(
        &self,
        by: AccountId,
        event: EventId,
        subscriber: &str,
    ) -> Result<()> {
        self.permit(by, Permission::Operate, Place::Server).await?;
        self.0.engine.dead_letters.discard(event, subscriber).await
    }

    /// The jobs, for someone who may look after them.
    pub(super) async fn operated_by(&self, viewer: &Viewer) -> Result<&Jobs> {
        self.permit(viewer.account, Permission::Operate, Place::Server)
            .await?;
        Ok(&self.0.engine.jobs)
    }

    /// Forgets expired sessions and old tries at the door, every ten minutes.
    pub(super) async fn keep_house(self) {
        let mut every = tokio::time::interval(Duration::from_secs(600));
        loop {
            every.tick().await;
            self.0.sign_in_limiter.evict();
            if let Err(error) = self.forget_expired_sessions().await {
                tracing::warn!(%error, "expired sessions were not deleted; it will be tried again");
            }
        }
    }
}
