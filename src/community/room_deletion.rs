//! Deleting a room: it is closed to everybody at once, who manages rooms can bring it back for a
//! week, and then a job erases it, in bounded steps.

use std::time::Duration;

use super::access::lock_space;
use super::access_store::{actor_in_room, read_member};
use super::audit;
use super::deletion_grace::{oldest_restorable, rest, until, wait};
use super::permissions::{MANAGE_ROOMS, READ};
use super::room_changes::{Change, are_roles_read, own_members, room_act};
use super::room_row::{RoomRow, room_columns};
use super::rooms::{RoomState, check_count, is_archived, is_taken};
use super::{Access, Community, PermissionSet, Room, Rooms, Scope};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::jobs::{Failure, JobKind, NewJob, Run, Settled};
use crate::engine::module::Module;
use crate::engine::scope_data::ErasedScope;

const ERASE: &str = "community.erase-room";
const ERASE_TIMEOUT: Duration = Duration::from_secs(3600);

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    let about = "Erases a room that was deleted a week ago";
    let erase = JobKind::new(ERASE, about, erase);
    module.job(erase.concurrency(2).timeout(ERASE_TIMEOUT).max_attempts(30))
}

impl Room {
    /// Until when a deleted room can be brought back.
    pub(super) fn restorable_until(&self) -> Option<Micros> {
        self.deleted_at.map(until)
    }
}

impl Access {
    /// A room whether or not it, or its space, is deleted, and what an account holds there or held
    /// before. `None` when there is none, or for who never read it. For a thread its parent.
    pub(super) async fn room_even_deleted(
        &self,
        account: AccountId,
        id: RoomId,
    ) -> Result<Option<(Room, PermissionSet)>> {
        const FIND: &str = concat!(
            "SELECT ",
            room_columns!(),
            " FROM rooms r WHERE r.id = COALESCE((SELECT t.parent_id FROM rooms t \
             WHERE t.id = $1), $1)"
        );
        const IN_ROOM: &str =
            "SELECT EXISTS (SELECT 1 FROM room_members WHERE room_id = $1 AND account_id = $2)";
        let (db, declared) = (self.db(), &self.declared);
        let row: Option<RoomRow> = db.optional(FIND, (id,)).await?;
        let Some(room) = row.map(|row| row.into_room(declared)).transpose()? else {
            return Ok(None);
        };
        let Some(space) = room.space else {
            return Ok(None);
        };
        let Some(member) = read_member(db, account, space, true).await? else {
            return Ok(None);
        };
        let is_in_room: bool = db.scalar(IN_ROOM, (room.id, account)).await?;
        let rules = self.space_rules(space).await?;
        let held = room
            .rules
            .held(declared, &rules, account, &member, is_in_room)?;
        let is_reader = held.contains(declared.only(&READ)?);
        Ok(is_reader.then_some((room, held)))
    }
}

impl Rooms {
    /// Deletes a room. It is closed when this returns its space.
    ///
    /// # Errors
    /// `Conflict` past 500 rooms that are deleted and not yet erased.
    pub(super) async fn delete(&self, by: AccountId, id: RoomId) -> Result<SpaceId> {
        let (room, space) = self.permit_to_manage(by, id).await?;
        let rooms = self.clone();
        let write = async move |tx: &mut Tx| {
            lock_space(tx, space).await?;
            let affected = own_members(tx, &room).await?;
            rooms.begin_deletion(tx, by, &room, space, affected).await
        };
        self.access
            .permitted_protective_write(by, &MANAGE_ROOMS, Scope::Room(id), write)
            .await?;
        Ok(space)
    }

    /// Closes a room in the caller's transaction, which has locked the space. `affected` are its
    /// own members.
    ///
    /// # Errors
    /// As [`delete`](Self::delete).
    pub(super) async fn begin_deletion(
        &self,
        tx: &mut Tx,
        by: AccountId,
        room: &Room,
        space: SpaceId,
        affected: Vec<AccountId>,
    ) -> Result<()> {
        const DELETE: &str = "UPDATE rooms SET deleted_at = $2 WHERE id = $1";
        check_count(tx, space, RoomState::Deleted).await?;
        tx.execute(DELETE, (room.id, Micros::now())).await?;
        let job = NewJob::new(ERASE, &room.id).after(wait());
        self.engine.jobs.add(tx, job).await?;
        self.note_deletion(tx, by, room, space, "room.deleted", affected)
            .await
    }

    /// Records and publishes that a room was deleted or brought back.
    async fn note_deletion(
        &self,
        tx: &mut Tx,
        by: AccountId,
        room: &Room,
        space: SpaceId,
        act: &'static str,
        affected: Vec<AccountId>,
    ) -> Result<()> {
        let act = room_act(by, space, act, room.id, &room.name, room.rules.private);
        audit::record(tx, act).await?;
        let change = Change {
            by,
            room: room.id,
            space,
            may_exclude: true,
            roles_read: are_roles_read(&room.rules),
        };
        change.publish(tx, &self.engine, affected).await
    }

    /// Brings a deleted room back, for who manages rooms and reads this one.
    ///
    /// # Errors
    /// `Conflict` when another room has its name by now, or the space as many as it can have;
    /// `NotFound` once it is being erased, and for who did not read it.
    pub(super) async fn restore(&self, by: AccountId, id: RoomId) -> Result<SpaceId> {
        const RESTORE: &str =
            "UPDATE rooms SET deleted_at = NULL WHERE id = $1 AND deleted_at > $2";
        let found = self.access.room_even_deleted(by, id).await?;
        let (room, _) = found.ok_or(Error::NotFound)?;
        let space = room.space.ok_or(Error::NotFound)?;
        let (rooms, declared) = (self.clone(), self.access.declared.clone());
        let write = async move |tx: &mut Tx| {
            lock_space(tx, space).await?;
            let (actor, _) = actor_in_room(tx, &declared, id, by).await?;
            if !actor.held.contains(declared.only(&READ)?) {
                return Err(Error::NotFound);
            }
            if !actor.held.contains(declared.only(&MANAGE_ROOMS)?) {
                return Err(Error::Forbidden("error-not-permitted"));
            }
            let archived = is_archived(tx, id).await?;
            if !archived && is_taken(tx, space, &room.name, Some(id)).await? {
                return Err(Error::Conflict("error-room-name-taken"));
            }
            let state = match archived {
                true => RoomState::Archived,
                false => RoomState::Open,
            };
            check_count(tx, space, state).await?;
            let affected = own_members(tx, &room).await?;
            if tx.execute(RESTORE, (id, oldest_restorable())).await? == 0 {
                return Err(Error::NotFound);
            }
            let act = "room.undeleted";
            rooms
                .note_deletion(tx, by, &room, space, act, affected)
                .await
        };
        let scope = Scope::Space(space);
        self.access
            .permitted_write(by, &MANAGE_ROOMS, scope, write)
            .await?;
        Ok(space)
    }

    /// The deleted rooms of a space that can be brought back, of those that the account read.
    pub(super) async fn restorable(&self, by: AccountId, space: SpaceId) -> Result<Vec<Room>> {
        let oldest = oldest_restorable();
        let mut rooms = self.read_in(by, space, RoomState::Deleted).await?;
        rooms.retain(|room| room.deleted_at > Some(oldest));
        Ok(rooms)
    }
}

async fn erase(community: Community, run: Run, room: RoomId) -> Result<Settled, Failure> {
    const READ: &str = "SELECT deleted_at FROM rooms WHERE id = $1 AND deleted_at IS NOT NULL";
    let engine = community.engine().clone();
    let deleted: Option<Micros> = engine.db.optional_scalar(READ, (room,)).await?;
    let Some(deleted) = deleted else {
        return run.done(); // brought back, or erased with its space
    };
    let Some(rest) = rest(deleted) else {
        community.erase_room(room).await?;
        return run.done();
    };
    let jobs = engine.jobs.clone();
    run.settle(async move |tx| {
        let job = NewJob::new(ERASE, &room).after(rest);
        jobs.add(tx, job).await.map(drop)
    })
    .await
}

impl Community {
    /// The page that tells an account that a room which it read is deleted, or its space; `None`
    /// when it is not.
    ///
    /// # Errors
    /// The database's.
    pub async fn closed_page(&self, account: AccountId, room: RoomId) -> Result<Option<String>> {
        let found = self.access.room_even_deleted(account, room).await?;
        let Some((found, _)) = found else {
            return Ok(None);
        };
        let of_space = match found.space {
            Some(space) => self.spaces.deletion(account, space).await?.is_some(),
            None => false,
        };
        let is_deleted = of_space || found.deleted_at.is_some();
        Ok(is_deleted.then(|| format!("/rooms/{}/closed", found.id)))
    }

    /// Erases a room with its threads and everything that modules keep of them.
    pub(super) async fn erase_room(&self, room: RoomId) -> Result<()> {
        const THREADS: &str = "SELECT id FROM rooms WHERE parent_id = $1 LIMIT 100";
        loop {
            let threads: Vec<RoomId> = self.engine().db.scalars(THREADS, (room,)).await?;
            if threads.is_empty() {
                return self.erase_one_room(room).await;
            }
            for thread in threads {
                self.erase_one_room(thread).await?;
            }
        }
    }

    async fn erase_one_room(&self, room: RoomId) -> Result<()> {
        const DELETE: &str = "DELETE FROM rooms WHERE id = $1";
        let engine = self.engine();
        for data in engine.scope_data() {
            while data.erase(ErasedScope::Room(room)).await? {}
        }
        for delete in [
            "DELETE FROM room_members WHERE room_id = $1 AND account_id IN \
             (SELECT account_id FROM room_members WHERE room_id = $1 LIMIT $2)",
            "DELETE FROM slow_posts WHERE room_id = $1 AND account_id IN \
             (SELECT account_id FROM slow_posts WHERE room_id = $1 LIMIT $2)",
        ] {
            self.erase_rows(delete, room.0).await?;
        }
        let write = async move |tx: &mut Tx| tx.execute(DELETE, (room,)).await;
        engine.db.write_queued(write).await.map(drop)
    }
}
