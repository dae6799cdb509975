//! The rule of permissions: what a member may do in a space and in a room, from the roles given to
//! them and from what the room allows and denies. Pure; every check comes here, from the caches and
//! from transactions alike. The order of precedence is that of Discord's channel overwrites.

use smallvec::SmallVec;

use super::permission_set::{DeclaredPermissions, PermissionSet};
use super::permissions::{MANAGE_ROOMS, Permission, READ};
use crate::base::clock::Micros;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::{id, text_enum};

id!(
    /// A role.
    RoleId
);

/// Above every role: that of owners.
pub(super) const OWNER_RANK: i64 = i64::MAX;

/// What decides what an account may do in a space.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// Whether it owns the space.
    pub is_owner: bool,
    /// Whether it is there to read only, without an account of its own.
    pub is_guest: bool,
    /// Whether it has yet to accept the rules of the space.
    pub is_pending: bool,
    /// Until when it is timed out; may be past.
    pub timed_out_until: Option<Micros>,
    /// The roles given to it.
    pub roles: SmallVec<[RoleId; 2]>,
}

impl Member {
    /// Why it may do nothing but read; the key of a message. Never for owners.
    pub fn restriction(&self, now: Micros) -> Option<&'static str> {
        if self.is_owner {
            return None;
        }
        let is_timed_out = self.timed_out_until.is_some_and(|until| until > now);
        [
            (self.is_guest, "error-guest"),
            (self.is_pending, "error-rules-first"),
            (is_timed_out, "error-timed-out"),
        ]
        .into_iter()
        .find_map(|(applies, why)| applies.then_some(why))
    }
}

/// Whose defaults a role follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Those of moderators: [`HeldBy::Moderators`](super::permissions::HeldBy::Moderators).
    Moderator,
}

text_enum!(Preset {
    Moderator = "moderator",
});

/// What of a role decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleRule {
    /// The role.
    pub id: RoleId,
    /// Higher is above.
    pub position: i64,
    /// Whose defaults it follows.
    pub preset: Option<Preset>,
    /// What it grants.
    pub grants: PermissionSet,
}

/// What every member and every role of a space holds.
#[derive(Clone, Debug, Default)]
pub struct SpaceRules {
    /// What every member holds.
    pub everyone: PermissionSet,
    /// The roles, or those of one member.
    pub roles: Vec<RoleRule>,
}

impl SpaceRules {
    fn of<'a>(&'a self, member: &'a Member) -> impl Iterator<Item = &'a RoleRule> {
        let roles = self.roles.iter();
        roles.filter(|role| member.roles.contains(&role.id))
    }

    /// How high a member stands: nobody acts on who stands as high as they do. Members without a
    /// role stand at zero.
    pub fn rank(&self, member: &Member) -> i64 {
        match member.is_owner {
            true => OWNER_RANK,
            false => self.of(member).map(|role| role.position).max().unwrap_or(0),
        }
    }

    /// What a member holds in the space as a whole.
    pub fn held(&self, declared: &DeclaredPermissions, member: &Member) -> PermissionSet {
        match member.is_owner {
            true => declared.by_owners(),
            false => {
                let granted = self.of(member).map(|role| role.grants);
                granted.fold(self.everyone, PermissionSet::with)
            }
        }
    }
}

/// A kind of room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RoomKind {
    /// Everybody writes.
    #[default]
    Text,
    /// Few write: moderators, and those to whom the room allows it.
    Announcement,
    /// Its messages are posts with titles, each with a thread.
    Forum,
    /// People talk in it, and write beside that.
    Voice,
}

text_enum!(RoomKind {
    Text = "text",
    Announcement = "announcement",
    Forum = "forum",
    Voice = "voice",
});

/// To whom a room allows or denies something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Every member.
    Everyone,
    /// The members in a role.
    Role(RoleId),
    /// One account.
    Account(AccountId),
}

/// What a room allows and denies to a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// To whom.
    pub subject: Subject,
    /// What is allowed whatever the space says.
    pub allowed: PermissionSet,
    /// What is denied whatever the space says.
    pub denied: PermissionSet,
}

/// What of a room of a space decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomRules {
    /// Whether only its own members see it, and those to whom it is allowed.
    pub private: bool,
    /// Whether it is closed.
    pub archived: bool,
    /// Whether nothing is added to it for now.
    pub read_only: bool,
    /// What kind of room it is.
    pub kind: RoomKind,
    /// What it allows and denies; at most one for each subject.
    pub overrides: Vec<Override>,
}

/// A step of precedence: what is denied goes first, then what is allowed comes.
#[derive(Default)]
struct Step {
    allowed: PermissionSet,
    denied: PermissionSet,
}

impl Step {
    fn apply(self, held: PermissionSet) -> PermissionSet {
        held.without(self.denied).with(self.allowed)
    }

    fn add(&mut self, one: &Override) {
        self.allowed = self.allowed.with(one.allowed);
        self.denied = self.denied.with(one.denied);
    }
}

impl RoomRules {
    /// What a member of the space holds in the room. First what the room says of every member, then
    /// of roles, then of the account; at each step what is allowed wins. `is_in_room` says whether
    /// the account is among the room's own members. Without [`READ`] nothing is held.
    ///
    /// # Errors
    /// `Internal` when [`READ`] is not declared.
    pub fn held(
        &self,
        declared: &DeclaredPermissions,
        space: &SpaceRules,
        account: AccountId,
        member: &Member,
        is_in_room: bool,
    ) -> Result<PermissionSet> {
        let read = declared.only(&READ)?;
        if member.is_owner {
            // Owners stand above what a room denies, but a private room is private.
            let is_hidden = self.private && !is_in_room && !self.allows(member, account, read);
            return Ok(match is_hidden {
                true => PermissionSet::default(),
                false => declared.by_owners(),
            });
        }
        let (mut everyone, mut roles, mut own) =
            (Step::default(), Step::default(), Step::default());
        if self.private {
            everyone.denied = read;
        }
        if self.kind == RoomKind::Announcement {
            everyone.denied = everyone.denied.with(declared.content());
            let writes = |role: &RoleRule| role.preset == Some(Preset::Moderator);
            if space.of(member).any(writes) {
                roles.allowed = declared.content();
            }
        }
        if is_in_room {
            own.allowed = read;
        }
        for one in &self.overrides {
            match one.subject {
                Subject::Everyone => everyone.add(one),
                Subject::Role(role) if member.roles.contains(&role) => roles.add(one),
                Subject::Account(of) if of == account => own.add(one),
                Subject::Role(_) | Subject::Account(_) => {}
            }
        }
        let held = own.apply(roles.apply(everyone.apply(space.held(declared, member))));
        Ok(match held.contains(read) {
            true => held,
            false => PermissionSet::default(),
        })
    }

    /// Whether the room itself allows something to one of a member's roles, or to the account.
    fn allows(&self, member: &Member, account: AccountId, what: PermissionSet) -> bool {
        self.overrides.iter().any(|one| {
            one.allowed.contains(what)
                && match one.subject {
                    Subject::Everyone => true,
                    Subject::Role(role) => member.roles.contains(&role),
                    Subject::Account(of) => of == account,
                }
        })
    }

    /// Whether somebody who reads the audit log may be kept out of the room: what is in it is not
    /// told there.
    pub fn may_exclude(&self) -> bool {
        self.private || self.overrides.iter().any(|one| !one.denied.is_empty())
    }

    /// Whether every member with the rights of everybody reads the room.
    pub(super) fn is_open(&self, read: PermissionSet, everyone: PermissionSet) -> bool {
        let denies = |one: &Override| one.denied.contains(read);
        !self.private && everyone.contains(read) && !self.overrides.iter().any(denies)
    }

    /// Whether only its own members read the room, and those whom it allows to by name or role.
    pub(super) fn is_closed(&self, read: PermissionSet) -> bool {
        let everyone = |one: &Override| one.subject == Subject::Everyone;
        let allows = |one: &Override| everyone(one) && one.allowed.contains(read);
        self.private && !self.overrides.iter().any(allows)
    }

    /// Checks a permission of which `held` was found by [`held`](Self::held).
    ///
    /// # Errors
    /// `NotFound` for who does not see the room, `Forbidden` without the permission, `Conflict`
    /// where nothing is added.
    pub(super) fn check(
        &self,
        declared: &DeclaredPermissions,
        held: PermissionSet,
        member: &Member,
        permission: &Permission,
    ) -> Result<()> {
        if !held.contains(declared.only(&READ)?) {
            return Err(Error::NotFound);
        }
        check_held(declared, held, member, permission)?;
        if permission.adds_content && self.archived {
            return Err(Error::Conflict("error-room-archived"));
        }
        if permission.adds_content
            && self.read_only
            && !held.contains(declared.only(&MANAGE_ROOMS)?)
        {
            return Err(Error::Conflict("error-room-read-only"));
        }
        Ok(())
    }
}

/// Checks that a member holds a permission, and is not restricted to reading.
///
/// # Errors
/// `Forbidden`.
pub(super) fn check_held(
    declared: &DeclaredPermissions,
    held: PermissionSet,
    member: &Member,
    permission: &Permission,
) -> Result<()> {
    if *permission != READ
        && let Some(why) = member.restriction(Micros::now())
    {
        return Err(Error::Forbidden(why));
    }
    match held.contains(declared.only(permission)?) {
        true => Ok(()),
        false => Err(Error::Forbidden("error-not-permitted")),
    }
}

#[cfg(test)]
#[path = "standing/tests.rs"]
mod tests;
