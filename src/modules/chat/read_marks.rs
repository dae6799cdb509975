//! Read marks: how far an account has read a room. Which rooms are shown as unread: `unread.rs`.

use serde::Deserialize;
use serde_json::Value;

use super::actions::permitted_message;
use super::model::MessageId;
use super::topics::RoomRead;
use super::{Chat, store};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::community::Scope;
use crate::community::permissions::READ;
use crate::engine::actions::Outcome;
use crate::engine::bus::Origin;
use crate::engine::viewer::Viewer;

#[derive(Deserialize)]
pub(super) struct ReadInput {
    room: RoomId,
    message: MessageId,
}

/// `chat.read`: moves one's read mark to a message.
pub(super) async fn read(chat: Chat, viewer: Viewer, input: ReadInput) -> Result<Outcome> {
    let (message, _) = permitted_message(&chat, &viewer, input.message, &READ).await?;
    if message.room != input.room {
        return Err(Error::NotFound);
    }
    chat.mark_read(viewer.account, input.room, input.message)
        .await?;
    Ok(Outcome::new(Value::Null, format!("/rooms/{}", input.room)))
}

impl Chat {
    /// Moves an account's read mark forward, never back, and publishes it to the account's tabs.
    pub(super) async fn mark_read(
        &self,
        account: AccountId,
        room: RoomId,
        message: MessageId,
    ) -> Result<()> {
        let (bus, notices) = (self.engine.bus.clone(), self.engine.notices.clone());
        let write = async move |tx: &mut Tx| {
            if store::mark_read(tx, account, room, message).await? {
                notices.read_room(tx, account, room, message.0).await?;
                let (origin, event) = (
                    Origin::new(account, None),
                    RoomRead {
                        account,
                        room,
                        message,
                    },
                );
                bus.publish_after_commit(tx, origin, event);
            }
            Ok(())
        };
        let access = &self.community.access;
        access
            .permitted_write(account, &READ, Scope::Room(room), write)
            .await
    }
}
