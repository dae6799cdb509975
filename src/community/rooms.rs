//! Rooms of spaces: public to the members of their space, or private to some of them. Direct
//! conversations are rooms without a space. Changing them: `room_changes.rs`.

use std::sync::Arc;

use super::cache::StoreCache;
use super::direct_rooms::DirectRoom;
use super::permissions;
use super::person::{MAX_LISTED as MAX_PEOPLE_LISTED, Person};
use super::room_category::{Category, CategoryId};
use super::room_names::RoomNames;
use super::room_row::{RoomRow, room_columns};
use super::standing::{RoomKind, RoomRules};
use super::{Access, Scope};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::Engine;
use crate::engine::versions::Dependencies;

/// Open rooms of a space, as many archived ones, and direct conversations that an account begins:
/// what is not listed cannot be found again.
pub(super) const MAX_ROOMS: i64 = 500;

/// A room.
#[derive(Clone, Debug)]
pub struct Room {
    /// Unique on this server.
    pub id: RoomId,
    /// `None` for a direct conversation and its threads.
    pub space: Option<SpaceId>,
    /// The room that a thread belongs to.
    pub parent: Option<RoomId>,
    /// Empty for a direct conversation: see [`Rooms::title`].
    pub name: String,
    /// One line of description; may be empty.
    pub about: String,
    /// Seconds between two messages of one member; zero: no limit.
    pub slow_seconds: i64,
    /// When it was deleted, if it was: only lists of deleted rooms have such a room.
    pub deleted_at: Option<Micros>,
    /// Whether it was chosen to be read on the web, in a space that allows it: see
    /// `Community::is_on_web`.
    pub on_web: bool,
    /// The heading it is listed under.
    pub category: Option<CategoryId>,
    /// Who may do what in it.
    pub rules: RoomRules,
}

impl Room {
    /// This room's thread: `thread` as it is stored, with all that decides taken from this room.
    pub(super) fn of_thread(&self, thread: Self) -> Self {
        Self {
            id: thread.id,
            parent: thread.parent,
            name: thread.name,
            about: String::new(),
            on_web: false,
            ..self.clone()
        }
    }

    /// Whether its messages are posts. Not for the threads that grow from them.
    pub fn is_forum(&self) -> bool {
        self.parent.is_none() && self.rules.kind == RoomKind::Forum
    }

    /// Whether people talk in it. Not for its threads.
    pub fn is_voice(&self) -> bool {
        self.parent.is_none() && self.rules.kind == RoomKind::Voice
    }

    /// The room whose rules, members and privacy count here: of a thread its parent's.
    pub fn governing(&self) -> RoomId {
        self.parent.unwrap_or(self.id)
    }

    /// The name of its icon in lists.
    pub fn icon(&self) -> &'static str {
        match self.rules.kind {
            _ if self.parent.is_some() => "thread",
            _ if self.rules.private => "lock",
            RoomKind::Announcement => "megaphone",
            RoomKind::Voice => "speaker",
            RoomKind::Forum => "list",
            RoomKind::Text => "hash",
        }
    }
}

/// Which rooms of a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RoomState {
    Open,
    Archived,
    /// Closed to everybody, and soon erased; whether or not it was archived.
    Deleted,
}

impl RoomState {
    /// Whether it is archived, which does not matter for a deleted one, and whether it is deleted.
    fn flags(self) -> (bool, bool) {
        (self == Self::Archived, self == Self::Deleted)
    }
}

/// Inserts a room in the caller's transaction. `people_key` is set for a direct conversation.
pub(super) async fn insert(
    tx: &mut Tx,
    space: Option<SpaceId>,
    form: (&str, &str, bool),
    people_key: Option<&str>,
) -> Result<RoomId> {
    let (name, about, private) = form;
    let id = RoomId::new();
    const INSERT: &str = "INSERT INTO rooms \
        (id, space_id, name, about, private, people_key, created_at, position) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, \
        (SELECT COALESCE(MAX(r.position), 0) FROM rooms r WHERE r.space_id = $2))";
    tx.execute(
        INSERT,
        (id, space, name, about, private, people_key, Micros::now()),
    )
    .await?;
    Ok(id)
}

/// Inserts a thread of a room in the caller's transaction, which has locked the room.
///
/// # Errors
/// The database's.
pub async fn insert_thread(tx: &mut Tx, parent: RoomId, name: &str) -> Result<RoomId> {
    const BELONGS: &str = "UPDATE rooms SET parent_id = $2 WHERE id = $1";
    let id = insert(tx, None, (name, "", false), None).await?;
    tx.execute(BELONGS, (id, parent)).await?;
    Ok(id)
}

/// Gives a thread another name, in the caller's transaction. Whoever calls this publishes an event
/// that changes the room.
///
/// # Errors
/// The database's.
pub async fn rename_thread(tx: &mut Tx, thread: RoomId, name: &str) -> Result<()> {
    const RENAME: &str = "UPDATE rooms SET name = $2 WHERE id = $1 AND parent_id IS NOT NULL";
    tx.execute(RENAME, (thread, name)).await.map(drop)
}

/// Inserts a room of a space in the caller's transaction.
///
/// # Errors
/// `Invalid` (field `name`) when an open room of the space has this name; `Conflict` past 500 open
/// rooms.
pub(super) async fn insert_in_space(
    tx: &mut Tx,
    space: SpaceId,
    name: &str,
    about: &str,
    private: bool,
) -> Result<RoomId> {
    if is_taken(tx, space, name, None).await? {
        return Err(Error::field("name", "error-room-name-taken"));
    }
    check_count(tx, space, RoomState::Open).await?;
    insert(tx, Some(space), (name, about, private), None).await
}

/// Checks that a space has room for another room in this state.
pub(super) async fn check_count(tx: &mut Tx, space: SpaceId, state: RoomState) -> Result<()> {
    const COUNT: &str = "SELECT COUNT(*) FROM rooms WHERE space_id = $1 \
        AND (deleted_at IS NOT NULL) = $3 AND ($3 OR (archived_at IS NOT NULL) = $2)";
    let (archived, deleted) = state.flags();
    let count: i64 = tx.scalar(COUNT, (space, archived, deleted)).await?;
    if count < MAX_ROOMS {
        Ok(())
    } else {
        Err(Error::Conflict("error-rooms-full"))
    }
}

pub(super) async fn is_archived(tx: &mut Tx, room: RoomId) -> Result<bool> {
    const READ: &str = "SELECT archived_at IS NOT NULL FROM rooms WHERE id = $1";
    tx.scalar(READ, (room,)).await
}

pub(super) async fn is_taken(
    tx: &mut Tx,
    space: SpaceId,
    name: &str,
    except: Option<RoomId>,
) -> Result<bool> {
    const READ: &str = "SELECT EXISTS (SELECT 1 FROM rooms \
        WHERE space_id = $1 AND name = $2 \
        AND archived_at IS NULL AND deleted_at IS NULL AND id <> $3)";
    let except = except.map_or(0, |room| room.0);
    tx.scalar(READ, (space, name, except)).await
}

pub(super) async fn add_people(tx: &mut Tx, room: RoomId, people: &[AccountId]) -> Result<()> {
    const INSERT: &str = "INSERT INTO room_members (room_id, account_id, joined_at) \
        VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    for account in people {
        tx.execute(INSERT, (room, account, Micros::now())).await?;
    }
    Ok(())
}

/// The rooms of this server. Cheap to clone.
#[derive(Clone)]
pub struct Rooms {
    pub(super) engine: Engine,
    pub(super) access: Access,
    open: StoreCache<(AccountId, SpaceId), Arc<Vec<Room>>>,
    pub(super) direct: StoreCache<AccountId, Arc<Vec<DirectRoom>>>,
    pub(super) names: StoreCache<SpaceId, Arc<RoomNames>>,
    pub(super) categories: StoreCache<SpaceId, Arc<Vec<Category>>>,
}

impl Rooms {
    pub(super) fn new(engine: &Engine, access: &Access) -> Self {
        Self {
            open: StoreCache::of_lists(engine, |rooms| rooms.len()),
            direct: StoreCache::of_lists(engine, |rooms| rooms.len()),
            names: StoreCache::new(engine),
            categories: StoreCache::of_lists(engine, |categories| categories.len()),
            engine: engine.clone(),
            access: access.clone(),
        }
    }

    /// The rooms of a space that an account may read and that are not archived, in their order, at
    /// most 500. Adds what they depend on to `page`.
    pub async fn open_in(
        &self,
        page: &Dependencies,
        account: AccountId,
        space: SpaceId,
    ) -> Result<Arc<Vec<Room>>> {
        let load = async |deps: &Dependencies| {
            deps.add(account);
            deps.add(space);
            let rooms = self.read_in(account, space, RoomState::Open).await?;
            rooms.iter().for_each(|room| deps.add(room.id));
            Ok(Arc::new(rooms))
        };
        self.open
            .get_or_load_for(page, (account, space), load)
            .await
    }

    /// The archived rooms of a space that an account may read, by name, at most 500.
    pub async fn archived_in(&self, account: AccountId, space: SpaceId) -> Result<Vec<Room>> {
        self.read_in(account, space, RoomState::Archived).await
    }

    /// The rooms of a space in a state that an account may read, at most 500.
    pub(super) async fn read_in(
        &self,
        account: AccountId,
        space: SpaceId,
        state: RoomState,
    ) -> Result<Vec<Room>> {
        const READ_ROOMS: &str = concat!(
            "SELECT ",
            room_columns!(),
            " FROM rooms r WHERE r.space_id = $1 AND (r.deleted_at IS NOT NULL) = $4 \
             AND ($4 OR (r.archived_at IS NOT NULL) = $2) ORDER BY r.position, r.name LIMIT $3"
        );
        const OWN: &str = "SELECT m.room_id FROM room_members m JOIN rooms r ON r.id = m.room_id \
            WHERE m.account_id = $1 AND r.space_id = $2 AND r.private";
        let access = &self.access;
        access
            .permit(account, &permissions::READ, Scope::Space(space))
            .await?;
        let Some(member) = access.member(account, space).await? else {
            return Err(Error::NotFound);
        };
        let (db, declared) = (&self.engine.db, &access.declared);
        let space_rules = access.space_rules(space).await?;
        let own: Vec<RoomId> = db.scalars(OWN, (account, space)).await?;
        let (archived, deleted) = state.flags();
        let fields = (space, archived, MAX_ROOMS, deleted);
        let rows: Vec<RoomRow> = db.all(READ_ROOMS, fields).await?;
        let mut readable = Vec::new();
        for row in rows {
            let room = row.into_room(declared)?;
            let is_in_room = own.contains(&room.id);
            let held = room
                .rules
                .held(declared, &space_rules, account, &member, is_in_room)?;
            if !held.is_empty() {
                readable.push(room);
            }
        }
        Ok(readable)
    }

    /// The name and the topic line of a room.
    ///
    /// # Errors
    /// `NotFound` when there is no such room.
    pub async fn name_and_topic(&self, room: RoomId) -> Result<(String, String)> {
        let room = self.access.room(room).await?;
        Ok((room.name.clone(), room.about.clone()))
    }

    /// The room that a thread belongs to; `None` for a room that is no thread.
    ///
    /// # Errors
    /// `NotFound` when there is no such room.
    pub async fn parent_of(&self, room: RoomId) -> Result<Option<RoomId>> {
        Ok(self.access.room(room).await?.parent)
    }

    /// Whether a room is a direct conversation, not a thread of one.
    ///
    /// # Errors
    /// `NotFound` when there is no such room.
    pub async fn is_direct(&self, room: RoomId) -> Result<bool> {
        let room = self.access.room(room).await?;
        Ok(room.space.is_none() && room.parent.is_none())
    }

    /// Whether a room is a forum, whose messages are posts.
    ///
    /// # Errors
    /// `NotFound` when there is no such room.
    pub async fn is_forum(&self, room: RoomId) -> Result<bool> {
        Ok(self.access.room(room).await?.is_forum())
    }

    /// The members of a private room or direct conversation, by name, at most 500.
    pub async fn members(&self, room: RoomId) -> Result<Vec<Person>> {
        const READ: &str = "SELECT a.id, a.name, NULL AS role FROM room_members m \
            JOIN accounts a ON a.id = m.account_id \
            WHERE m.room_id = $1 ORDER BY a.name_key LIMIT $2";
        self.engine.db.all(READ, (room, MAX_PEOPLE_LISTED)).await
    }

    /// The room's title for an account: its name, or the other people of a direct conversation.
    pub async fn title(&self, account: AccountId, room: &Room) -> Result<String> {
        if room.space.is_some() || room.parent.is_some() {
            return Ok(room.name.clone());
        }
        let people = self.members(room.id).await?.into_iter();
        let others = people.filter(|person| person.id != account);
        let names: Vec<_> = others.map(|person| person.name).collect();
        Ok(names.join(", "))
    }
}
