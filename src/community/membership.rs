//! Membership: who belongs where. Asked for every page, action and feed, so it is cached, and never
//! past a change.

use std::collections::HashSet;
use std::sync::Arc;

use sqlx::FromRow;

use super::{Community, Role};
use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::versions::Dependencies;

/// Someone in a space or room, as lists show them.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Person {
    /// The account.
    pub id: AccountId,
    /// Its name.
    pub name: String,
    /// The role as stored; empty where it does not matter.
    #[sqlx(default)]
    pub role: String,
}

impl Person {
    /// How they are drawn.
    pub fn face(&self) -> super::Face {
        super::Face::of(self.id, &self.name)
    }

    /// Whether they own the space.
    pub fn is_owner(&self) -> bool {
        Role::of(&self.role) == Role::Owner
    }
}

/// People a list shows at most.
pub const MAX_LISTED: i64 = 500;

impl Community {
    /// What an account is in a space; nothing when it does not belong to it.
    pub async fn role(&self, account: AccountId, space: SpaceId) -> Result<Option<Role>> {
        const READ: &str = "SELECT role FROM members WHERE space_id = $1 AND account_id = $2";
        let db = &self.0.engine.db;
        let depends_on = |deps: &Dependencies| deps.add(account);
        self.remember(&self.0.roles, (account, space), depends_on, async {
            let role: Option<String> = db.optional_scalar(READ, (space, account)).await?;
            Ok(role.as_deref().map(Role::of))
        })
        .await
    }

    /// Whether an account is a member of a private room or direct conversation.
    pub(super) async fn is_in_room(&self, account: AccountId, room: RoomId) -> Result<bool> {
        const READ: &str =
            "SELECT EXISTS (SELECT 1 FROM room_members WHERE room_id = $1 AND account_id = $2)";
        let db = &self.0.engine.db;
        let depends_on = |deps: &Dependencies| {
            deps.add(account);
            deps.add(room);
        };
        self.remember(&self.0.entries, (account, room), depends_on, async {
            db.scalar(READ, (room, account)).await
        })
        .await
    }

    /// The members of a space by name, at most [`MAX_LISTED`].
    pub async fn people_of(&self, space: SpaceId) -> Result<Vec<Person>> {
        const READ: &str = "SELECT a.id, a.name, m.role FROM members m JOIN accounts a ON a.id = m.account_id \
            WHERE m.space_id = $1 ORDER BY a.name_key LIMIT $2";
        self.0.engine.db.all(READ, (space, MAX_LISTED)).await
    }

    /// The own members of a private room or direct conversation, by name.
    pub async fn people_in(&self, room: RoomId) -> Result<Vec<Person>> {
        const READ: &str = "SELECT a.id, a.name, '' AS role FROM room_members m JOIN accounts a ON a.id = m.account_id \
            WHERE m.room_id = $1 ORDER BY a.name_key LIMIT $2";
        self.0.engine.db.all(READ, (room, MAX_LISTED)).await
    }

    /// Everybody who shares a space with this account, by name.
    pub(super) async fn acquaintances(&self, account: AccountId) -> Result<Vec<Person>> {
        const READ: &str = "SELECT DISTINCT a.id, a.name, '' AS role FROM members mine JOIN members theirs ON theirs.space_id = mine.space_id \
            JOIN accounts a ON a.id = theirs.account_id WHERE mine.account_id = $1 AND a.id <> $1 ORDER BY a.name_key LIMIT $2";
        self.0.engine.db.all(READ, (account, MAX_LISTED)).await
    }

    /// The spaces an account belongs to.
    pub async fn space_ids_of(&self, account: AccountId) -> Result<Vec<SpaceId>> {
        const READ: &str = "SELECT space_id FROM members WHERE account_id = $1";
        self.0.engine.db.scalars(READ, (account,)).await
    }

    /// Everybody who may read a room: its own members for a private one, else its space's. Read
    /// once and kept until somebody comes or goes.
    ///
    /// # Errors
    /// `NotFound` when there is no such room.
    pub async fn readers_of(&self, id: RoomId) -> Result<Arc<HashSet<AccountId>>> {
        const MEMBERS: &str = "SELECT account_id FROM members WHERE space_id = $1";
        const ROOM_MEMBERS: &str = "SELECT account_id FROM room_members WHERE room_id = $1";
        let room = self.room(id).await?;
        let db = &self.0.engine.db;
        match room.space {
            Some(space) if !room.private => {
                let depends_on = |deps: &Dependencies| deps.add(space);
                let load = async { Ok(set(db.scalars(MEMBERS, (space,)).await?)) };
                self.remember(&self.0.members, space, depends_on, load)
                    .await
            }
            space => {
                let depends_on = |deps: &Dependencies| {
                    deps.add(id);
                    space.iter().for_each(|space| deps.add(*space));
                };
                let load = async { Ok(set(db.scalars(ROOM_MEMBERS, (id,)).await?)) };
                self.remember(&self.0.room_members, id, depends_on, load)
                    .await
            }
        }
    }
}

fn set(accounts: Vec<AccountId>) -> Arc<HashSet<AccountId>> {
    Arc::new(accounts.into_iter().collect())
}
