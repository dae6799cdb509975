//! Membership: who belongs where. Asked for every page, action and feed, so it is cached, and never
//! past a change.

use sqlx::FromRow;

use super::{Community, Role};
use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId, SpaceId};

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
        self.remember(&self.0.roles, (account, space), async {
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
        self.remember(&self.0.entries, (account, room), async {
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

    /// Of these accounts, those who may read a room.
    pub async fn readers_among(
        &self,
        room: &super::Room,
        accounts: Vec<AccountId>,
    ) -> Vec<AccountId> {
        let mut readers = Vec::new();
        for account in accounts {
            if self
                .permit_in_room(account, super::Permission::Read, room.id)
                .await
                .is_ok()
            {
                readers.push(account);
            }
        }
        readers
    }

    /// In the commit that changed an account's rights: what was cached no longer counts, then their
    /// sockets prove themselves. In this order, or a socket could be let through by what no longer
    /// counts.
    pub(super) fn rights_changed(&self, account: AccountId) {
        self.changed();
        self.0.engine.live.recheck(account);
    }
}
