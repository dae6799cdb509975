//! `chat.react`: adds or removes a reaction to a message.

use serde::Deserialize;
use serde_json::json;

use super::super::model::{Message, MessageId};
use super::super::reactions::{MAX_REACTIONS, normalize_emoji};
use super::super::topics::MessageReacted;
use super::super::{Chat, REACT, ROOM_FEED, reaction_store, store};
use super::permitted_message;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::community::blocks::check_open;
use crate::community::{Room, Scope};
use crate::engine::actions::Outcome;
use crate::engine::bus::Origin;
use crate::engine::viewer::Viewer;

#[derive(Deserialize)]
pub(in super::super) struct ReactInput {
    message: MessageId,
    /// A character, or `:name:` of a standard emoji or of one of the space's own.
    emoji: String,
    /// `yes` or `no`; without it the reaction is added if it is not there, or else removed.
    on: Option<OnOff>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum OnOff {
    Yes,
    No,
}

/// Checks that a room takes anything: members react where only few write, but not in a room that
/// is closed.
pub(super) fn check_takes_reactions(room: &Room) -> Result<()> {
    match (room.rules.archived, room.rules.read_only) {
        (true, _) => Err(Error::Conflict("error-room-archived")),
        (_, true) => Err(Error::Conflict("error-room-read-only")),
        _ => Ok(()),
    }
}

/// Checks that a message can be marked with something: that it is there, and somebody wrote it.
pub(super) fn check_markable(message: &Message) -> Result<()> {
    match message.is_deleted() || !message.told.is_nothing() {
        true => Err(Error::Conflict("error-message-deleted")),
        false => Ok(()),
    }
}

pub(in super::super) async fn react(
    chat: Chat,
    viewer: Viewer,
    input: ReactInput,
) -> Result<Outcome> {
    let (message, room) = permitted_message(&chat, &viewer, input.message, &REACT).await?;
    check_takes_reactions(&room)?;
    // One that was chosen before is taken back even where the space has it no more.
    let is_known = message
        .reactions
        .0
        .iter()
        .any(|one| one.emoji == input.emoji);
    let emoji = match is_known {
        true => input.emoji,
        false => normalize_emoji(&input.emoji, &*chat.community.emoji.in_room(room.id).await?)?,
    };
    let (account, context) = (viewer.account, chat.clone());
    let (origin, space) = (Origin::new(account, room.space), room.space);
    let governing = room.governing();
    let wanted = input.on.map(|on| on == OnOff::Yes);
    let write = async move |tx: &mut Tx| {
        if space.is_none() {
            check_open(tx, governing).await?;
        }
        store::lock_message(tx, message.id).await?;
        let mut message = store::message_in(tx, message.id).await?;
        check_markable(&message)?;
        let (is_changed, is_on) =
            reaction_store::set(tx, message.id, account, &emoji, wanted).await?;
        if is_changed {
            message.reactions = reaction_store::refresh(tx, message.id).await?;
            if is_on && message.reactions.0.len() > MAX_REACTIONS {
                return Err(Error::Conflict("error-reactions-full"));
            }
            let event = MessageReacted {
                room: message.room,
                message: message.clone(),
            };
            let (bus, feed) = (&context.engine.bus, ROOM_FEED.name(message.room));
            bus.publish_to_followers(tx, &[feed], origin, event).await?;
        }
        Ok((message, is_on))
    };
    let access = &chat.community.access;
    let (message, is_on) = access
        .permitted_write(account, &REACT, Scope::Room(room.id), write)
        .await?;
    let result = json!({ "on": is_on, "reactions": message.reactions });
    let (location, lang) = (format!("/messages/{}", message.id), viewer.lang);
    let frame = async move { chat.updated_frame(&message, lang).await };
    Ok(Outcome::new(result, location).fragment(frame))
}
