//! Resume: from which frame a socket goes on that names the last one it saw.

use super::feed::Feed;
use super::hub::Hub;

/// The number of the frame after which a socket begins. `cursor` is the last frame it saw, or none
/// to begin now; what comes after it is read from the feed's log. Nothing when frames that it
/// missed are gone, or the cursor is of an earlier start of the server: then it has to refetch.
///
/// Listen to the feed first: what is published after the look at the log's head then wakes the
/// shard.
pub(super) fn start_after(hub: &Hub, feed: &Feed, cursor: Option<&str>) -> Option<u64> {
    match cursor {
        Some(cursor) if !feed.ephemeral => {
            number_of(hub, cursor).filter(|number| feed.log.reaches(*number))
        }
        _ => Some(feed.log.head()),
    }
}

/// The frame number in a cursor of this instance.
fn number_of(hub: &Hub, cursor: &str) -> Option<u64> {
    let (instance, number) = cursor.rsplit_once('.')?;
    if instance == hub.instance() {
        number.parse().ok()
    } else {
        None
    }
}
