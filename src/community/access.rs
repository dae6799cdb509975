//! Access: memberships and the permission check. Runs for every page, action and feed, so rows are
//! cached until an event invalidates them.

use std::sync::{Arc, OnceLock};

use sqlx::FromRow;

use super::cache::{Members, StoreCache};
use super::permissions::DeclaredPermissions;
use super::{Permission, Role, Room, Scope};
use crate::base::db::{Sql, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::Engine;
use crate::engine::permission::HeldBy;
use crate::engine::versions::Dependencies;

/// Permission checks and memberships. Cheap to clone.
#[derive(Clone)]
pub struct Access {
    engine: Engine,
    declared: DeclaredPermissions,
    /// The account that set the server up, once there is one. It never changes.
    host: Arc<OnceLock<AccountId>>,
    roles: StoreCache<(AccountId, SpaceId), Option<Role>>,
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
            roles: StoreCache::new(engine),
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
        self.declared.check(permission)?;
        match scope {
            Scope::Server if self.is_host(account).await? => Ok(()),
            Scope::Server => Err(Error::Forbidden("error-owner-only")),
            Scope::Space(space) => check_role(self.role(account, space).await?, permission),
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
        self.declared.check(permission)?;
        let room = self.room(id).await?;
        let is_closed = room.private || room.space.is_none();
        let standing = Standing {
            space: room.space,
            private: room.private,
            archived: room.archived,
            role: match room.space {
                Some(space) => self.role(account, space).await?,
                None => None,
            },
            is_in_room: is_closed && self.is_in_room(account, id).await?,
        };
        standing.check(permission)?;
        Ok(room)
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
        let write = checked(account, permission, scope, work);
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
        let write = checked(account, permission, scope, work);
        let db = &self.engine.db;
        db.write_protective_for(scope.key(), write).await
    }

    /// An account's role in a space; `None` when it is not a member.
    pub async fn role(&self, account: AccountId, space: SpaceId) -> Result<Option<Role>> {
        let load = async |deps: &Dependencies| {
            deps.add(account);
            let db = &self.engine.db;
            db.optional_scalar(READ_ROLE, (space, account)).await
        };
        self.roles.get_or_load((account, space), load).await
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

    /// A room, without a permission check: for [`permit_in_room`](Self::permit_in_room).
    ///
    /// # Errors
    /// `NotFound` when there is no such room.
    pub(super) async fn room(&self, id: RoomId) -> Result<Arc<Room>> {
        const READ: &str = "SELECT id, space_id, name, about, private, \
            archived_at IS NOT NULL AS archived FROM rooms WHERE id = $1";
        let load = async |deps: &Dependencies| {
            deps.add(id);
            Ok(Arc::new(self.engine.db.one(READ, (id,)).await?))
        };
        self.rooms.get_or_load(id, load).await
    }

    /// The accounts that may read a room: its own members if it is private, else those of its
    /// space. Cached until a membership changes.
    ///
    /// # Errors
    /// `NotFound` when there is no such room.
    pub async fn readers_of(&self, id: RoomId) -> Result<Members> {
        let room = self.room(id).await?;
        match room.space {
            Some(space) if !room.private => self.members_of_space(space).await,
            space => self.members_of_room(id, space).await,
        }
    }

    async fn members_of_space(&self, space: SpaceId) -> Result<Members> {
        const READ: &str = "SELECT account_id FROM members WHERE space_id = $1";
        let load = async |deps: &Dependencies| {
            deps.add(space);
            self.read_members(READ, space.0).await
        };
        self.space_members.get_or_load(space, load).await
    }

    async fn members_of_room(&self, room: RoomId, space: Option<SpaceId>) -> Result<Members> {
        const READ: &str = "SELECT account_id FROM room_members WHERE room_id = $1";
        let load = async |deps: &Dependencies| {
            deps.add(room);
            space.iter().for_each(|space| deps.add(*space));
            self.read_members(READ, room.0).await
        };
        self.room_members.get_or_load(room, load).await
    }

    async fn read_members(&self, sql: &'static str, id: i64) -> Result<Members> {
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

const READ_ROLE: &str = "SELECT role FROM members WHERE space_id = $1 AND account_id = $2";
/// The role, as it stays until the transaction ends.
const HOLD_ROLE: Sql = Sql {
    sqlite: READ_ROLE,
    postgres: "SELECT role FROM members WHERE space_id = $1 AND account_id = $2 FOR SHARE",
};

/// Has other transactions wait that write to this space through [`Access::permitted_write`], or
/// that count what it holds.
pub(super) async fn lock_space(tx: &mut Tx, space: SpaceId) -> Result<()> {
    const LOCK: &str = "SELECT id FROM spaces WHERE id = $1 FOR NO KEY UPDATE";
    tx.lock::<(i64,)>(LOCK, (space,)).await.map(drop)
}

/// Has other transactions wait that write to this room.
async fn lock_room(tx: &mut Tx, room: RoomId) -> Result<()> {
    const LOCK: &str = "SELECT id FROM rooms WHERE id = $1 FOR NO KEY UPDATE";
    tx.lock::<(i64,)>(LOCK, (room,)).await.map(drop)
}

/// Has other transactions wait that count what this account holds: its spaces, sessions, devices.
pub(super) async fn lock_account(tx: &mut Tx, account: AccountId) -> Result<()> {
    const LOCK: &str = "SELECT id FROM accounts WHERE id = $1 FOR NO KEY UPDATE";
    tx.lock::<(i64,)>(LOCK, (account,)).await.map(drop)
}

/// The rule for spaces, for an account in this role.
fn check_role(role: Option<Role>, permission: &Permission) -> Result<()> {
    if role.ok_or(Error::NotFound)?.holds(permission) {
        Ok(())
    } else {
        Err(Error::Forbidden("error-owner-only"))
    }
}

/// All that decides what an account may do in a room.
#[derive(FromRow)]
struct Standing {
    /// `None` for a direct conversation.
    #[sqlx(rename = "space_id")]
    space: Option<SpaceId>,
    private: bool,
    archived: bool,
    /// In the room's space.
    role: Option<Role>,
    /// Among the members of a private room or direct conversation.
    is_in_room: bool,
}

impl Standing {
    /// Where there are other writers, all of it stays as it is until the transaction ends. The
    /// room's row has been locked by an earlier statement: this one sees what was committed before.
    const HOLD: Sql = Sql {
        sqlite: "SELECT r.space_id, r.private, r.archived_at IS NOT NULL AS archived, \
            m.role, EXISTS (SELECT 1 FROM room_members p \
            WHERE p.room_id = r.id AND p.account_id = $2) AS is_in_room \
            FROM rooms r LEFT JOIN members m ON m.space_id = r.space_id AND m.account_id = $2 \
            WHERE r.id = $1",
        postgres: "SELECT r.space_id, r.private, r.archived_at IS NOT NULL AS archived, \
            (SELECT m.role FROM members m \
            WHERE m.space_id = r.space_id AND m.account_id = $2 FOR SHARE) AS role, \
            (SELECT p.room_id FROM room_members p \
            WHERE p.room_id = r.id AND p.account_id = $2 FOR SHARE) IS NOT NULL AS is_in_room \
            FROM rooms r WHERE r.id = $1",
    };

    /// The rule for rooms.
    fn check(&self, permission: &Permission) -> Result<()> {
        if (self.private || self.space.is_none()) && !self.is_in_room {
            return Err(Error::NotFound);
        }
        match self.space {
            Some(_) => check_role(self.role, permission)?,
            // In a direct conversation everybody reads and writes, and nobody moderates.
            None if permission.held_by == HeldBy::Members => {}
            None => return Err(Error::Forbidden("error-owner-only")),
        }
        if permission.refused_when_archived && self.archived {
            return Err(Error::Conflict("error-room-archived"));
        }
        Ok(())
    }
}

/// `work` in a transaction in which the account holds the permission.
fn checked<T, F>(
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
                lock_space(tx, space).await?;
                let role = tx.optional_scalar(HOLD_ROLE, (space, account)).await?;
                check_role(role, permission)?;
            }
            Scope::Room(room) => {
                lock_room(tx, room).await?;
                let standing: Standing = tx.one(Standing::HOLD, (room, account)).await?;
                standing.check(permission)?;
            }
        }
        work(tx).await
    }
}
