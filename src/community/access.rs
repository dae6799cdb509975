//! Access: memberships and the permission check. Runs for every page, action and feed, so rows are
//! cached until an event invalidates them.

use std::sync::{Arc, OnceLock};

use super::cache::{Members, StoreCache};
use super::{Permission, Role, Room, Scope};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::Engine;
use crate::engine::permission::HeldBy;
use crate::engine::versions::Dependencies;

/// Permission checks and memberships. Cheap to clone.
#[derive(Clone)]
pub struct Access {
    engine: Engine,
    /// The account that set the server up, once there is one. It never changes.
    host: Arc<OnceLock<AccountId>>,
    roles: StoreCache<(AccountId, SpaceId), Option<Role>>,
    rooms: StoreCache<RoomId, Arc<Room>>,
    room_memberships: StoreCache<(AccountId, RoomId), bool>,
    space_members: StoreCache<SpaceId, Members>,
    room_members: StoreCache<RoomId, Members>,
}

impl Access {
    pub(super) fn new(engine: &Engine) -> Self {
        Self {
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
    /// refused there.
    pub async fn permit(
        &self,
        account: AccountId,
        permission: &Permission,
        scope: Scope,
    ) -> Result<()> {
        let is_granted = match scope {
            Scope::Server => self.is_host(account).await?,
            Scope::Space(space) => {
                let role = self.role(account, space).await?.ok_or(Error::NotFound)?;
                role.holds(permission)
            }
            Scope::Room(room) => {
                let room = self.permit_in_room(account, permission, room);
                return room.await.map(drop);
            }
        };
        if is_granted {
            Ok(())
        } else {
            Err(Error::Forbidden("error-owner-only"))
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
        if (room.private || room.space.is_none()) && !self.is_in_room(account, id).await? {
            return Err(Error::NotFound);
        }
        let is_granted = match room.space {
            Some(space) => {
                let role = self.role(account, space).await?.ok_or(Error::NotFound)?;
                role.holds(permission)
            }
            // In a direct conversation everybody reads and writes, and nobody moderates.
            None => permission.held_by == HeldBy::Members,
        };
        match permission {
            _ if !is_granted => Err(Error::Forbidden("error-owner-only")),
            _ if permission.refused_when_archived && room.archived => {
                Err(Error::Conflict("error-room-archived"))
            }
            _ => Ok(room),
        }
    }

    /// An account's role in a space; `None` when it is not a member.
    pub async fn role(&self, account: AccountId, space: SpaceId) -> Result<Option<Role>> {
        const READ: &str = "SELECT role FROM members WHERE space_id = $1 AND account_id = $2";
        let load = async |deps: &Dependencies| {
            deps.add(account);
            let role: Option<String> = self
                .engine
                .db
                .optional_scalar(READ, (space, account))
                .await?;
            Ok(role.as_deref().map(Role::of))
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
