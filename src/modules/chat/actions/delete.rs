//! `chat.delete`: deletes one's own message, or another's with the permission to moderate.

use serde::Deserialize;
use serde_json::Value;

use super::super::model::{Message, MessageId};
use super::super::topics::MessageDeleted;
use super::super::{Chat, MODERATE, ROOM_FEED, attachment_store, store};
use super::delete_many::audited;
use super::{outcome, permitted_message};
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::community::Scope;
use crate::community::audit::{self, Act};
use crate::community::permissions::{Permission, READ};
use crate::engine::actions::Outcome;
use crate::engine::bus::Origin;
use crate::engine::viewer::Viewer;

/// The permission that the viewer needs to delete a message, or its previews.
pub(super) fn needed_permission(viewer: &Viewer, message: &Message) -> &'static Permission {
    if message.author == viewer.account && message.told.is_nothing() {
        &READ
    } else {
        &MODERATE
    }
}

/// Checks that the viewer may delete a message.
///
/// # Errors
/// `Forbidden` for another's message without the permission to moderate.
pub(in super::super) async fn may_delete(
    chat: &Chat,
    viewer: &Viewer,
    message: &Message,
) -> Result<()> {
    let (access, permission) = (&chat.community.access, needed_permission(viewer, message));
    let room = access.permit_in_room(viewer.account, permission, message.room);
    room.await.map(drop)
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
    let permission = needed_permission(&viewer, &message);
    let (origin, context) = (Origin::new(viewer.account, room.space), chat.clone());
    let (viewer_account, scope) = (viewer.account, Scope::Room(room.id));
    let write = async move |tx: &mut Tx| {
        let before = store::message_in(tx, input.message).await?;
        let (message, is_new) = store::delete(tx, input.message).await?;
        if is_new {
            if *permission == MODERATE {
                let act = Act {
                    space: room.space,
                    actor: Some(viewer_account),
                    act: "message.deleted",
                    subject: Some(message.author.0),
                    name: "",
                    before: audited(&room, std::slice::from_ref(&before.body)),
                    after: Value::Null,
                };
                audit::record(tx, act).await?;
            }
            attachment_store::detach(&context, tx, input.message).await?;
            context
                .drop_mentions(tx, origin, message.room, message.id, &before.mentions)
                .await?;
            let event = MessageDeleted {
                room: message.room,
                message: message.clone(),
            };
            let (bus, feed) = (&context.engine.bus, ROOM_FEED.name(message.room));
            bus.publish_to_followers(tx, &[feed], origin, event).await?;
        }
        Ok(message)
    };
    let access = &chat.community.access;
    let message = access
        .permitted_protective_write(viewer.account, permission, scope, write)
        .await?;
    Ok(outcome(chat, viewer.lang, message))
}
