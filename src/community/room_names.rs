//! The rooms of a space by name, for the links that `#name` in a message becomes.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::Rooms;
use super::permissions::READ as READ_PERMISSION;
use crate::base::error::Result;
use crate::base::ids::{RoomId, SpaceId};
use crate::engine::versions::Dependencies;

/// The rooms of one space that all of its members may read: what a private one is called is not
/// told to everybody who reads a message.
#[derive(Clone, Debug, Default)]
pub struct RoomNames {
    by_name: HashMap<String, RoomId>,
    longest: usize,
    version: u64,
}

impl RoomNames {
    /// The room of this name, in any letter case.
    pub fn get(&self, name: &str) -> Option<RoomId> {
        self.by_name.get(&name.to_lowercase()).copied()
    }

    /// Bytes of the longest name in lower case.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// A hash of names and rooms, the same on every instance: part of the cache key of whatever is
    /// rendered with them.
    pub fn version(&self) -> u64 {
        self.version
    }
}

impl FromIterator<(String, RoomId)> for RoomNames {
    /// Of two rooms of one name the first is found.
    fn from_iter<T: IntoIterator<Item = (String, RoomId)>>(all: T) -> Self {
        // `DefaultHasher::new` has fixed keys, so every process computes the same version.
        let (mut names, mut hasher) = (Self::default(), DefaultHasher::new());
        for (name, room) in all {
            (&name, room.0).hash(&mut hasher);
            let name = name.to_lowercase();
            names.longest = names.longest.max(name.len());
            names.by_name.entry(name).or_insert(room);
        }
        names.version = hasher.finish();
        names
    }
}

impl Rooms {
    /// The rooms that can be named in a room: the public ones of its space.
    pub async fn names_in(&self, room: RoomId) -> Result<Arc<RoomNames>> {
        let Some(space) = self.access.room(room).await?.space else {
            return Ok(Arc::default());
        };
        let load = async |deps: &Dependencies| {
            deps.add(space);
            Ok(Arc::new(self.read_names(space).await?))
        };
        self.names.get_or_load(space, load).await
    }

    async fn read_names(&self, space: SpaceId) -> Result<RoomNames> {
        const READ: &str = "SELECT name, id FROM rooms \
            WHERE space_id = $1 AND NOT private AND archived_at IS NULL \
            AND deleted_at IS NULL AND NOT EXISTS \
            (SELECT 1 FROM room_overrides o WHERE o.room_id = rooms.id \
            AND ' ' || o.denied || ' ' LIKE '% community.read %') ORDER BY id LIMIT $2";
        let rules = self.access.space_rules(space).await?;
        if !rules
            .everyone
            .contains(self.access.declared.only(&READ_PERMISSION)?)
        {
            return Ok(RoomNames::default());
        }
        let rows: Vec<(String, RoomId)> = self
            .engine
            .db
            .all(READ, (space, super::rooms::MAX_ROOMS))
            .await?;
        Ok(rows.into_iter().collect())
    }
}
