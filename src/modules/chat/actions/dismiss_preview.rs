//! `chat.dismiss-preview`: takes the preview of a link off a message, or those of all its links.
//! The author may, and who moderates the room.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::link_previews;
use super::super::model::MessageId;
use super::super::{Chat, store};
use super::delete::needed_permission;
use super::delete_many::audited;
use super::permitted_message;
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::community::Scope;
use crate::community::audit::{self, Act};
use crate::community::permissions::READ;
use crate::engine::actions::Outcome;
use crate::engine::bus::Origin;
use crate::engine::viewer::Viewer;

#[derive(Deserialize)]
pub(in super::super) struct DismissInput {
    message: MessageId,
    /// The address whose preview goes, as the preview names it; all without.
    url: Option<String>,
}

pub(in super::super) async fn dismiss_preview(
    chat: Chat,
    viewer: Viewer,
    input: DismissInput,
) -> Result<Outcome> {
    let (message, room) = permitted_message(&chat, &viewer, input.message, &READ).await?;
    let permission = needed_permission(&viewer, &message);
    let is_own = message.author == viewer.account;
    let (origin, context) = (Origin::new(viewer.account, room.space), chat.clone());
    let (by, scope) = (viewer.account, Scope::Room(room.id));
    let write = async move |tx: &mut Tx| {
        store::lock_message(tx, input.message).await?;
        let mut message = store::message_in(tx, input.message).await?;
        let url = input.url.as_deref();
        if !context.dismiss_previews(tx, &mut message, url).await? {
            return Ok(message);
        }
        if !is_own {
            let act = Act {
                space: room.space,
                actor: Some(by),
                act: "message.preview-dismissed",
                subject: Some(message.author.0),
                name: "",
                before: audited(&room, std::slice::from_ref(&message.body)),
                after: Value::Null,
            };
            audit::record(tx, act).await?;
        }
        link_previews::publish(&context, tx, origin, message.clone()).await?;
        Ok(message)
    };
    let access = &chat.community.access;
    let message = access
        .permitted_protective_write(by, permission, scope, write)
        .await?;
    let result = json!({ "message": message });
    let (location, lang) = (
        format!("/rooms/{}#m-{}", message.room, message.id),
        viewer.lang,
    );
    let frame = async move { chat.updated_frame(&message, lang).await };
    Ok(Outcome::new(result, location).fragment(frame))
}
