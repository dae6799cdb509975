//! Making, changing and archiving rooms of spaces. Each change is in the audit log.

use std::sync::Arc;

use serde_json::Value;

use super::access::lock_space;
use super::audit::{self, Act};
use super::permissions::MANAGE_ROOMS;
use super::room_form::{RoomForm, settings};
use super::room_permissions::{Allowing, allow_roles};
use super::rooms::{self, RoomState, add_people, check_count, is_archived, is_taken};
use super::standing::{RoomKind, RoomRules, Subject};
use super::topics::{RolesChanged, RoomChanged, RoomCreated};
use super::{Room, Rooms, SPACE_FEED, Scope};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::Engine;
use crate::engine::bus::Origin;

impl Rooms {
    /// Creates a room. A private one has its creator and the given members of the space in it, and
    /// the given roles read it.
    pub(super) async fn create(
        &self,
        by: AccountId,
        space: SpaceId,
        mut form: RoomForm,
    ) -> Result<RoomId> {
        form.check()?;
        let (bus, declared) = (self.engine.bus.clone(), self.access.declared.clone());
        let create = async move |tx: &mut Tx| {
            let (wanted, private) = (form.members(by), form.private);
            let room = rooms::insert_in_space(tx, space, &form.name, &form.about, private).await?;
            set_kind(tx, room, &form).await?;
            let members = retain_members(tx, space, wanted).await?;
            add_people(tx, room, &members).await?;
            let allowing = Allowing {
                declared: &declared,
                by,
                space,
                room,
            };
            let roles_read = private && allow_roles(tx, allowing, &form.roles).await?;
            let act = room_act(by, space, "room.created", room, &form.name, private);
            audit::record(
                tx,
                Act {
                    after: form.recorded(),
                    ..act
                },
            )
            .await?;
            let created = RoomCreated {
                room,
                space: Some(space),
                private,
                members,
            };
            let (feeds, origin) = (created.feeds(), Origin::new(by, Some(space)));
            bus.publish_on(tx, &feeds, origin, created).await?;
            if roles_read {
                let feed = SPACE_FEED.name(space);
                bus.publish_on(tx, &[feed], origin, RolesChanged { space })
                    .await?;
            }
            Ok(room)
        };
        self.access
            .permitted_write(by, &MANAGE_ROOMS, Scope::Space(space), create)
            .await
    }

    /// Changes a room's name, description, kind, privacy, members and the roles that read it.
    /// Sockets of accounts that lose access lose its feeds.
    pub(super) async fn change(&self, by: AccountId, id: RoomId, mut form: RoomForm) -> Result<()> {
        const UPDATE: &str = "UPDATE rooms SET name = $2, about = $3, private = $4, \
            on_web = on_web AND NOT $4 WHERE id = $1";
        const CLEAR: &str = "DELETE FROM room_members WHERE room_id = $1 RETURNING account_id";
        let (room, space) = self.permit_to_manage(by, id).await?;
        form.check()?;
        // Messages have no titles, and posts are not shown in a log.
        if room.is_forum() != (form.kind == RoomKind::Forum) {
            return Err(Error::field("kind", "error-room-kind-fixed"));
        }
        let (engine, declared) = (self.engine.clone(), self.access.declared.clone());
        let change = async move |tx: &mut Tx| {
            lock_space(tx, space).await?;
            if is_taken(tx, space, &form.name, Some(id)).await? {
                return Err(Error::field("name", "error-room-name-taken"));
            }
            tx.execute(UPDATE, (id, &form.name, &form.about, form.private))
                .await?;
            set_kind(tx, id, &form).await?;
            let before: Vec<AccountId> = tx.scalars(CLEAR, (id,)).await?;
            let members = retain_members(tx, space, form.members(by)).await?;
            add_people(tx, id, &members).await?;
            let allowing = Allowing {
                declared: &declared,
                by,
                space,
                room: id,
            };
            let roles_read = form.private && allow_roles(tx, allowing, &form.roles).await?;
            let private = room.rules.private || form.private;
            let act = room_act(by, space, "room.changed", id, &form.name, private);
            let act = Act {
                before: recorded(&room),
                after: form.recorded(),
                ..act
            };
            audit::record(tx, act).await?;
            let affected = if room.rules.private && form.private {
                [before, members].concat()
            } else {
                Vec::new()
            };
            let change = Change {
                by,
                room: id,
                space,
                may_exclude: private,
                roles_read: roles_read || are_roles_read(&room.rules),
            };
            change.publish(tx, &engine, affected).await
        };
        self.access
            .permitted_protective_write(by, &MANAGE_ROOMS, Scope::Room(id), change)
            .await
    }

    /// Archives a room, which refuses new messages, or restores it.
    ///
    /// # Errors
    /// `Conflict` past 500 rooms that are archived, or open.
    pub(super) async fn archive(&self, by: AccountId, id: RoomId, archive: bool) -> Result<()> {
        const ARCHIVE: &str = "UPDATE rooms SET archived_at = $2 WHERE id = $1";
        let (room, space) = self.permit_to_manage(by, id).await?;
        let engine = self.engine.clone();
        let write = async move |tx: &mut Tx| {
            lock_space(tx, space).await?;
            if !archive && is_taken(tx, space, &room.name, Some(id)).await? {
                return Err(Error::Conflict("error-room-name-taken"));
            }
            if archive != is_archived(tx, id).await? {
                let state = match archive {
                    true => RoomState::Archived,
                    false => RoomState::Open,
                };
                check_count(tx, space, state).await?;
                let act = match archive {
                    true => "room.archived",
                    false => "room.restored",
                };
                let act = room_act(by, space, act, id, &room.name, room.rules.private);
                audit::record(tx, act).await?;
            }
            let affected = own_members(tx, &room).await?;
            let at = archive.then(Micros::now);
            tx.execute(ARCHIVE, (id, at)).await?;
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
            .permitted_protective_write(by, &MANAGE_ROOMS, Scope::Room(id), write)
            .await
    }

    /// The room and its space, for who manages it.
    ///
    /// # Errors
    /// Those of [`Access::permit`](super::Access::permit); `NotFound` for direct conversations, and
    /// for threads, which have no rules of their own.
    pub(super) async fn permit_to_manage(
        &self,
        by: AccountId,
        id: RoomId,
    ) -> Result<(Arc<Room>, SpaceId)> {
        let room = self.access.permit_in_room(by, &MANAGE_ROOMS, id).await?;
        let space = room.space.filter(|_| room.parent.is_none());
        Ok((room, space.ok_or(Error::NotFound)?))
    }
}

async fn set_kind(tx: &mut Tx, room: RoomId, form: &RoomForm) -> Result<()> {
    const SET: &str = "UPDATE rooms SET kind = $2, read_only = $3 WHERE id = $1";
    tx.execute(SET, (room, form.kind, form.read_only)).await?;
    Ok(())
}

/// The members of a private room; nobody for others.
pub(super) async fn own_members(tx: &mut Tx, room: &Room) -> Result<Vec<AccountId>> {
    const MEMBERS: &str = "SELECT account_id FROM room_members WHERE room_id = $1";
    match room.rules.private {
        true => tx.scalars(MEMBERS, (room.id,)).await,
        false => Ok(Vec::new()),
    }
}

/// Keeps of these people, each named once, those who are members of the space within the
/// transaction: somebody may have been removed since the form was shown.
async fn retain_members(
    tx: &mut Tx,
    space: SpaceId,
    people: Vec<AccountId>,
) -> Result<Vec<AccountId>> {
    const READ: &str =
        "SELECT EXISTS (SELECT 1 FROM members WHERE space_id = $1 AND account_id = $2)";
    let mut members = Vec::new();
    for account in people {
        let is_member: bool = tx.scalar(READ, (space, account)).await?;
        if is_member {
            members.push(account);
        }
    }
    Ok(members)
}

/// Whether a role or an account that is no member of a private room may read it.
pub(super) fn are_roles_read(rules: &RoomRules) -> bool {
    let is_other = |subject| subject != Subject::Everyone;
    rules.private && rules.overrides.iter().any(|one| is_other(one.subject))
}

/// An entry of the log about a room. Who reads the log need not know of a private room: it is not
/// named.
pub(super) fn room_act<'a>(
    by: AccountId,
    space: SpaceId,
    act: &'static str,
    room: RoomId,
    name: &'a str,
    private: bool,
) -> Act<'a> {
    Act {
        space: Some(space),
        actor: Some(by),
        act,
        subject: Some(room.0),
        name: if private { "" } else { name },
        before: Value::Null,
        after: Value::Null,
    }
}

fn recorded(room: &Room) -> Value {
    let RoomRules {
        private,
        kind,
        read_only,
        ..
    } = room.rules;
    settings((&room.name, &room.about), private, kind, read_only)
}

/// A change of a room, for its event.
pub(super) struct Change {
    pub(super) by: AccountId,
    pub(super) room: RoomId,
    pub(super) space: SpaceId,
    /// Whether somebody may have lost access: sockets are checked again.
    pub(super) may_exclude: bool,
    /// Whether others than the members of a private room read it, before or after: they hear of a
    /// change of roles, which names no room.
    pub(super) roles_read: bool,
}

impl Change {
    /// Publishes the change after the commit. `members` are the affected accounts if the room was
    /// and stays private; empty means the whole space.
    pub(super) async fn publish(
        self,
        tx: &mut Tx,
        engine: &Engine,
        mut members: Vec<AccountId>,
    ) -> Result<()> {
        let (room, space) = (self.room, self.space);
        members.sort_unstable();
        members.dedup();
        let is_for_all = members.is_empty() || self.roles_read;
        let rechecked = match self.may_exclude {
            true => members.clone(),
            false => Vec::new(),
        };
        let changed = RoomChanged {
            room,
            space: Some(space),
            members,
        };
        let (feeds, origin) = (changed.feeds(), Origin::new(self.by, Some(space)));
        let bus = &engine.bus;
        bus.publish_on(tx, &feeds, origin, changed).await?;
        if self.roles_read {
            let feed = SPACE_FEED.name(space);
            bus.publish_on(tx, &[feed], origin, RolesChanged { space })
                .await?;
        }
        // A room that became private excludes accounts that are not known here.
        if self.may_exclude && is_for_all {
            return engine.live.recheck_all_after_commit(tx).await;
        }
        engine.live.recheck_after_commit(tx, rechecked).await
    }
}
