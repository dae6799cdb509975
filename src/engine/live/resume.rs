//! Resume: from which frame a socket goes on that names the last one it saw.

use std::time::{Duration, Instant};

use super::cursor::Cursor;
use super::feed::{Feed, FeedKind};
use super::hub::Hub;
use crate::base::error::Result;

/// For a frame that a client has seen elsewhere to reach this instance.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(1);
const ARRIVAL_POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Waits for a frame that is stored and on its way: the page that names it was rendered from the
/// database, or by another instance, which may be ahead of this feed.
///
/// # Errors
/// The database's.
pub(super) async fn wait_for(hub: &Hub, name: &str, cursor: Option<&str>) -> Result<()> {
    let feed = hub.open(name).await?;
    let Some((None, number)) = cursor.and_then(Cursor::parse) else {
        return Ok(());
    };
    if feed.kind != FeedKind::Stored || feed.log.head() >= number {
        return Ok(());
    }
    if hub.stored_position(name).await? < number {
        return Ok(()); // no such frame
    }
    let deadline = Instant::now() + ARRIVAL_TIMEOUT;
    while feed.log.head() < number && Instant::now() < deadline {
        tokio::time::sleep(ARRIVAL_POLL_INTERVAL).await;
    }
    Ok(())
}

/// The number of the frame after which a socket begins. `cursor` is the last frame it saw, or none
/// to begin now; what comes after it is read from the feed's log. Nothing when frames that it
/// missed are gone, or the cursor is of another instance that numbers its own frames: then it has
/// to refetch.
///
/// Listen to the feed first: what is published after the look at the log's head then wakes the
/// shard.
pub(super) fn start_after(hub: &Hub, feed: &Feed, cursor: Option<&str>) -> Option<u64> {
    let cursor = match cursor {
        Some(cursor) if feed.kind != FeedKind::Ephemeral => cursor,
        _ => return Some(feed.log.head()),
    };
    let (instance, number) = Cursor::parse(cursor)?;
    let is_of_feed = match feed.kind {
        FeedKind::Stored => instance.is_none(),
        _ => instance == Some(hub.instance()),
    };
    (is_of_feed && feed.log.reaches(number)).then_some(number)
}

/// Whether a cursor of a volatile feed is of another instance or an earlier start: nothing is known
/// of what its client has missed.
pub(super) fn is_of_other_instance(hub: &Hub, feed: &Feed, cursor: Option<&str>) -> bool {
    let instance = cursor.and_then(Cursor::parse).and_then(|(of, _)| of);
    feed.kind == FeedKind::Volatile && instance.is_some_and(|of| of != hub.instance())
}
