//! Access: memberships and the permission check. Runs for every page, action and feed, so rows are
//! cached until an event invalidates them.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use super::access_store::{
    check_direct, check_in_room, check_in_space, read_candidates, read_member, read_members,
    read_space_rules,
};
use super::cache::{Members, StoreCache};
use super::permission_set::{DeclaredPermissions, PermissionSet};
use super::permissions::READ;
use super::room_row::{RoomRow, room_columns};
use super::standing::{Member, RoomRules, SpaceRules, check_held};
use super::topics::{Restrictions, SpaceDeletion};
use super::{Permission, Room, Scope};
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::Engine;
use crate::engine::versions::Dependencies;

/// Permission checks and memberships. Cheap to clone.
#[derive(Clone)]
pub struct Access {
    engine: Engine,
    pub(super) declared: DeclaredPermissions,
    /// The account that set the server up, once there is one. It never changes.
    host: Arc<OnceLock<AccountId>>,
    memberships: StoreCache<(AccountId, SpaceId), Option<Arc<Member>>>,
    space_rules: StoreCache<SpaceId, Arc<SpaceRules>>,
    rooms: StoreCache<RoomId, Arc<Room>>,
    room_memberships: StoreCache<(AccountId, RoomId), bool>,
    space_members: StoreCache<SpaceId, Members>,
    room_members: StoreCache<RoomId, Members>,
}

impl Access {
    pub(super) fn new(engine: &Engine, declared: &[&'static Permission]) -> Self {
        Self {
            declared: DeclaredPermissions::new(declared),
            host: Arc::default(),
            memberships: StoreCache::new(engine),
            space_rules: StoreCache::new(engine),
            rooms: StoreCache::new(engine),
            room_memberships: StoreCache::new(engine),
            space_members: StoreCache::of_lists(engine, |members| members.len()),
            room_members: StoreCache::of_lists(engine, |members| members.len()),
            engine: engine.clone(),
        }
    }

    /// Checks that an account holds a permission in a scope.
    ///
    /// # Errors
    /// `NotFound` when the account may not know that the scope exists, `Forbidden` when it may see
    /// it but lacks the permission, `Conflict` when the room is archived and the permission is
    /// refused there. `Internal` for a permission that no module declared: a mistake of the program
    /// grants nothing.
    pub async fn permit(
        &self,
        account: AccountId,
        permission: &Permission,
        scope: Scope,
    ) -> Result<()> {
        match scope {
            Scope::Server if self.is_host(account).await? => {
                self.declared.only(permission).map(drop)
            }
            Scope::Server => Err(Error::Forbidden("error-host-only")),
            Scope::Space(space) => {
                let member = self.member(account, space).await?;
                let member = member.ok_or(Error::NotFound)?;
                let held = self.held_in_space(&member, space).await?;
                check_held(&self.declared, held, &member, permission)
            }
            Scope::Room(room) => {
                let room = self.permit_in_room(account, permission, room);
                room.await.map(drop)
            }
        }
    }

    /// As [`permit`](Self::permit) for a room, and returns the room.
    ///
    /// # Errors
    /// As [`permit`](Self::permit).
    pub async fn permit_in_room(
        &self,
        account: AccountId,
        permission: &Permission,
        id: RoomId,
    ) -> Result<Arc<Room>> {
        let room = self.room(id).await?;
        let Some(space) = room.space else {
            let is_in_room = self.is_in_room(account, room.governing()).await?;
            self.declared.only(permission)?;
            check_direct(&room.rules, is_in_room, permission)?;
            return Ok(room);
        };
        let member = self.member(account, space).await?.ok_or(Error::NotFound)?;
        let held = self.held_by(account, &member, space, &room).await?;
        room.rules
            .check(&self.declared, held, &member, permission)?;
        Ok(room)
    }

    /// What a member holds in a space as a whole.
    pub(super) async fn held_in_space(
        &self,
        member: &Member,
        space: SpaceId,
    ) -> Result<PermissionSet> {
        let rules = self.space_rules(space).await?;
        Ok(rules.held(&self.declared, member))
    }

    async fn held_by(
        &self,
        account: AccountId,
        member: &Member,
        space: SpaceId,
        room: &Room,
    ) -> Result<PermissionSet> {
        let is_in_room = room.rules.private && self.is_in_room(account, room.governing()).await?;
        let (rules, space) = (&room.rules, self.space_rules(space).await?);
        rules.held(&self.declared, &space, account, member, is_in_room)
    }

    /// What an account may do in a room, or in a space as a whole, now: nothing it is not a member
    /// of, only [`READ`] for members who are restricted to it.
    ///
    /// # Errors
    /// `NotFound` when there is no such room.
    pub async fn held(&self, account: AccountId, scope: Scope) -> Result<PermissionSet> {
        let (space, room) = match scope {
            Scope::Server => return Ok(PermissionSet::default()),
            Scope::Space(space) => (space, None),
            Scope::Room(room) => {
                let room = self.room(room).await?;
                let Some(space) = room.space else {
                    return Ok(match self.is_in_room(account, room.governing()).await? {
                        true => self.declared.by_members(),
                        false => PermissionSet::default(),
                    });
                };
                (space, Some(room))
            }
        };
        let Some(member) = self.member(account, space).await? else {
            return Ok(PermissionSet::default());
        };
        let held = match room {
            Some(room) => self.held_by(account, &member, space, &room).await?,
            None => self.held_in_space(&member, space).await?,
        };
        let is_restricted = member.restriction(Micros::now()).is_some();
        Ok(match is_restricted {
            true => held.both(self.declared.only(&READ)?),
            false => held,
        })
    }

    /// Runs `work` in a transaction if the account holds the permission: asked before the write
    /// waits in the queue, and again in the transaction, since rights may be taken away meanwhile.
    /// Every change that needs a permission goes through here.
    ///
    /// # Errors
    /// Those of [`permit`](Self::permit) and of [`Db::write_for`](crate::base::db::Db::write_for).
    pub async fn permitted_write<T, F>(
        &self,
        account: AccountId,
        permission: &'static Permission,
        scope: Scope,
        work: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static,
    {
        self.permit(account, permission, scope).await?;
        let write = checked(self.declared.clone(), account, permission, scope, work);
        self.engine.db.write_for(scope.key(), write).await
    }

    /// As [`permitted_write`](Self::permitted_write), for a change that takes away rights or
    /// deletes: it also works on a full disk.
    ///
    /// # Errors
    /// Those of [`permit`](Self::permit) and of
    /// [`Db::write_protective_for`](crate::base::db::Db::write_protective_for).
    pub async fn permitted_protective_write<T, F>(
        &self,
        account: AccountId,
        permission: &'static Permission,
        scope: Scope,
        work: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static,
    {
        self.permit(account, permission, scope).await?;
        let write = checked(self.declared.clone(), account, permission, scope, work);
        let db = &self.engine.db;
        db.write_protective_for(scope.key(), write).await
    }

    pub(super) fn db(&self) -> &Db {
        &self.engine.db
    }

    /// What decides how a room's page looks to an account, in a few letters: what it holds there,
    /// and whether the room takes anything.
    pub(super) async fn room_version(&self, account: AccountId, id: RoomId) -> Result<String> {
        let (room, held) = (
            self.room(id).await?,
            self.held(account, Scope::Room(id)).await?,
        );
        let RoomRules {
            archived,
            read_only,
            ..
        } = room.rules;
        let open = match room.space {
            Some(space) => self.is_open(&room, space).await?,
            None => false,
        };
        let flags = [archived, read_only, open, open && room.on_web];
        let flags: String = flags
            .map(|flag| if flag { '1' } else { '0' })
            .into_iter()
            .collect();
        Ok(format!("{held:x}-{flags}-{}", room.slow_seconds))
    }

    /// An account's membership of a space; `None` when it is not a member.
    pub async fn member(&self, account: AccountId, space: SpaceId) -> Result<Option<Arc<Member>>> {
        let load = async |deps: &Dependencies| {
            deps.add(account);
            deps.add(Restrictions(space.0));
            deps.add(SpaceDeletion(space.0));
            let member = read_member(&self.engine.db, account, space, false).await?;
            Ok(member.map(Arc::new))
        };
        self.memberships.get_or_load((account, space), load).await
    }

    /// What every member and every role of a space holds.
    pub(super) async fn space_rules(&self, space: SpaceId) -> Result<Arc<SpaceRules>> {
        let load = async |deps: &Dependencies| {
            deps.add(space);
            let rules = read_space_rules(&self.engine.db, &self.declared, space).await?;
            Ok(Arc::new(rules))
        };
        self.space_rules.get_or_load(space, load).await
    }

    /// Whether an account is a member of a private room or direct conversation.
    async fn is_in_room(&self, account: AccountId, room: RoomId) -> Result<bool> {
        const READ: &str =
            "SELECT EXISTS (SELECT 1 FROM room_members WHERE room_id = $1 AND account_id = $2)";
        let load = async |deps: &Dependencies| {
            deps.add(account);
            deps.add(room);
            self.engine.db.scalar(READ, (room, account)).await
        };
        let memberships = &self.room_memberships;
        memberships.get_or_load((account, room), load).await
    }

    /// A room, without a permission check: for [`permit_in_room`](Self::permit_in_room). Of a
    /// thread all that decides is its parent's.
    ///
    /// # Errors
    /// `NotFound` when there is no such room, or it is deleted.
    pub(super) async fn room(&self, id: RoomId) -> Result<Arc<Room>> {
        const READ_ROOM: &str = concat!(
            "SELECT ",
            room_columns!(),
            " FROM rooms r WHERE r.id = $1 AND r.deleted_at IS NULL"
        );
        let load = async |deps: &Dependencies| {
            deps.add(id);
            let row: RoomRow = self.engine.db.one(READ_ROOM, (id,)).await?;
            let room = row.into_room(&self.declared)?;
            let Some(parent) = room.parent else {
                return Ok(Arc::new(room));
            };
            deps.add(parent);
            let row: RoomRow = self.engine.db.one(READ_ROOM, (parent,)).await?;
            Ok(Arc::new(row.into_room(&self.declared)?.of_thread(room)))
        };
        self.rooms.get_or_load(id, load).await
    }

    /// Adds what the rights in a room depend on to `page`, besides its space: of a thread its
    /// parent, too. To be called before they are read.
    ///
    /// # Errors
    /// `NotFound` when there is no such room.
    pub async fn depend_on_room(&self, page: &Dependencies, id: RoomId) -> Result<()> {
        page.add(id);
        // Which parent a thread has never changes.
        page.add(self.room(id).await?.governing());
        Ok(())
    }

    /// The accounts that may read a room. Cached until a membership, a role or the room changes.
    ///
    /// # Errors
    /// `NotFound` when there is no such room.
    pub async fn readers_of(&self, id: RoomId) -> Result<Members> {
        let room = self.room(id).await?;
        let Some(space) = room.space else {
            return self.members_of_room(&room, None).await;
        };
        match self.is_open(&room, space).await? {
            true => self.members_of_space(space).await,
            false => self.members_of_room(&room, Some(space)).await,
        }
    }

    /// The accounts that may read a room of a space, for one of them; `None` when every member may.
    /// Adds what that depends on to `page`.
    ///
    /// # Errors
    /// `NotFound` when there is no such room.
    pub async fn restricted_readers(
        &self,
        page: &Dependencies,
        account: AccountId,
        id: RoomId,
    ) -> Result<Option<Members>> {
        self.depend_on_room(page, id).await?;
        let room = self.room(id).await?;
        let Some(space) = room.space else {
            return Ok(None);
        };
        page.add(space);
        if self.is_open(&room, space).await? {
            return Ok(None);
        }
        let readers = self.members_of_room(&room, Some(space)).await?;
        Ok(Some(readers).filter(|readers| readers.contains(&account)))
    }

    /// Whether every member of its space reads a room.
    pub(super) async fn is_open(&self, room: &Room, space: SpaceId) -> Result<bool> {
        let everyone = self.space_rules(space).await?.everyone;
        Ok(room.rules.is_open(self.declared.only(&READ)?, everyone))
    }

    async fn members_of_space(&self, space: SpaceId) -> Result<Members> {
        const READ: &str = "SELECT account_id FROM members WHERE space_id = $1";
        let load = async |deps: &Dependencies| {
            deps.add(space);
            self.read_accounts(READ, space.0).await
        };
        self.space_members.get_or_load(space, load).await
    }

    async fn members_of_room(&self, room: &Room, space: Option<SpaceId>) -> Result<Members> {
        const IN_ROOM: &str = "SELECT account_id FROM room_members WHERE room_id = $1";
        let id = room.governing();
        let load = async |deps: &Dependencies| {
            deps.add(id);
            let in_room = self.read_accounts(IN_ROOM, id.0).await?;
            let Some(space) = space else {
                return Ok(in_room);
            };
            deps.add(space);
            let (declared, rules) = (&self.declared, self.space_rules(space).await?);
            let read = declared.only(&READ)?;
            let mut readers = HashSet::new();
            // Of a private room not all members need be asked, however many there are.
            let members = match room.rules.is_closed(read) {
                true => read_candidates(&self.engine.db, space, id).await?,
                false => read_members(&self.engine.db, space).await?,
            };
            for (account, member) in members {
                let is_in_room = in_room.contains(&account);
                let held = room
                    .rules
                    .held(declared, &rules, account, &member, is_in_room)?;
                if held.contains(read) {
                    readers.insert(account);
                }
            }
            Ok(Arc::new(readers))
        };
        self.room_members.get_or_load(id, load).await
    }

    async fn read_accounts(&self, sql: &'static str, id: i64) -> Result<Members> {
        let accounts: Vec<AccountId> = self.engine.db.scalars(sql, (id,)).await?;
        Ok(Arc::new(accounts.into_iter().collect()))
    }

    /// The account that set the server up, if any. Read once, as it never changes.
    pub(super) async fn host(&self) -> Result<Option<AccountId>> {
        if let Some(host) = self.host.get() {
            return Ok(Some(*host));
        }
        const READ: &str = "SELECT owner_id FROM installation";
        let read: Option<AccountId> = self.engine.db.optional_scalar(READ, ()).await?;
        if let Some(host) = read {
            let _ = self.host.set(host);
        }
        Ok(read)
    }

    /// Whether this account is the host.
    pub(super) async fn is_host(&self, account: AccountId) -> Result<bool> {
        Ok(self.host().await? == Some(account))
    }
}

/// Has other transactions wait that write to this space through [`Access::permitted_write`], or
/// that count what it holds.
pub(super) async fn lock_space(tx: &mut Tx, space: SpaceId) -> Result<()> {
    const LOCK: &str = "SELECT id FROM spaces WHERE id = $1 FOR NO KEY UPDATE";
    tx.lock::<(i64,)>(LOCK, (space,)).await.map(drop)
}

/// Has other transactions wait that write to this room; of a thread also to its parent, whose rules
/// it has.
async fn lock_room(tx: &mut Tx, room: RoomId) -> Result<()> {
    // In one statement, and in ascending order: a parent is older than its threads.
    const LOCK: &str = "WITH locked AS (SELECT id FROM rooms WHERE id = $1 \
        OR id = (SELECT t.parent_id FROM rooms t WHERE t.id = $1) \
        ORDER BY id FOR NO KEY UPDATE) SELECT COUNT(*) FROM locked";
    tx.lock::<(i64,)>(LOCK, (room,)).await.map(drop)
}

/// Has other transactions wait that count what this account holds: its spaces, sessions, devices.
/// To be called before what is counted is read.
///
/// # Errors
/// The database's.
pub async fn lock_account(tx: &mut Tx, account: AccountId) -> Result<()> {
    const LOCK: &str = "SELECT id FROM accounts WHERE id = $1 FOR NO KEY UPDATE";
    tx.lock::<(i64,)>(LOCK, (account,)).await.map(drop)
}

/// `work` in a transaction in which the account holds the permission.
fn checked<T, F>(
    declared: DeclaredPermissions,
    account: AccountId,
    permission: &'static Permission,
    scope: Scope,
    work: F,
) -> impl AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static
where
    T: Send + 'static,
    F: AsyncFnOnce(&mut Tx) -> Result<T> + Send + 'static,
{
    async move |tx: &mut Tx| {
        match scope {
            // The host never changes.
            Scope::Server => {}
            Scope::Space(space) => {
                check_in_space(tx, &declared, space, account, permission).await?;
            }
            Scope::Room(room) => {
                lock_room(tx, room).await?;
                check_in_room(tx, &declared, room, account, permission).await?;
            }
        }
        work(tx).await
    }
}
