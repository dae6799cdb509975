//! Who reads a room: by name, a page at a time, or found by a search.

use std::collections::HashSet;

use sqlx::FromRow;

use super::cache::Members;
use super::find::Pattern;
use super::permissions::READ;
use super::{Community, Face, Person, Room, Spaces};
use crate::base::db::Sql;
use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId};

/// People on one page.
const MAX_ON_PAGE: usize = 50;

/// Somebody who reads a room.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Reader {
    pub(super) id: AccountId,
    pub(super) name: String,
    /// The place in the list: what the next page begins after.
    name_key: String,
}

impl Reader {
    pub(super) fn face(&self) -> Face {
        Face::of(self.id, &self.name)
    }
}

/// A page of those who read a room.
pub(super) struct ReaderPage {
    pub(super) room: Room,
    /// At most fifty.
    pub(super) readers: Vec<Reader>,
    /// What the next page begins after, if there is one.
    pub(super) next: Option<String>,
    /// How many read the room in all.
    pub(super) count: usize,
    /// Whether the viewer was added to the room, which is private, and so may leave it.
    pub(super) may_leave: bool,
    /// Whether nobody else reads it.
    pub(super) is_last: bool,
}

fn ids(accounts: impl Iterator<Item = AccountId>) -> String {
    let ids: Vec<_> = accounts.map(|account| account.to_string()).collect();
    ids.join(",")
}

impl Spaces {
    /// These people by name, at most `limit`.
    pub async fn people(
        &self,
        accounts: impl Iterator<Item = AccountId>,
        limit: i64,
    ) -> Result<Vec<Person>> {
        const READ: Sql = Sql {
            sqlite: "SELECT a.id, a.name FROM accounts a WHERE a.id IN \
                (SELECT CAST(value AS INTEGER) FROM json_each('[' || $1 || ']')) \
                ORDER BY a.name_key LIMIT $2",
            postgres: "SELECT a.id, a.name FROM accounts a \
                WHERE a.id = ANY (CAST(string_to_array($1, ',') AS BIGINT[])) \
                ORDER BY a.name_key LIMIT $2",
        };
        let ids = ids(accounts);
        match ids.is_empty() {
            true => Ok(Vec::new()),
            false => self.engine.db.all(READ, (ids, limit)).await,
        }
    }
}

impl Community {
    /// Who reads a room, for one of them: those after a place in the list by name, or those whose
    /// names a query fits, best first.
    ///
    /// # Errors
    /// `NotFound` for who does not read it.
    pub(super) async fn reader_page(
        &self,
        viewer: AccountId,
        room: RoomId,
        after: &str,
        query: &str,
    ) -> Result<ReaderPage> {
        const IN_ROOM: &str =
            "SELECT EXISTS (SELECT 1 FROM room_members WHERE room_id = $1 AND account_id = $2)";
        let room = self.access.permit_in_room(viewer, &READ, room).await?;
        let all = self.access.readers_of(room.id).await?;
        let is_searched = !query.trim().is_empty();
        let mut readers = match is_searched {
            true => self.find_readers(&room, &all, query).await?,
            false => self.readers_after(&room, &all, after).await?,
        };
        let has_more = readers.len() > MAX_ON_PAGE && !is_searched;
        readers.truncate(MAX_ON_PAGE);
        let last = readers.last().filter(|_| has_more);
        let is_own = room.parent.is_none() && room.space.is_some();
        let may_leave = room.rules.private && is_own && {
            let db = &self.engine().db;
            db.scalar(IN_ROOM, (room.id, viewer)).await?
        };
        Ok(ReaderPage {
            next: last.map(|last| last.name_key.clone()),
            readers,
            count: all.len(),
            may_leave,
            is_last: all.len() <= 1,
            room: (*room).clone(),
        })
    }

    async fn find_readers(&self, room: &Room, all: &Members, query: &str) -> Result<Vec<Reader>> {
        let pattern = Pattern::new(query);
        let reader = |id, name: &str| Reader {
            id,
            name: name.to_owned(),
            name_key: String::new(),
        };
        let Some(space) = room.space else {
            let people = self.rooms.members(room.governing()).await?.into_iter();
            let fits = |person: &Person| pattern.rank(&person.name).is_some();
            let found = people.filter(fits).take(MAX_ON_PAGE);
            return Ok(found.map(|one| reader(one.id, &one.name)).collect());
        };
        let deps = self.engine().versions.dependencies();
        let index = self.people_indexes.of(&deps, space).await?;
        let is_reader = |account| all.contains(&account);
        let found = index.find_among(&pattern, MAX_ON_PAGE, is_reader);
        Ok(found
            .into_iter()
            .map(|(account, name, ..)| reader(account, name))
            .collect())
    }

    async fn readers_after(&self, room: &Room, all: &Members, after: &str) -> Result<Vec<Reader>> {
        // Of a room that all read, its space says it in the order of an index.
        const OF_SPACE: &str = "SELECT a.id, a.name, a.name_key FROM members m \
            JOIN accounts a ON a.id = m.account_id WHERE m.space_id = $1 AND a.name_key > $2 \
            ORDER BY a.name_key LIMIT $3";
        const OF_THESE: Sql = Sql {
            sqlite: "SELECT a.id, a.name, a.name_key FROM accounts a WHERE a.name_key > $2 \
                AND a.id IN (SELECT CAST(value AS INTEGER) FROM json_each('[' || $1 || ']')) \
                ORDER BY a.name_key LIMIT $3",
            postgres: "SELECT a.id, a.name, a.name_key FROM accounts a WHERE a.name_key > $2 \
                AND a.id = ANY (CAST(string_to_array($1, ',') AS BIGINT[])) \
                ORDER BY a.name_key LIMIT $3",
        };
        let limit = i64::try_from(MAX_ON_PAGE).unwrap_or(i64::MAX) + 1;
        let db = &self.engine().db;
        if let Some(space) = room.space
            && self.access.is_open(room, space).await?
        {
            return db.all(OF_SPACE, (space, after, limit)).await;
        }
        let readers: &HashSet<AccountId> = all;
        let ids = ids(readers.iter().copied());
        db.all(OF_THESE, (ids, after, limit)).await
    }
}

impl ReaderPage {
    /// The name of the room's icon.
    pub(super) fn icon(&self) -> &'static str {
        match self.room.space {
            None => "chat",
            Some(_) => self.room.icon(),
        }
    }
}
