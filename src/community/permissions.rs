//! The community's permissions and the roles that hold them. The check of an account is
//! [`Access::permit`](super::Access::permit), in `access.rs`.

use std::sync::Arc;

use anyhow::anyhow;

use crate::base::error::{Error, Result};
use crate::base::ids::{RoomId, SpaceId};
pub use crate::engine::permission::{HeldBy, Permission, ScopeKind};
use crate::text_enum;

/// To see a space or a room and its content.
pub static READ: Permission = Permission {
    name: "community.read",
    scope: ScopeKind::Room,
    held_by: HeldBy::Members,
    refused_when_archived: false,
    about: "See a space or a room and what is in it",
};

/// To create, rename and archive rooms and to change who may enter them.
pub static MANAGE_ROOMS: Permission = Permission {
    name: "community.manage-rooms",
    scope: ScopeKind::Space,
    held_by: HeldBy::Owners,
    refused_when_archived: false,
    about: "Make, rename, archive and open or close rooms",
};

/// To rename a space, change its picture and emoji, and remove members.
pub static MANAGE_SPACE: Permission = Permission {
    name: "community.manage-space",
    scope: ScopeKind::Space,
    held_by: HeldBy::Owners,
    refused_when_archived: false,
    about: "Rename the space, change its picture and emoji, and remove members",
};

/// To create and revoke invitations.
pub static INVITE: Permission = Permission {
    name: "community.invite",
    scope: ScopeKind::Space,
    held_by: HeldBy::Owners,
    refused_when_archived: false,
    about: "Invite people and take invitations back",
};

/// To create spaces.
pub static CREATE_SPACE: Permission = Permission {
    name: "community.create-space",
    scope: ScopeKind::Server,
    held_by: HeldBy::Host,
    refused_when_archived: false,
    about: "Make spaces on this server",
};

/// A member's role in a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Holds every permission of the space.
    Owner,
    /// Holds the permissions of members: to read and write.
    Member,
}

text_enum!(Role {
    Owner = "owner",
    Member = "member",
});

impl Role {
    /// Whether members in this role hold a permission.
    pub fn holds(self, permission: &Permission) -> bool {
        match permission.held_by {
            HeldBy::Members => true,
            HeldBy::Owners => self == Self::Owner,
            HeldBy::Host => false,
        }
    }
}

/// Where a permission is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The server as a whole.
    Server,
    /// A space.
    Space(SpaceId),
    /// A room or direct conversation.
    Room(RoomId),
}

impl Scope {
    /// The key of writes in this scope: they commit in their order.
    pub(super) fn key(self) -> i64 {
        match self {
            Self::Server => 0,
            Self::Space(space) => space.0,
            Self::Room(room) => room.0,
        }
    }
}

/// The permissions that modules declared: others are refused. Cheap to clone.
#[derive(Clone)]
pub(super) struct DeclaredPermissions(Arc<[&'static Permission]>);

impl DeclaredPermissions {
    pub(super) fn new(declared: &[&'static Permission]) -> Self {
        Self(declared.into())
    }

    /// # Errors
    /// `Internal` when no module declared this permission.
    pub(super) fn check(&self, permission: &Permission) -> Result<()> {
        // Nearly always the declared `static` itself: names are compared for copies only.
        let is_declared =
            self.0.iter().any(|one| std::ptr::eq(*one, permission)) || self.0.contains(&permission);
        if is_declared {
            return Ok(());
        }
        let name = permission.name;
        Err(anyhow!("no module declares the permission {name}: `Module::permission`").into())
    }
}

/// Turns the result of a permission check into a flag. Errors that are no refusal remain errors: a
/// failing database must not read as "not granted".
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
    fn owner_holds_space_but_not_server_permissions() {
        for permission in [&READ, &MANAGE_ROOMS, &MANAGE_SPACE, &INVITE] {
            assert!(Role::Owner.holds(permission), "{permission:?}");
            assert_eq!(Role::Member.holds(permission), permission == &READ);
        }
        assert!(!Role::Owner.holds(&CREATE_SPACE));
    }

    #[test]
    fn undeclared_permission_is_an_internal_error() {
        let declared = DeclaredPermissions::new(&[&READ]);
        let copy = Permission { ..READ };
        assert!(declared.check(&READ).is_ok());
        assert!(declared.check(&copy).is_ok());
        let refused = declared.check(&INVITE);
        assert!(matches!(&refused, Err(Error::Internal(_))), "{refused:?}");
        assert!(
            refused
                .unwrap_err()
                .to_string()
                .contains("community.invite")
        );
        assert!(is_granted(declared.check(&INVITE)).is_err());
    }
}
