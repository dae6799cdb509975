//! Sets of declared permissions: a bit for each.

use std::sync::Arc;

use anyhow::anyhow;

use super::permissions::Permission;
use crate::base::error::Result;
use crate::engine::permission::{HeldBy, ScopeKind};

/// Declared permissions of all modules: the bits of a set.
const MAX_PERMISSIONS: usize = 128;

/// A set of declared permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PermissionSet(u128);

impl PermissionSet {
    /// Whether all of `other` is in it.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether nothing is in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is in one of both.
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in it and not in `other`.
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// What is in both.
    pub fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl std::fmt::LowerHex for PermissionSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::LowerHex::fmt(&self.0, f)
    }
}

/// The permissions that modules declared: others are refused. Cheap to clone.
#[derive(Clone)]
pub struct DeclaredPermissions(Arc<Declared>);

struct Declared {
    permissions: Vec<&'static Permission>,
    by_members: PermissionSet,
    by_moderators: PermissionSet,
    by_owners: PermissionSet,
    content: PermissionSet,
    of_rooms: PermissionSet,
}

impl DeclaredPermissions {
    /// # Panics
    /// With more than 128 permissions.
    pub(super) fn new(declared: &[&'static Permission]) -> Self {
        assert!(declared.len() <= MAX_PERMISSIONS, "too many permissions");
        let set = |is_in: &dyn Fn(&Permission) -> bool| {
            let bits = (0..).zip(declared).filter(|(_, one)| is_in(one));
            PermissionSet(
                bits.map(|(bit, _)| 1 << bit)
                    .fold(0, |all, bit: u128| all | bit),
            )
        };
        let by_members = set(&|one| one.held_by == HeldBy::Members);
        let by_moderators = by_members.with(set(&|one| one.held_by == HeldBy::Moderators));
        Self(Arc::new(Declared {
            by_members,
            by_moderators,
            by_owners: by_moderators.with(set(&|one| one.held_by == HeldBy::Owners)),
            content: set(&|one| one.adds_content),
            of_rooms: set(&|one| one.scope == ScopeKind::Room),
            permissions: declared.to_vec(),
        }))
    }

    /// The set of this permission alone.
    ///
    /// # Errors
    /// `Internal` when no module declared it: a mistake of the program grants nothing.
    pub fn only(&self, permission: &Permission) -> Result<PermissionSet> {
        // Nearly always the declared `static` itself: names are compared for copies only.
        let declared = &self.0.permissions;
        let found = declared
            .iter()
            .position(|one| std::ptr::eq(*one, permission))
            .or_else(|| declared.iter().position(|one| *one == permission));
        found.map(|bit| PermissionSet(1 << bit)).ok_or_else(|| {
            let name = permission.name;
            anyhow!("no module declares the permission {name}: `Module::permission`").into()
        })
    }

    /// What every member holds by default.
    pub fn by_members(&self) -> PermissionSet {
        self.0.by_members
    }

    /// What moderators hold by default.
    pub fn by_moderators(&self) -> PermissionSet {
        self.0.by_moderators
    }

    /// What owners hold: all but the host's.
    pub fn by_owners(&self) -> PermissionSet {
        self.0.by_owners
    }

    /// What adds to a room.
    pub fn content(&self) -> PermissionSet {
        self.0.content
    }

    /// What a room allows and denies.
    pub fn of_rooms(&self) -> PermissionSet {
        self.0.of_rooms
    }

    /// The permissions in a set, in the order of their declaration.
    pub fn in_set(&self, set: PermissionSet) -> impl Iterator<Item = &'static Permission> {
        let all = (0..).zip(self.0.permissions.iter());
        all.filter(move |(bit, _)| set.0 & (1 << bit) != 0)
            .map(|(_, one)| *one)
    }

    /// Names, separated by spaces, as a set. Unknown ones are left out: their module is gone.
    pub fn parse(&self, names: &str) -> PermissionSet {
        let known = names.split_ascii_whitespace().filter_map(|name| {
            let declared = &self.0.permissions;
            let bit = declared.iter().position(|one| one.name == name)?;
            Some(PermissionSet(1 << bit))
        });
        known.fold(PermissionSet::default(), PermissionSet::with)
    }

    /// The names in a set, separated by spaces.
    pub fn names(&self, set: PermissionSet) -> String {
        let names: Vec<_> = self.in_set(set).map(|one| one.name).collect();
        names.join(" ")
    }

    /// `defaults` with differences applied: `+name` adds, `-name` takes away.
    pub fn apply(&self, defaults: PermissionSet, differences: &str) -> PermissionSet {
        let words = differences.split_ascii_whitespace();
        words.fold(defaults, |set, word| match word.split_at_checked(1) {
            Some(("+", name)) => set.with(self.parse(name)),
            Some(("-", name)) => set.without(self.parse(name)),
            _ => set,
        })
    }

    /// How a set differs from `defaults`, as [`apply`](Self::apply) reads it.
    pub fn differences(&self, defaults: PermissionSet, set: PermissionSet) -> String {
        let words = |sign: char, set| {
            self.in_set(set)
                .map(move |one| format!("{sign}{}", one.name))
        };
        let added = words('+', set.without(defaults));
        let words: Vec<_> = added.chain(words('-', defaults.without(set))).collect();
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::super::permissions::{CREATE_SPACE, INVITE, KICK, READ};
    use super::*;
    use crate::base::error::Error;

    #[test]
    fn undeclared_permission_is_an_internal_error() {
        let declared = DeclaredPermissions::new(&[&READ]);
        let copy = Permission { ..READ };
        assert!(declared.only(&READ).is_ok());
        assert_eq!(declared.only(&copy).unwrap(), declared.only(&READ).unwrap());
        let refused = declared.only(&INVITE);
        assert!(matches!(&refused, Err(Error::Internal(_))), "{refused:?}");
        let words = refused.unwrap_err().to_string();
        assert!(words.contains("community.invite"), "{words}");
    }

    #[test]
    fn defaults_grow_with_rank_and_leave_out_the_hosts() {
        let declared = DeclaredPermissions::new(&[&READ, &KICK, &INVITE, &CREATE_SPACE]);
        assert_eq!(declared.names(declared.by_members()), "community.read");
        assert!(declared.by_moderators().contains(declared.by_members()));
        assert!(declared.by_owners().contains(declared.by_moderators()));
        let server = declared.only(&CREATE_SPACE).unwrap();
        assert!(!declared.by_owners().contains(server));
    }

    #[test]
    fn differences_are_read_back_and_unknown_names_ignored() {
        let declared = DeclaredPermissions::new(&[&READ, &KICK, &INVITE]);
        let set = declared.parse("community.kick gone.right community.invite");
        let text = declared.differences(declared.by_members(), set);
        let expected = "+community.kick +community.invite -community.read";
        assert_eq!(text, expected);
        assert_eq!(declared.apply(declared.by_members(), &text), set);
        assert_eq!(declared.apply(set, "+gone.right - + x"), set);
    }
}
