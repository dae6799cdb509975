//! The community's permissions. The check of an account is
//! [`Access::permit`](super::Access::permit), in `access.rs`.

use crate::base::error::{Error, Result};
use crate::base::ids::{RoomId, SpaceId};
use crate::base::locale::Lang;
pub use crate::engine::permission::{HeldBy, Permission, ScopeKind};
use crate::text_enum;

/// To see a space or a room and its content.
pub static READ: Permission = Permission {
    name: "community.read",
    scope: ScopeKind::Room,
    held_by: HeldBy::Members,
    adds_content: false,
    about: "See a space or a room and what is in it",
};

/// To create, rename and archive rooms and to change who may enter them.
pub static MANAGE_ROOMS: Permission = Permission {
    name: "community.manage-rooms",
    scope: ScopeKind::Room,
    held_by: HeldBy::Owners,
    adds_content: false,
    about: "Make, change, archive and delete rooms, and say who may do what in them",
};

/// To rename a space and change its picture, emoji and settings.
pub static MANAGE_SPACE: Permission = Permission {
    name: "community.manage-space",
    scope: ScopeKind::Space,
    held_by: HeldBy::Owners,
    adds_content: false,
    about: "Change the space's name, picture, emoji and settings",
};

/// To create, change and give roles, below one's own.
pub static MANAGE_ROLES: Permission = Permission {
    name: "community.manage-roles",
    scope: ScopeKind::Space,
    held_by: HeldBy::Owners,
    adds_content: false,
    about: "Make and change roles below one's own, and give them to members and take them back",
};

/// To create and revoke invitations.
pub static INVITE: Permission = Permission {
    name: "community.invite",
    scope: ScopeKind::Space,
    held_by: HeldBy::Moderators,
    adds_content: false,
    about: "Invite people and take invitations back",
};

/// To accept and decline those who ask to join.
pub static APPROVE: Permission = Permission {
    name: "community.approve",
    scope: ScopeKind::Space,
    held_by: HeldBy::Moderators,
    adds_content: false,
    about: "Accept and decline people who ask to join the space",
};

/// To remove members, who may come back.
pub static KICK: Permission = Permission {
    name: "community.kick",
    scope: ScopeKind::Space,
    held_by: HeldBy::Moderators,
    adds_content: false,
    about: "Remove members, who may come back when they are invited",
};

/// To ban accounts and addresses.
pub static BAN: Permission = Permission {
    name: "community.ban",
    scope: ScopeKind::Space,
    held_by: HeldBy::Moderators,
    adds_content: false,
    about: "Ban people, and addresses, and lift bans",
};

/// To have members only read for a while.
pub static TIME_OUT: Permission = Permission {
    name: "community.time-out",
    scope: ScopeKind::Space,
    held_by: HeldBy::Moderators,
    adds_content: false,
    about: "Have members only read for a while",
};

/// To read the audit log.
pub static VIEW_AUDIT: Permission = Permission {
    name: "community.view-audit",
    scope: ScopeKind::Space,
    held_by: HeldBy::Moderators,
    adds_content: false,
    about: "Read who changed what in the space",
};

/// To create spaces.
pub static CREATE_SPACE: Permission = Permission {
    name: "community.create-space",
    scope: ScopeKind::Server,
    held_by: HeldBy::Host,
    adds_content: false,
    about: "Make spaces on this server",
};

/// To say whether strangers may make accounts.
pub static SET_REGISTRATION: Permission = Permission {
    name: "community.set-registration",
    scope: ScopeKind::Server,
    held_by: HeldBy::Host,
    adds_content: false,
    about: "Say whether strangers may make accounts on this server",
};

/// To suspend accounts and ban networks on the whole server.
pub static MANAGE_SERVER: Permission = Permission {
    name: "community.manage-server",
    scope: ScopeKind::Server,
    held_by: HeldBy::Host,
    adds_content: false,
    about: "Suspend accounts, ban addresses, and read the audit log of the server",
};

/// Whether a member owns the space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// Holds every permission of the space, above all roles.
    Owner,
    /// Holds what every member does, and what the roles given to them do.
    Member,
}

text_enum!(Membership {
    Owner = "owner",
    Member = "member",
});

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

/// The sentence of a permission in the viewer's language, else as its module declares it.
pub(super) fn permission_words(lang: Lang, permission: &Permission) -> String {
    let key = format!("permission-{}", permission.name.replace('.', "-"));
    match lang.has(&key) {
        true => lang.t(&key).to_owned(),
        false => permission.about.to_owned(),
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
