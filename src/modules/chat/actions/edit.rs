//! `chat.edit`: replaces the text of one's own message.

use serde::Deserialize;

use super::super::model::{Message, MessageId};
use super::super::topics::MessageEdited;
use super::super::{Chat, POST, ROOM_FEED, mention_store, model, store, thread_store};
use super::thread::title_of;
use super::{outcome, permitted_message};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::community::Scope;
use crate::engine::actions::Outcome;
use crate::engine::bus::Origin;
use crate::engine::viewer::Viewer;

/// Checks that the viewer may edit a message: their own, unless it is deleted.
///
/// # Errors
/// `Forbidden` for another's message or one that nobody wrote, `Conflict` for a deleted one.
pub(in super::super) fn may_edit(viewer: &Viewer, message: &Message) -> Result<()> {
    if message.author != viewer.account || !message.told.is_nothing() {
        return Err(Error::Forbidden("error-not-your-message"));
    }
    if message.is_deleted() {
        return Err(Error::Conflict("error-message-deleted"));
    }
    Ok(())
}

#[derive(Deserialize)]
pub(in super::super) struct EditInput {
    message: MessageId,
    body: String,
    /// The revision that the new text was written for. With it, an edit that would undo another
    /// one is refused.
    revision: Option<i64>,
}

pub(in super::super) async fn edit(
    chat: Chat,
    viewer: Viewer,
    input: EditInput,
) -> Result<Outcome> {
    let (message, room) = permitted_message(&chat, &viewer, input.message, &POST).await?;
    may_edit(&viewer, &message)?;
    let body = model::body(&input.body, !message.files.0.is_empty())?;
    let files = message.files.0.len();
    let body = chat
        .screened_edit(viewer.account, &room, body, files)
        .await?;
    let html = chat.code_renderer.render(&body).await?;
    let mut new = chat
        .find_mentions(viewer.account, &room, &body, html.as_deref())
        .await?;
    let answered = message.reply.author;
    new.mentions = new.mentions.answering(answered, viewer.account);
    let (context, origin) = (chat.clone(), Origin::new(viewer.account, room.space));
    let before = message.mentions;
    let limits = chat.daily_limits;
    let write = async move |tx: &mut Tx| {
        let text = (body.as_str(), html.as_deref());
        let message = store::edit(tx, input.message, text, &new.mentions, input.revision).await?;
        thread_store::retitle(tx, message.id, &title_of(&message)).await?;
        let removed = mention_store::remove(tx, message.id).await? > 0;
        mention_store::add(tx, message.room, message.id, &new).await?;
        limits.count_edit(tx, message.author, &message.body).await?;
        context.add_preview_job(tx, &message).await?;
        let event = MessageEdited {
            room: message.room,
            message: message.clone(),
        };
        let feed = ROOM_FEED.name(message.room);
        let bus = &context.engine.bus;
        bus.publish_to_followers(tx, &[feed], origin, event).await?;
        let both = before.with(&new.mentions);
        context.publish_mentions(tx, origin, message.room, &both, removed);
        context
            .publish_mention_notice(tx, origin.space, &message, &new)
            .await?;
        Ok(message)
    };
    let access = &chat.community.access;
    let message = access
        .permitted_write(viewer.account, &POST, Scope::Room(room.id), write)
        .await?;
    Ok(outcome(chat, viewer.lang, message))
}
