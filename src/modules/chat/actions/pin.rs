//! `chat.pin` and `chat.unpin`: messages that a room keeps at hand for all who read it.

use serde::Deserialize;
use serde_json::json;

use super::super::model::MessageId;
use super::super::topics::MessagePinned;
use super::super::{Chat, PIN, POST, ROOM_FEED, store};
use super::permitted_message;
use super::react::check_markable;
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::RoomId;
use crate::community::blocks::check_open;
use crate::community::permissions::{Permission, READ};
use crate::community::{Room, Scope};
use crate::engine::actions::Outcome;
use crate::engine::bus::Origin;
use crate::engine::viewer::Viewer;

/// Messages pinned to one room.
pub const MAX_PINS: i64 = 100;

#[derive(Deserialize)]
pub(in super::super) struct PinInput {
    message: MessageId,
}

/// What it takes to pin in a room: in a conversation everybody in it may.
pub(in super::super) fn pin_permission(room: &Room) -> &'static Permission {
    match room.space {
        Some(_) => &PIN,
        None => &POST,
    }
}

pub(in super::super) async fn pin(chat: Chat, viewer: Viewer, input: PinInput) -> Result<Outcome> {
    set_pinned(chat, viewer, input.message, true).await
}

pub(in super::super) async fn unpin(
    chat: Chat,
    viewer: Viewer,
    input: PinInput,
) -> Result<Outcome> {
    set_pinned(chat, viewer, input.message, false).await
}

/// Checks that a room has place for one more. Its row stays locked, so that nobody else pins
/// meanwhile.
async fn check_place(tx: &mut Tx, room: RoomId) -> Result<()> {
    const LOCK: &str = "SELECT id FROM rooms WHERE id = $1 FOR NO KEY UPDATE";
    const COUNT: &str = "SELECT COUNT(*) FROM messages \
        WHERE room_id = $1 AND pinned_at IS NOT NULL";
    tx.lock::<(i64,)>(LOCK, (room,)).await?;
    match tx.scalar::<i64>(COUNT, (room,)).await? < MAX_PINS {
        true => Ok(()),
        false => Err(Error::Conflict("error-pins-full")),
    }
}

async fn set_pinned(chat: Chat, viewer: Viewer, id: MessageId, pinned: bool) -> Result<Outcome> {
    const SET: &str = "UPDATE messages SET pinned_at = $2 WHERE id = $1";
    let (_, room) = permitted_message(&chat, &viewer, id, &READ).await?;
    let (permission, space) = (pin_permission(&room), room.space);
    let governing = room.governing();
    let (room, context) = (room.id, chat.clone());
    let origin = Origin::new(viewer.account, space);
    let write = async move |tx: &mut Tx| {
        if space.is_none() {
            check_open(tx, governing).await?;
        }
        store::lock_message(tx, id).await?;
        let mut message = store::message_in(tx, id).await?;
        if message.pinned_at.is_some() == pinned {
            return Ok(message);
        }
        if pinned {
            check_markable(&message)?;
            check_place(tx, room).await?;
        }
        message.pinned_at = pinned.then(Micros::now);
        tx.execute(SET, (id, message.pinned_at)).await?;
        let event = MessagePinned {
            room,
            message: message.clone(),
        };
        let (bus, feed) = (&context.engine.bus, ROOM_FEED.name(room));
        bus.publish_to_followers(tx, &[feed], origin, event).await?;
        Ok(message)
    };
    let access = &chat.community.access;
    let message = access
        .permitted_write(viewer.account, permission, Scope::Room(room), write)
        .await?;
    let result = json!({ "pinned": message.pinned_at.is_some() });
    let (location, lang) = (format!("/messages/{id}"), viewer.lang);
    let frame = async move { chat.updated_frame(&message, lang).await };
    Ok(Outcome::new(result, location).fragment(frame))
}
