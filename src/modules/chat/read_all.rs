//! `chat.read-all`: marks everything as read, or all of a space.

use serde::Deserialize;
use serde_json::json;

use super::topics::{ReadRoom, RoomsRead};
use super::{Chat, store};
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::{RoomId, SpaceId};
use crate::community::permissions::{READ, is_granted};
use crate::engine::actions::Outcome;
use crate::engine::bus::Origin;
use crate::engine::viewer::Viewer;

#[derive(Deserialize)]
pub(super) struct ReadAllInput {
    /// Only the rooms and followed threads of this space; without it those of all spaces, and the
    /// conversations.
    space: Option<SpaceId>,
    /// The path of the page that a form without scripts comes back to.
    #[serde(default)]
    here: String,
}

pub(super) async fn read_all(chat: Chat, viewer: Viewer, input: ReadAllInput) -> Result<Outcome> {
    let account = viewer.account;
    let mut rooms: Vec<RoomId> = Vec::new();
    for unread in store::unread_with_spaces(&chat.engine.db, account).await? {
        let asked = chat
            .community
            .access
            .permit_in_room(account, &READ, unread.room);
        let room = match asked.await {
            Ok(room) => room,
            refused => {
                is_granted(refused)?;
                continue;
            }
        };
        if input.space.is_none() || room.space == input.space {
            rooms.push(room.id);
        }
    }
    let (bus, notices) = (chat.engine.bus.clone(), chat.engine.notices.clone());
    let write = chat.engine.db.write(async move |tx: &mut Tx| {
        let read: Vec<ReadRoom> = store::read_to_end(tx, account, &rooms).await?;
        let ids: Vec<_> = read.iter().map(|one| (one.room, one.message.0)).collect();
        notices.read_rooms(tx, account, &ids).await?;
        let count = read.len();
        if count > 0 {
            let event = RoomsRead {
                account,
                rooms: read,
            };
            bus.publish_after_commit(tx, Origin::new(account, None), event);
        }
        Ok(count)
    });
    let count = write.await?;
    // Only pages of this server.
    let is_path = input.here.starts_with('/') && !input.here.starts_with("//");
    let location = match is_path {
        true => input.here,
        false => "/".to_owned(),
    };
    let note = viewer.lang.t("read-all-done").to_owned();
    Ok(Outcome::new(json!({ "rooms": count }), location).note(note))
}
