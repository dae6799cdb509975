//! Tells the host's page that jobs changed.

use std::time::Duration;

use super::Jobs;
use crate::engine::feed::Feed;
use crate::engine::live::{Content, Hub};
use crate::event;

/// The feed that tells the host's page that jobs changed.
pub const FEED: Feed<()> = Feed::new("server/jobs", "That jobs changed, for the host");

event! {
    /// Jobs were added, began or ended.
    pub struct JobsChanged on "jobs.list.changed" by changes changes() {
        /// How many changes there were since the start.
        changes: u64 = 12,
    }
}

/// Has the host's pages fetch the jobs again when they changed, twice a second at most.
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
