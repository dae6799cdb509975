//! Typing marks: who is writing in a room right now. Nothing is stored.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::links::escape;
use super::topics::TypingStarted;
use super::{Chat, POST, TYPING_FEED};
use crate::base::error::{Error, Result};
use crate::base::ids::RoomId;
use crate::community::PresenceChoice;
use crate::engine::actions::Outcome;
use crate::engine::bus::{Envelope, Origin};
use crate::engine::live::Content;
use crate::engine::partial::Partial;
use crate::engine::viewer::Viewer;

/// How long a typing mark is shown. Pages hide it with a CSS animation, programs get the event's
/// `ttl_ms`.
const TYPING_TTL: Duration = Duration::from_secs(6);

#[derive(Deserialize)]
pub(super) struct TypeInput {
    room: RoomId,
}

/// `chat.type`: reports that the viewer is writing.
pub(super) async fn start_typing(chat: Chat, viewer: Viewer, input: TypeInput) -> Result<Outcome> {
    let room = chat
        .community
        .access
        .permit_in_room(viewer.account, &POST, input.room)
        .await?;
    if room.space.is_none() && chat.community.is_closed(room.governing()).await? {
        return Err(Error::Conflict("error-conversation-closed"));
    }
    let account = chat.community.accounts.get(viewer.account).await?;
    if account.presence().0 == PresenceChoice::Invisible {
        return Ok(Outcome::new(Value::Null, format!("/rooms/{}", input.room)));
    }
    let event = TypingStarted {
        room: room.id,
        account: viewer.account,
        name: viewer.name.to_string(),
        ttl_ms: TYPING_TTL.as_millis() as u64,
    };
    let origin = Origin::new(viewer.account, room.space);
    let bus = &chat.engine.bus;
    bus.publish_to(TYPING_FEED.name(room.id), origin, event);
    Ok(Outcome::new(Value::Null, format!("/rooms/{}", input.room)))
}

/// Publishes a typing mark. It expires in the browser.
pub(super) async fn typing_started(chat: &Chat, event: &TypingStarted, _: &Envelope) -> Result<()> {
    let TypingStarted {
        room,
        account,
        name,
        ..
    } = event;
    let name = escape(name);
    let mark = format!("<span data-typing=\"{account}\"><bdi>{name}</bdi></span>");
    let present = format!("#typing-{room} [data-typing='{account}']");
    let absent = format!("#typing-{room}:not(:has([data-typing='{account}']))");
    // Replacing an existing mark restarts its animation.
    let html = format!(
        "{}{}",
        Partial::replace(present, &mark),
        Partial::append(absent, &mark)
    );
    let content = Content::of(event).html(move |_| html.clone());
    chat.engine.live.publish(&TYPING_FEED.name(*room), content);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_ttl_matches_stylesheet() {
        let css = include_str!("../../../assets/css/chat.css");
        let rule = format!(
            ".typing [data-typing] {{ animation: expire 300ms {}s forwards; }}",
            TYPING_TTL.as_secs()
        );
        assert!(css.contains(&rule), "{rule}");
    }
}
