//! Live updates of the host's page about jobs.

use std::time::Duration;

use super::Jobs;
use crate::base::error::Result;
use crate::engine::bus::{Bus, Envelope, Origin, Subscriber};
use crate::engine::feed::Feed;
use crate::engine::live::{Content, Hub};
use crate::event;

/// Carries [`JobsChanged`] to every open page about jobs. Only the server's host may follow it.
pub const FEED: Feed<()> = Feed::new("server/jobs", "That jobs changed, for the host").volatile();

event! {
    /// Jobs were added, began or ended.
    pub struct JobsChanged on "jobs.list.changed" by changes changes() {
        /// How many changes there were since the start.
        changes: u64 = 12,
    }
}

/// Has followers on this instance fetch the list again, whichever instance changed it.
pub(in crate::engine) fn presenter() -> Subscriber<Hub> {
    Subscriber::new("jobs.presenter").on(jobs_changed)
}

async fn jobs_changed(live: &Hub, event: &JobsChanged, _: &Envelope) -> Result<()> {
    live.publish(&FEED.name(()), Content::of(event).refetch());
    Ok(())
}

/// Publishes [`JobsChanged`] when jobs changed, at most twice a second, because every follower
/// fetches the whole list again. Runs as long as the process.
pub(in crate::engine) async fn publish_changes(jobs: Jobs, bus: Bus) {
    const INTERVAL: Duration = Duration::from_millis(500);
    let mut changed = jobs.0.changed.subscribe();
    while changed.changed().await.is_ok() {
        tokio::time::sleep(INTERVAL).await;
        let changes = *changed.borrow_and_update();
        bus.publish(Origin::default(), JobsChanged { changes });
    }
}
