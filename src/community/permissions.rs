//! The one permission check. Roles are names for sets of permissions; every page, action and feed
//! asks here.

use std::sync::Arc;

use super::{Community, Room};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};

/// Something a person may be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// See a space or a room and what is in it.
    Read,
    /// Write messages.
    Post,
    /// Delete what others wrote.
    Moderate,
    /// Make, rename, archive and open or close rooms.
    ManageRooms,
    /// Rename the space and remove members.
    ManageSpace,
    /// Invite people and take invitations back.
    Invite,
    /// See how the server is doing.
    Operate,
}

/// What a member is in a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// May do everything.
    Owner,
    /// Reads and writes.
    Member,
}

impl Role {
    /// As stored.
    pub fn of(name: &str) -> Self {
        if name == "owner" {
            Self::Owner
        } else {
            Self::Member
        }
    }

    /// As stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Member => "member",
        }
    }

    /// The table of rights.
    pub fn may(self, permission: Permission) -> bool {
        use Permission::{Invite, ManageRooms, ManageSpace, Moderate, Operate, Post, Read};
        match (self, permission) {
            (_, Read | Post) => true,
            (Self::Owner, Moderate | ManageRooms | ManageSpace | Invite) => true,
            (_, Moderate | ManageRooms | ManageSpace | Invite | Operate) => false,
        }
    }
}

/// Where something is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The server as a whole.
    Server,
    /// A space.
    Space(SpaceId),
    /// A room or direct conversation.
    Room(RoomId),
}

impl Community {
    /// Refuses unless this account may do this here.
    ///
    /// # Errors
    /// `NotFound` when they may not even know of the place, `Forbidden` when they may see it but
    /// not do this, `Conflict` when the place is archived and this would change it.
    pub async fn permit(
        &self,
        account: AccountId,
        permission: Permission,
        place: Place,
    ) -> Result<()> {
        match place {
            Place::Server => {
                if self.is_server_owner(account).await? {
                    Ok(())
                } else {
                    Err(Error::Forbidden("error-owner-only"))
                }
            }
            Place::Space(space) => {
                let role = self.role(account, space).await?.ok_or(Error::NotFound)?;
                if role.may(permission) {
                    Ok(())
                } else {
                    Err(Error::Forbidden("error-owner-only"))
                }
            }
            Place::Room(room) => self
                .permit_in_room(account, permission, room)
                .await
                .map(drop),
        }
    }

    /// As [`permit`](Self::permit), and gives the room.
    ///
    /// # Errors
    /// As [`permit`](Self::permit).
    pub async fn permit_in_room(
        &self,
        account: AccountId,
        permission: Permission,
        id: RoomId,
    ) -> Result<Arc<Room>> {
        let room = self.room(id).await?;
        if (room.private || room.space.is_none()) && !self.is_in_room(account, id).await? {
            return Err(Error::NotFound);
        }
        let allowed = match room.space {
            Some(space) => self
                .role(account, space)
                .await?
                .ok_or(Error::NotFound)?
                .may(permission),
            // In a direct conversation everybody reads and writes, and nobody moderates.
            None => matches!(permission, Permission::Read | Permission::Post),
        };
        match permission {
            _ if !allowed => Err(Error::Forbidden("error-owner-only")),
            Permission::Post if room.archived => Err(Error::Conflict("error-room-archived")),
            _ => Ok(room),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_may_all_of_a_space_and_members_read_and_post() {
        use Permission::*;
        for permission in [Read, Post, Moderate, ManageRooms, ManageSpace, Invite] {
            assert!(Role::Owner.may(permission));
            assert_eq!(
                Role::Member.may(permission),
                matches!(permission, Read | Post)
            );
        }
        assert!(!Role::Owner.may(Operate), "the server is not the space's");
    }
}
