//! Leaving a private room that one was added to. With its last reader a room goes: nobody could
//! find it, read it or bring others in any more.

use super::access::lock_space;
use super::permissions::READ;
use super::room_changes::{Change, are_roles_read, own_members};
use super::{Rooms, Scope};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};

impl Rooms {
    /// Takes the account out of a private room. The last one who reads it deletes it by that.
    /// Returns the room's space.
    ///
    /// # Errors
    /// `Conflict` for a room that is not private, or that one reads by a role alone; `NotFound` for
    /// who does not read it, and for direct conversations.
    pub(super) async fn leave(&self, account: AccountId, id: RoomId) -> Result<SpaceId> {
        const LEAVE: &str = "DELETE FROM room_members WHERE room_id = $1 AND account_id = $2";
        let room = self.access.permit_in_room(account, &READ, id).await?;
        let space = room.space.filter(|_| room.parent.is_none());
        let space = space.ok_or(Error::NotFound)?;
        let rooms = self.clone();
        let write = async move |tx: &mut Tx| {
            lock_space(tx, space).await?;
            let affected = own_members(tx, &room).await?;
            if !room.rules.private || tx.execute(LEAVE, (id, account)).await? == 0 {
                return Err(Error::Conflict("error-room-not-joined"));
            }
            if !has_reader(tx, id).await? {
                return rooms
                    .begin_deletion(tx, account, &room, space, affected)
                    .await;
            }
            let change = Change {
                by: account,
                room: id,
                space,
                may_exclude: true,
                roles_read: are_roles_read(&room.rules),
            };
            change.publish(tx, &rooms.engine, affected).await
        };
        self.access
            .permitted_protective_write(account, &READ, Scope::Room(id), write)
            .await?;
        Ok(space)
    }
}

/// Whether somebody may still read a private room: one of its own members, an account that it
/// allows to, or one with such a role. Who may turn out to be denied counts, too.
async fn has_reader(tx: &mut Tx, room: RoomId) -> Result<bool> {
    const FIND: &str = "SELECT EXISTS (SELECT 1 FROM room_members WHERE room_id = $1) \
        OR EXISTS (SELECT 1 FROM room_overrides o WHERE o.room_id = $1 \
        AND ' ' || o.allowed || ' ' LIKE '% community.read %' \
        AND (o.role_id IS NULL OR EXISTS \
        (SELECT 1 FROM member_roles mr WHERE mr.role_id = o.role_id)))";
    tx.scalar(FIND, (room,)).await
}
