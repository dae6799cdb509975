//! Live updates of the host's page about jobs.

use std::time::Duration;

use super::Jobs;
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

/// Publishes [`JobsChanged`] when jobs changed, at most twice a second, because every follower
/// fetches the whole list again. Runs as long as the process.
pub(in crate::engine) async fn publish_changes(jobs: Jobs, live: Hub) {
    const INTERVAL: Duration = Duration::from_millis(500);
    let mut changed = jobs.0.changed.subscribe();
    while changed.changed().await.is_ok() {
        tokio::time::sleep(INTERVAL).await;
        let changes = *changed.borrow_and_update();
        let feed = FEED.name(());
        if live.is_followed(&feed) {
            live.publish(&feed, Content::of(&JobsChanged { changes }).refetch());
        }
    }
}
