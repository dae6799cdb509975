//! The actions on messages, one file each. Each serves forms, JSON and sockets.

pub(super) mod bookmark;
pub(super) mod decide_held;
pub(super) mod delete;
pub(super) mod delete_many;
pub(super) mod dismiss_preview;
pub(super) mod edit;
pub(super) mod forum;
pub(super) mod forward;
pub(super) mod pin;
pub(super) mod poll;
pub(super) mod post;
pub(super) mod post_input;
pub(super) mod react;
pub(super) mod schedule;
pub(super) mod thread;

use std::sync::Arc;

use serde_json::json;

use super::model::{Message, MessageId};
use super::{Chat, store};
use crate::base::error::Result;
use crate::base::locale::Lang;
use crate::community::Room;
use crate::community::permissions::Permission;
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

/// Finds a message and its room.
///
/// # Errors
/// `NotFound` or `Forbidden` when the viewer does not hold `permission` in the message's room.
pub(super) async fn permitted_message(
    chat: &Chat,
    viewer: &Viewer,
    id: MessageId,
    permission: &Permission,
) -> Result<(Message, Arc<Room>)> {
    let message = store::message(&chat.engine.db, id).await?;
    let room = chat
        .community
        .access
        .permit_in_room(viewer.account, permission, message.room)
        .await?;
    Ok((message, room))
}

/// The outcome of an action on a message: JSON for programs, and the frame for the author's page.
fn outcome(chat: Chat, lang: Lang, message: Message) -> Outcome {
    let location = format!("/rooms/{}#m-{}", message.room, message.id);
    let result = json!({ "message": message });
    Outcome::new(result, location).fragment(async move { chat.message_frame(&message, lang).await })
}
