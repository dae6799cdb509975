//! What an account may find: the facets of what it reads. Whatever belongs to a room has the room's
//! facets in the search index; of what is found, each module checks the rights again.

use std::collections::HashSet;
use std::sync::Arc;

use super::find::Pattern;
use super::{Community, GroupId, RoleId, Scope, permissions};
use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::search::Facet;
use crate::engine::versions::Dependencies;

/// People, rooms or spaces that a name in a query may mean.
const MAX_NAMED: usize = 20;
/// Bytes of a name that is looked for; the rest is ignored.
const MAX_NAME_QUERY_BYTES: usize = 256;
/// Rooms of a space, archived ones included.
const MAX_ROOMS_READ: i64 = 2_000;

/// What is in a room.
pub fn in_room(room: RoomId) -> Facet {
    Facet('r', room.0)
}

/// What is in a room of a space.
pub fn in_space(space: SpaceId) -> Facet {
    Facet('s', space.0)
}

/// What is in a direct conversation of somebody.
pub fn in_conversation_of(account: AccountId) -> Facet {
    Facet('p', account.0)
}

/// What all members of a space read, wherever in it.
pub fn read_by_members(space: SpaceId) -> Facet {
    Facet('t', space.0)
}

/// What somebody wrote.
pub fn by_author(account: AccountId) -> Facet {
    Facet('a', account.0)
}

/// What mentions somebody by name, or answers them.
pub fn mentions_account(account: AccountId) -> Facet {
    Facet('m', account.0)
}

/// What mentions everybody in a role.
pub fn mentions_role(role: RoleId) -> Facet {
    Facet('o', role.0)
}

/// What mentions everybody in a group.
pub fn mentions_group(group: GroupId) -> Facet {
    Facet('g', group.0)
}

/// What mentions everybody who reads a room, or who was there.
pub const MENTIONS_ALL: Facet = Facet::flag('e');

/// Roles and groups of an account whose mentions are found.
const MAX_MENTIONED: i64 = 100;

/// What an account may find.
#[derive(Debug, Default)]
pub struct SearchScope {
    /// What has one of these,
    pub any: Vec<Facet>,
    /// and none of these.
    pub none: Vec<Facet>,
}

impl Community {
    /// What an account may find, as it is now. Cached until a membership, a role or a room changes.
    ///
    /// # Errors
    /// The database's.
    pub async fn search_scope(&self, account: AccountId) -> Result<Arc<SearchScope>> {
        let load = async |deps: &Dependencies| {
            let mut scope = SearchScope::default();
            scope.any.push(in_conversation_of(account));
            for space in self.spaces.of(deps, account).await?.iter() {
                scope.any.push(read_by_members(space.id));
                self.add_rooms(&mut scope, deps, account, space.id).await?;
            }
            Ok(Arc::new(scope))
        };
        self.search_scopes.get_or_load(account, load).await
    }

    /// Adds the rooms of a space: by name, or as all of the space but some, whichever is shorter.
    async fn add_rooms(
        &self,
        scope: &mut SearchScope,
        deps: &Dependencies,
        account: AccountId,
        space: SpaceId,
    ) -> Result<()> {
        const READ: &str = "SELECT id FROM rooms WHERE space_id = $1 LIMIT $2";
        deps.add(space);
        let all: Vec<RoomId> = self
            .engine
            .db
            .scalars(READ, (space, MAX_ROOMS_READ))
            .await?;
        let (mut readable, mut others) = (Vec::new(), Vec::new());
        for room in all {
            deps.add(room);
            let held = self.access.held(account, Scope::Room(room)).await?;
            match held.contains(self.access.declared.only(&permissions::READ)?) {
                true => readable.push(in_room(room)),
                false => others.push(in_room(room)),
            }
        }
        if readable.len() <= others.len() + 1 {
            scope.any.append(&mut readable);
        } else {
            scope.any.push(in_space(space));
            scope.none.append(&mut others);
        }
        Ok(())
    }

    /// What mentions an account: by name, by a role or group it is in, or with everybody.
    ///
    /// # Errors
    /// The database's.
    pub async fn mentions_of(&self, account: AccountId) -> Result<Vec<Facet>> {
        const ROLES: &str = "SELECT role_id FROM member_roles WHERE account_id = $1 LIMIT $2";
        const GROUPS: &str =
            "SELECT group_id FROM mention_group_members WHERE account_id = $1 LIMIT $2";
        let db = &self.engine.db;
        let roles: Vec<RoleId> = db.scalars(ROLES, (account, MAX_MENTIONED)).await?;
        let groups: Vec<GroupId> = db.scalars(GROUPS, (account, MAX_MENTIONED)).await?;
        let mut facets = vec![mentions_account(account), MENTIONS_ALL];
        facets.extend(roles.into_iter().map(mentions_role));
        facets.extend(groups.into_iter().map(mentions_group));
        Ok(facets)
    }

    /// The people whom an account may mean by a name, or the start of one: those it shares a space
    /// or a conversation with, at most twenty.
    ///
    /// # Errors
    /// The database's.
    pub async fn people_named(&self, account: AccountId, name: &str) -> Result<Vec<AccountId>> {
        let (deps, pattern) = (self.engine().versions.dependencies(), Pattern::new(name));
        let mut found = Vec::new();
        for room in self.rooms.direct_of(&deps, account).await?.iter() {
            if let (Some(other), Some(rank)) = (room.other, pattern.rank(&room.title)) {
                found.push((rank, other));
            }
        }
        for space in self.spaces.of(&deps, account).await?.iter() {
            let index = self.people_indexes.of(&deps, space.id).await?;
            let people = index.find(&pattern, MAX_NAMED).into_iter();
            found.extend(people.map(|(other, _, rank)| (rank, other)));
        }
        Ok(best(found))
    }

    /// The members of a space who may be meant by a name, or the start of one, at most twenty. Who
    /// may ask is for the caller to check.
    ///
    /// # Errors
    /// The database's.
    pub async fn members_named(&self, space: SpaceId, name: &str) -> Result<Vec<AccountId>> {
        let name = &name[..name.floor_char_boundary(MAX_NAME_QUERY_BYTES)];
        let (deps, pattern) = (self.engine().versions.dependencies(), Pattern::new(name));
        let index = self.people_indexes.of(&deps, space).await?;
        let people = index.find(&pattern, MAX_NAMED).into_iter();
        Ok(people.map(|(account, ..)| account).collect())
    }

    /// The rooms of spaces that an account may read and mean by a name, or the start of one.
    ///
    /// # Errors
    /// The database's.
    pub async fn rooms_named(&self, account: AccountId, name: &str) -> Result<Vec<RoomId>> {
        let (deps, pattern) = (self.engine().versions.dependencies(), Pattern::new(name));
        let mut found = Vec::new();
        for space in self.spaces.of(&deps, account).await?.iter() {
            let open = self.rooms.open_in(&deps, account, space.id).await?;
            let archived = self.rooms.archived_in(account, space.id).await?;
            for room in open.iter().chain(&archived) {
                let rank = pattern.rank(&room.name);
                found.extend(rank.map(|rank| (rank, room.id)));
            }
        }
        Ok(best(found))
    }

    /// The spaces of an account that it may mean by a name, or the start of one.
    ///
    /// # Errors
    /// The database's.
    pub async fn spaces_named(&self, account: AccountId, name: &str) -> Result<Vec<SpaceId>> {
        let (deps, pattern) = (self.engine().versions.dependencies(), Pattern::new(name));
        let spaces = self.spaces.of(&deps, account).await?;
        let found = spaces.iter();
        let found = found.filter_map(|space| Some((pattern.rank(&space.name)?, space.id)));
        Ok(best(found.collect()))
    }
}

/// Those that fit best, without the others, each once.
fn best<T: Copy + Ord + std::hash::Hash>(mut found: Vec<(super::find::Rank, T)>) -> Vec<T> {
    found.sort_unstable();
    let best = found.first().map(|(rank, _)| *rank);
    let mut seen = HashSet::new();
    let found = found.into_iter();
    let fitting = found.filter(|(rank, id)| Some(*rank) == best && seen.insert(*id));
    fitting.map(|(_, id)| id).take(MAX_NAMED).collect()
}
