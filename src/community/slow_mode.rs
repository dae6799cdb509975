//! Slow mode: how many seconds a member waits between two messages in a room. `modules/chat` checks
//! it when a message is posted.

use serde_json::json;

use super::audit::{self, Act};
use super::permissions::MANAGE_ROOMS;
use super::room_changes::{Change, are_roles_read, own_members};
use super::{Rooms, Scope};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId};

/// Seconds of the longest wait: six hours.
const MAX_SLOW_SECONDS: i64 = 6 * 3600;

impl Rooms {
    /// Sets how long members wait between two messages in a room of a space; zero: not at all.
    ///
    /// # Errors
    /// `Invalid` for more than six hours, `NotFound` for a direct conversation.
    pub(super) async fn set_slow_mode(
        &self,
        by: AccountId,
        id: RoomId,
        seconds: i64,
    ) -> Result<()> {
        if !(0..=MAX_SLOW_SECONDS).contains(&seconds) {
            return Err(Error::field("seconds", "error-slow-seconds"));
        }
        let (room, space) = self.permit_to_manage(by, id).await?;
        let engine = self.engine.clone();
        let write = async move |tx: &mut Tx| {
            const SET: &str = "UPDATE rooms SET slow_seconds = $2 WHERE id = $1";
            tx.execute(SET, (id, seconds)).await?;
            let act = Act {
                space: Some(space),
                actor: Some(by),
                act: "room.slowed",
                subject: Some(id.0),
                name: if room.rules.private { "" } else { &room.name },
                before: json!({ "seconds": room.slow_seconds }),
                after: json!({ "seconds": seconds }),
            };
            audit::record(tx, act).await?;
            let affected = own_members(tx, &room).await?;
            let change = Change {
                by,
                room: id,
                space,
                may_exclude: false,
                roles_read: are_roles_read(&room.rules),
            };
            change.publish(tx, &engine, affected).await
        };
        self.access
            .permitted_write(by, &MANAGE_ROOMS, Scope::Room(id), write)
            .await
    }
}
