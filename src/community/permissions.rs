//! The community's permissions, and the roles that hold them. [`Access`](super::Access) asks.

use crate::base::error::{Error, Result};
use crate::base::ids::{RoomId, SpaceId};
pub use crate::engine::permission::{HeldBy, Permission, ScopeKind};

/// See a space or a room and what is in it.
pub static READ: Permission = Permission {
    name: "community.read",
    scope: ScopeKind::Room,
    held_by: HeldBy::Members,
    refused_when_archived: false,
    about: "See a space or a room and what is in it",
};

/// Make, rename, archive and open or close rooms.
pub static MANAGE_ROOMS: Permission = Permission {
    name: "community.manage-rooms",
    scope: ScopeKind::Space,
    held_by: HeldBy::Owners,
    refused_when_archived: false,
    about: "Make, rename, archive and open or close rooms",
};

/// Rename the space, change its picture and emoji, and remove members.
pub static MANAGE_SPACE: Permission = Permission {
    name: "community.manage-space",
    scope: ScopeKind::Space,
    held_by: HeldBy::Owners,
    refused_when_archived: false,
    about: "Rename the space, change its picture and emoji, and remove members",
};

/// Invite people and take invitations back.
pub static INVITE: Permission = Permission {
    name: "community.invite",
    scope: ScopeKind::Space,
    held_by: HeldBy::Owners,
    refused_when_archived: false,
    about: "Invite people and take invitations back",
};

/// Make spaces.
pub static CREATE_SPACE: Permission = Permission {
    name: "community.create-space",
    scope: ScopeKind::Server,
    held_by: HeldBy::Host,
    refused_when_archived: false,
    about: "Make spaces on this server",
};

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

    /// Whether members in this role hold a permission.
    pub fn holds(self, permission: &Permission) -> bool {
        match permission.held_by {
            HeldBy::Members => true,
            HeldBy::Owners => self == Self::Owner,
            HeldBy::Host => false,
        }
    }
}

/// What a permission is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The server as a whole.
    Server,
    /// A space.
    Space(SpaceId),
    /// A room or direct conversation.
    Room(RoomId),
}

/// Whether a permission was granted, for who asks a yes-or-no question. An error that is no refusal
/// stays an error: a database that does not answer is not a "no".
///
/// # Errors
/// Every error but `NotFound`, `Forbidden` and `Conflict`.
pub fn is_granted<T>(asked: Result<T>) -> Result<bool> {
    match asked {
        Ok(_) => Ok(true),
        Err(Error::NotFound | Error::Forbidden(_) | Error::Conflict(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_hold_all_of_a_space_and_nothing_of_the_server() {
        for permission in [&READ, &MANAGE_ROOMS, &MANAGE_SPACE, &INVITE] {
            assert!(Role::Owner.holds(permission), "{permission:?}");
            assert_eq!(Role::Member.holds(permission), permission == &READ);
        }
        assert!(!Role::Owner.holds(&CREATE_SPACE));
    }
}
