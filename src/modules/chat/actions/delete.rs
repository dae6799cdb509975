//! `chat.delete`: deletes one's own message, or another's with the permission to moderate.

use serde::Deserialize;

use super::super::model::{Message, MessageId};
use super::super::topics::MessageDeleted;
use super::super::{Chat, MODERATE, attachment_store, store};
use super::{outcome, permitted_message};
use crate::base::error::Result;
use crate::community::permissions::READ;
use crate::engine::actions::Outcome;
use crate::engine::bus::Origin;
use crate::engine::viewer::Viewer;

/// Checks that the viewer may delete a message.
///
/// # Errors
/// `Forbidden` for another's message without the permission to moderate.
pub(in super::super) async fn may_delete(
    chat: &Chat,
    viewer: &Viewer,
    message: &Message,
) -> Result<()> {
    if message.author != viewer.account {
        chat.community
            .access
            .permit_in_room(viewer.account, &MODERATE, message.room)
            .await?;
    }
    Ok(())
}

#[derive(Deserialize)]
pub(in super::super) struct DeleteInput {
    message: MessageId,
}

pub(in super::super) async fn delete(
    chat: Chat,
    viewer: Viewer,
    input: DeleteInput,
) -> Result<Outcome> {
    let (message, room) = permitted_message(&chat, &viewer, input.message, &READ).await?;
    may_delete(&chat, &viewer, &message).await?;
    let (origin, context) = (Origin::new(viewer.account, room.space), chat.clone());
    let write = chat.engine.db.write_protective(async move |tx| {
        let (message, is_new) = store::delete(tx, input.message).await?;
        if is_new {
            attachment_store::detach(&context, tx, input.message).await?;
            let event = MessageDeleted {
                room: message.room,
                message: message.clone(),
            };
            context.engine.bus.publish_after_commit(tx, origin, event);
        }
        Ok(message)
    });
    let message = write.await?;
    Ok(outcome(chat, &viewer, message))
}
