//! What a room allows and denies to all members, to a role or to an account: `room_overrides`. Only
//! what the one who acts holds in the room, and only to whom stands below them.

use serde_json::{Value, json};

use super::access::lock_space;
use super::access_store::{actor_in_room, hold_member};
use super::audit::{self, Act};
use super::permission_set::{DeclaredPermissions, PermissionSet};
use super::permissions::{MANAGE_ROOMS, READ};
use super::room_changes::{Change, are_roles_read, own_members, room_act};
use super::standing::{Override, RoleId, Subject};
use super::{Rooms, Scope, roles};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::id;

id!(
    /// A row of what a room allows and denies.
    OverrideId
);

const MAX_OVERRIDES: i64 = 200; // of one room: every check in it goes through them

/// What becomes allowed, denied, and as the space says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RuleChanges {
    pub(super) allow: PermissionSet,
    pub(super) deny: PermissionSet,
    pub(super) clear: PermissionSet,
}

impl RuleChanges {
    /// What is allowed and denied after the changes.
    fn apply(
        self,
        (allowed, denied): (PermissionSet, PermissionSet),
    ) -> (PermissionSet, PermissionSet) {
        let changed = self.allow.with(self.deny).with(self.clear);
        (
            allowed.without(changed).with(self.allow),
            denied.without(changed).with(self.deny),
        )
    }
}

/// A subject as forms and links name it.
pub(super) fn subject_name(subject: Subject) -> String {
    match subject {
        Subject::Everyone => "everyone".to_owned(),
        Subject::Role(role) => format!("role-{role}"),
        Subject::Account(account) => format!("account-{account}"),
    }
}

/// A subject by its name.
pub(super) fn parse_subject(name: &str) -> Option<Subject> {
    match name.split_once('-') {
        None => (name == "everyone").then_some(Subject::Everyone),
        Some(("role", id)) => id.parse().ok().map(Subject::Role),
        Some(("account", id)) => id.parse().ok().map(Subject::Account),
        Some(_) => None,
    }
}

/// What a list of overrides allows and denies to a subject.
pub(super) fn of_subject(
    overrides: &[Override],
    subject: Subject,
) -> (PermissionSet, PermissionSet) {
    let found = overrides.iter().find(|one| one.subject == subject);
    found.map_or_else(Default::default, |one| (one.allowed, one.denied))
}

/// Stores what a room allows and denies to a subject; nothing of both deletes the row.
///
/// # Errors
/// `Conflict` past 200 rows.
async fn store(
    tx: &mut Tx,
    declared: &DeclaredPermissions,
    room: RoomId,
    subject: Subject,
    (allowed, denied): (PermissionSet, PermissionSet),
) -> Result<()> {
    const DELETE: &str = "DELETE FROM room_overrides WHERE room_id = $1 \
        AND COALESCE(role_id, 0) = $2 AND COALESCE(account_id, 0) = $3";
    const COUNT: &str = "SELECT COUNT(*) FROM room_overrides WHERE room_id = $1";
    const INSERT: &str = "INSERT INTO room_overrides \
        (id, room_id, role_id, account_id, allowed, denied) VALUES ($1, $2, $3, $4, $5, $6)";
    let (role, account) = match subject {
        Subject::Everyone => (None, None),
        Subject::Role(role) => (Some(role), None),
        Subject::Account(account) => (None, Some(account)),
    };
    let keys = (role.map_or(0, |id| id.0), account.map_or(0, |id| id.0));
    tx.execute(DELETE, (room, keys.0, keys.1)).await?;
    if allowed.is_empty() && denied.is_empty() {
        return Ok(());
    }
    let count: i64 = tx.scalar(COUNT, (room,)).await?;
    if count >= MAX_OVERRIDES {
        return Err(Error::Conflict("error-overrides-full"));
    }
    let names = (declared.names(allowed), declared.names(denied));
    let row = (OverrideId::new(), room, role, account, names.0, names.1);
    tx.execute(INSERT, row).await?;
    Ok(())
}

/// Who lets roles read which room.
#[derive(Clone, Copy)]
pub(super) struct Allowing<'a> {
    pub(super) declared: &'a DeclaredPermissions,
    pub(super) by: AccountId,
    pub(super) space: SpaceId,
    pub(super) room: RoomId,
}

/// Has these roles, of all below the one who acts, and no other of those, read a private room.
/// Returns whether any role or account of its own reads it, before or after.
///
/// # Errors
/// `NotFound` for a role of another space, `Forbidden` for one as high as the actor's highest.
pub(super) async fn allow_roles(
    tx: &mut Tx,
    allowing: Allowing<'_>,
    wanted: &[RoleId],
) -> Result<bool> {
    const BELOW: &str = "SELECT id FROM roles WHERE space_id = $1 AND position < $2";
    let Allowing {
        declared,
        by,
        space,
        room,
    } = allowing;
    let (actor, rules) = actor_in_room(tx, declared, room, by).await?;
    let read = declared.only(&READ)?;
    let below: Vec<RoleId> = tx.scalars(BELOW, (space, actor.rank)).await?;
    for role in wanted {
        let role = roles::find(tx, space, *role).await?;
        let before = of_subject(&rules.overrides, Subject::Role(role.id));
        if !before.0.contains(read) {
            actor.check_above(role.position)?;
        }
    }
    for role in below {
        let subject = Subject::Role(role);
        let (allowed, denied) = of_subject(&rules.overrides, subject);
        let after = match wanted.contains(&role) {
            true => (allowed.with(read), denied.without(read)),
            false => (allowed.without(read), denied),
        };
        if after != (allowed, denied) {
            store(tx, declared, room, subject, after).await?;
        }
    }
    Ok(!wanted.is_empty() || are_roles_read(&rules))
}

impl Rooms {
    /// Sets what a room allows and denies to a subject.
    ///
    /// # Errors
    /// `Forbidden` for who stands as high, and for permissions that `by` does not hold in the room;
    /// `NotFound` for a role or member of another space.
    pub(super) async fn set_permissions(
        &self,
        by: AccountId,
        id: RoomId,
        subject: Subject,
        changes: RuleChanges,
    ) -> Result<()> {
        const NAME: &str = "SELECT name FROM accounts WHERE id = $1";
        let (room, space) = self.permit_to_manage(by, id).await?;
        let (engine, declared) = (self.engine.clone(), self.access.declared.clone());
        let write = async move |tx: &mut Tx| {
            lock_space(tx, space).await?;
            let (actor, rules) = actor_in_room(tx, &declared, id, by).await?;
            let name: String = match subject {
                Subject::Everyone => "everyone".to_owned(),
                Subject::Role(role) => {
                    let role = roles::find(tx, space, role).await?;
                    actor.check_above(role.position)?;
                    role.name
                }
                Subject::Account(account) => {
                    let (member, space) = hold_member(tx, &declared, space, account).await?;
                    actor.check_above(space.rank(&member))?;
                    tx.scalar(NAME, (account,)).await?
                }
            };
            let before = of_subject(&rules.overrides, subject);
            let after = changes.apply(before);
            actor.check_holds(before.0, after.0)?;
            actor.check_holds(before.1, after.1)?;
            if before == after {
                return Ok(());
            }
            store(tx, &declared, id, subject, after).await?;
            let act = "room.permissions-changed";
            let act = room_act(by, space, act, id, &room.name, room.rules.private);
            let said = |(allowed, denied)| -> Value {
                let names = (declared.names(allowed), declared.names(denied));
                json!({ "allowed": names.0, "denied": names.1 })
            };
            let (before, mut after) = (said(before), said(after));
            after["for"] = name.into();
            audit::record(
                tx,
                Act {
                    before,
                    after,
                    ..act
                },
            )
            .await?;
            let affected = own_members(tx, &room).await?;
            let change = Change {
                by,
                room: id,
                space,
                may_exclude: true,
                roles_read: room.rules.private,
            };
            change.publish(tx, &engine, affected).await
        };
        self.access
            .permitted_protective_write(by, &MANAGE_ROOMS, Scope::Room(id), write)
            .await
    }
}
