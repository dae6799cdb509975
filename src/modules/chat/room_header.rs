//! The header of a room in open pages: its name and its topic line, as they change.

use super::links::{escape, linked};
use super::{Chat, TYPING_FEED};
use crate::base::error::{Error, Result};
use crate::community::topics::RoomChanged;
use crate::engine::bus::{Envelope, Subscriber};
use crate::engine::live::Content;
use crate::engine::partial::Partial;

pub(super) fn subscriber() -> Subscriber<Chat> {
    Subscriber::new("chat.room-header").on(room_changed)
}

/// Shows a room of a space under its present name and topic. In the feed of who is typing, which
/// every page of a room follows and which keeps nothing: pages are rendered with them.
async fn room_changed(chat: &Chat, event: &RoomChanged, _: &Envelope) -> Result<()> {
    let (room, feed) = (event.room, TYPING_FEED.name(event.room));
    if event.space.is_none() || !chat.engine.live.is_followed(&feed) {
        return Ok(());
    }
    let (name, topic) = match chat.community.rooms.name_and_topic(room).await {
        Err(Error::NotFound) => return Ok(()),
        found => found?,
    };
    let topic = match topic.is_empty() {
        true => String::new(),
        false => format!("<bdi>{}</bdi>", linked(&topic, &chat.engine.hosts)),
    };
    let html = format!(
        "{}{}",
        Partial::inner(format!("#title-{room}"), &escape(&name)),
        Partial::inner(format!("#topic-{room}"), &topic)
    );
    // Names nobody.
    let own = RoomChanged {
        members: Vec::new(),
        ..*event
    };
    let content = Content::of(&own).html(move |_| html.clone());
    chat.engine.live.publish(&feed, content);
    Ok(())
}
