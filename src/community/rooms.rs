//! Rooms of spaces: public to the members of their space, or private to some of them. Direct
//! conversations are rooms without a space.

use std::sync::Arc;

use super::access::lock_space;
use super::cache::StoreCache;
use super::direct_rooms::DirectRoom;
use super::permissions::{self, MANAGE_ROOMS};
use super::person::{MAX_LISTED as MAX_PEOPLE_LISTED, Person};
use super::room_form::RoomForm;
use super::room_names::RoomNames;
use super::room_row::{RoomRow, room_columns};
use super::standing::{RoomKind, RoomRules};
use super::topics::{RoomChanged, RoomCreated};
use super::{Access, Scope};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::Engine;
use crate::engine::bus::Origin;
use crate::engine::versions::Dependencies;

/// Open rooms of a space, as many archived ones, and direct conversations that an account begins:
/// what is not listed cannot be found again.
pub(super) const MAX_ROOMS: i64 = 500;

/// A room.
#[derive(Clone, Debug)]
pub struct Room {
    /// Unique on this server.
    pub id: RoomId,
    /// `None` for a direct conversation.
    pub space: Option<SpaceId>,
    /// Empty for a direct conversation: see [`Rooms::title`].
    pub name: String,
    /// One line of description; may be empty.
    pub about: String,
    /// Seconds between two messages of one member; zero: no limit.
    pub slow_seconds: i64,
    /// Who may do what in it.
    pub rules: RoomRules,
}

impl Room {
    /// The name of its icon in lists.
    pub fn icon(&self) -> &'static str {
        match self.rules.kind {
            _ if self.rules.private => "lock",
            RoomKind::Announcement => "megaphone",
            RoomKind::Text => "hash",
        }
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
        (id, space_id, name, about, private, people_key, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    tx.execute(
        INSERT,
        (id, space, name, about, private, people_key, Micros::now()),
    )
    .await?;
    Ok(id)
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
    check_count(tx, space, false).await?;
    insert(tx, Some(space), (name, about, private), None).await
}

/// Checks that a space has room for another open or archived room.
async fn check_count(tx: &mut Tx, space: SpaceId, archived: bool) -> Result<()> {
    const COUNT: &str =
        "SELECT COUNT(*) FROM rooms WHERE space_id = $1 AND (archived_at IS NOT NULL) = $2";
    let count: i64 = tx.scalar(COUNT, (space, archived)).await?;
    if count < MAX_ROOMS {
        Ok(())
    } else {
        Err(Error::Conflict("error-rooms-full"))
    }
}

async fn is_archived(tx: &mut Tx, room: RoomId) -> Result<bool> {
    const READ: &str = "SELECT archived_at IS NOT NULL FROM rooms WHERE id = $1";
    tx.scalar(READ, (room,)).await
}

async fn is_taken(tx: &mut Tx, space: SpaceId, name: &str, except: Option<RoomId>) -> Result<bool> {
    const READ: &str = "SELECT EXISTS (SELECT 1 FROM rooms \
        WHERE space_id = $1 AND name = $2 AND archived_at IS NULL AND id <> $3)";
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

/// Keeps of these people, each named once, those who are members of the space within the transaction: somebody may have been
/// removed since the form was shown.
async fn retain_members(
    tx: &mut Tx,
    space: SpaceId,
    people: Vec<AccountId>,
) -> Result<Vec<AccountId>> {
    const READ: &str =
        "SELECT EXISTS (SELECT 1 FROM members WHERE space_id = $1 AND account_id = $2)";
    let mut members = Vec::new();
    for account in people {
        let is_member: bool = tx.scalar(READ, (space, account)).await?;
        if is_member {
            members.push(account);
        }
    }
    Ok(members)
}

/// The rooms of this server. Cheap to clone.
#[derive(Clone)]
pub struct Rooms {
    pub(super) engine: Engine,
    pub(super) access: Access,
    open: StoreCache<(AccountId, SpaceId), Arc<Vec<Room>>>,
    pub(super) direct: StoreCache<AccountId, Arc<Vec<DirectRoom>>>,
    pub(super) names: StoreCache<SpaceId, Arc<RoomNames>>,
}

impl Rooms {
    pub(super) fn new(engine: &Engine, access: &Access) -> Self {
        Self {
            open: StoreCache::of_lists(engine, |rooms| rooms.len()),
            direct: StoreCache::of_lists(engine, |rooms| rooms.len()),
            names: StoreCache::new(engine),
            engine: engine.clone(),
            access: access.clone(),
        }
    }

    /// The rooms of a space that an account may read and that are not archived, by name, at most
    /// 500. Adds what they depend on to `page`.
    pub async fn open_in(
        &self,
        page: &Dependencies,
        account: AccountId,
        space: SpaceId,
    ) -> Result<Arc<Vec<Room>>> {
        let load = async |deps: &Dependencies| {
            deps.add(account);
            deps.add(space);
            let rooms = self.read_in(account, space, false).await?;
            rooms.iter().for_each(|room| deps.add(room.id));
            Ok(Arc::new(rooms))
        };
        self.open
            .get_or_load_for(page, (account, space), load)
            .await
    }

    /// The archived rooms of a space that an account may read, by name, at most 500.
    pub async fn archived_in(&self, account: AccountId, space: SpaceId) -> Result<Vec<Room>> {
        self.read_in(account, space, true).await
    }

    async fn read_in(
        &self,
        account: AccountId,
        space: SpaceId,
        archived: bool,
    ) -> Result<Vec<Room>> {
        const READ_ROOMS: &str = concat!(
            "SELECT ",
            room_columns!(),
            " FROM rooms r WHERE r.space_id = $1 AND (r.archived_at IS NOT NULL) = $2 \
             ORDER BY r.name LIMIT $3"
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
        let rows: Vec<RoomRow> = db.all(READ_ROOMS, (space, archived, MAX_ROOMS)).await?;
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

    /// The members of a private room or direct conversation, by name, at most 500.
    pub async fn members(&self, room: RoomId) -> Result<Vec<Person>> {
        const READ: &str = "SELECT a.id, a.name, NULL AS role FROM room_members m \
            JOIN accounts a ON a.id = m.account_id \
            WHERE m.room_id = $1 ORDER BY a.name_key LIMIT $2";
        self.engine.db.all(READ, (room, MAX_PEOPLE_LISTED)).await
    }

    /// The room's title for an account: its name, or the other people of a direct conversation.
    pub async fn title(&self, account: AccountId, room: &Room) -> Result<String> {
        if room.space.is_some() {
            return Ok(room.name.clone());
        }
        let people = self.members(room.id).await?.into_iter();
        let others = people.filter(|person| person.id != account);
        let names: Vec<_> = others.map(|person| person.name).collect();
        Ok(names.join(", "))
    }

    /// Creates a room. A private one has its creator and the given members of the space in it.
    pub(super) async fn create(
        &self,
        by: AccountId,
        space: SpaceId,
        mut form: RoomForm,
    ) -> Result<RoomId> {
        form.check()?;
        let bus = self.engine.bus.clone();
        let create = async move |tx: &mut Tx| {
            let (wanted, private) = (form.members(by), form.private);
            let room = insert_in_space(tx, space, &form.name, &form.about, private).await?;
            let members = retain_members(tx, space, wanted).await?;
            add_people(tx, room, &members).await?;
            let created = RoomCreated {
                room,
                space: Some(space),
                private,
                members,
            };
            let (feeds, origin) = (created.feeds(), Origin::new(by, Some(space)));
            bus.publish_on(tx, &feeds, origin, created).await?;
            Ok(room)
        };
        self.access
            .permitted_write(by, &MANAGE_ROOMS, Scope::Space(space), create)
            .await
    }

    /// Changes a room's name, description, privacy and members. Sockets of accounts that lose
    /// access lose its feeds.
    pub(super) async fn change(&self, by: AccountId, id: RoomId, mut form: RoomForm) -> Result<()> {
        const UPDATE: &str = "UPDATE rooms SET name = $2, about = $3, private = $4 WHERE id = $1";
        const CLEAR: &str = "DELETE FROM room_members WHERE room_id = $1 RETURNING account_id";
        let (room, space) = self.permit_to_manage(by, id).await?;
        form.check()?;
        let engine = self.engine.clone();
        let change = async move |tx: &mut Tx| {
            lock_space(tx, space).await?;
            if is_taken(tx, space, &form.name, Some(id)).await? {
                return Err(Error::field("name", "error-room-name-taken"));
            }
            tx.execute(UPDATE, (id, &form.name, &form.about, form.private))
                .await?;
            let before: Vec<AccountId> = tx.scalars(CLEAR, (id,)).await?;
            let members = retain_members(tx, space, form.members(by)).await?;
            add_people(tx, id, &members).await?;
            let may_exclude = room.rules.private || form.private;
            let affected = if room.rules.private && form.private {
                [before, members].concat()
            } else {
                Vec::new()
            };
            publish_changed(tx, &engine, by, (id, space), affected, may_exclude).await
        };
        self.access
            .permitted_protective_write(by, &MANAGE_ROOMS, Scope::Room(id), change)
            .await
    }

    /// Archives a room, which refuses new messages, or restores it.
    ///
    /// # Errors
    /// `Conflict` past 500 rooms that are archived, or open.
    pub(super) async fn archive(&self, by: AccountId, id: RoomId, archive: bool) -> Result<()> {
        const ARCHIVE: &str = "UPDATE rooms SET archived_at = $2 WHERE id = $1";
        const MEMBERS: &str = "SELECT account_id FROM room_members WHERE room_id = $1";
        let (room, space) = self.permit_to_manage(by, id).await?;
        let engine = self.engine.clone();
        let write = async move |tx: &mut Tx| {
            lock_space(tx, space).await?;
            if !archive && is_taken(tx, space, &room.name, Some(id)).await? {
                return Err(Error::Conflict("error-room-name-taken"));
            }
            if archive != is_archived(tx, id).await? {
                check_count(tx, space, archive).await?;
            }
            let affected: Vec<AccountId> = if room.rules.private {
                tx.scalars(MEMBERS, (id,)).await?
            } else {
                Vec::new()
            };
            let at = archive.then(Micros::now);
            tx.execute(ARCHIVE, (id, at)).await?;
            publish_changed(tx, &engine, by, (id, space), affected, false).await
        };
        self.access
            .permitted_protective_write(by, &MANAGE_ROOMS, Scope::Room(id), write)
            .await
    }

    async fn permit_to_manage(&self, by: AccountId, id: RoomId) -> Result<(Arc<Room>, SpaceId)> {
        let room = self.access.permit_in_room(by, &MANAGE_ROOMS, id).await?;
        let space = room.space.ok_or(Error::NotFound)?;
        Ok((room, space))
    }
}

/// Publishes a change after the commit. `members` are the affected accounts if the room was and
/// stays private; empty means the whole space. Only a change that `may_exclude` somebody has
/// sockets checked again.
pub(super) async fn publish_changed(
    tx: &mut Tx,
    engine: &Engine,
    by: AccountId,
    (room, space): (RoomId, SpaceId),
    mut members: Vec<AccountId>,
    may_exclude: bool,
) -> Result<()> {
    members.sort_unstable();
    members.dedup();
    let rechecked = if may_exclude {
        members.clone()
    } else {
        Vec::new()
    };
    let changed = RoomChanged {
        room,
        space: Some(space),
        members,
    };
    let (feeds, origin) = (changed.feeds(), Origin::new(by, Some(space)));
    engine.bus.publish_on(tx, &feeds, origin, changed).await?;
    // A room that became private excludes accounts that are not known here.
    if may_exclude && rechecked.is_empty() {
        return engine.live.recheck_all_after_commit(tx).await;
    }
    engine.live.recheck_after_commit(tx, rechecked).await
}
