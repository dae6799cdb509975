//! Rooms: places in a space, public to its members or private to some, and direct conversations.

use std::sync::Arc;

use sqlx::FromRow;
use unicode_segmentation::UnicodeSegmentation;

use super::names::{check_name, normalize};
use super::topics::{RoomChanged, RoomCreated};
use super::{Community, Scope, permissions};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::bus::Origin;

const MAX_TOPIC_CHARS: usize = 200; // characters of a room's description
const MAX_DIRECT_PEOPLE: usize = 20; // in one direct conversation
/// Rooms that a space's list shows at most.
const MAX_LISTED: i64 = 500;

/// A room.
#[derive(Clone, Debug, FromRow)]
pub struct Room {
    /// Its id.
    pub id: RoomId,
    /// Its space; none for a direct conversation.
    #[sqlx(rename = "space_id")]
    pub space: Option<SpaceId>,
    /// Its name; for a direct conversation empty: it is called by its other people.
    pub name: String,
    /// One line on what it is for.
    pub about: String,
    /// Whether only its own members may know of it.
    pub private: bool,
    /// Whether it is closed for new messages.
    pub archived: bool,
}

const COLUMNS: &str = "SELECT id, space_id, name, about, private, archived_at IS NOT NULL AS archived FROM rooms WHERE id = $1";

/// What a form says of a room.
#[derive(Clone, Debug)]
pub(super) struct RoomForm {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) private: bool,
    pub(super) members: Vec<AccountId>,
}

impl RoomForm {
    /// Who is to be in the room itself: nobody in a public one, its maker always in a private one.
    fn wanted(&self, by: AccountId) -> Vec<AccountId> {
        if self.private {
            std::iter::once(by)
                .chain(self.members.iter().copied())
                .collect()
        } else {
            Vec::new()
        }
    }

    fn check(&mut self) -> Result<()> {
        let mut check = Check::default();
        self.name = check_name(&self.name, "name", &mut check);
        self.about = normalize(&self.about);
        check
            .that(
                self.about.graphemes(true).count() <= MAX_TOPIC_CHARS,
                "about",
                "error-too-long",
                MAX_TOPIC_CHARS,
            )
            .done()
    }
}

async fn insert(
    tx: &mut Tx,
    space: Option<SpaceId>,
    form: (&str, &str, bool),
    people_key: Option<&str>,
) -> Result<RoomId> {
    let (name, about, private) = form;
    let id = RoomId::new();
    const INSERT: &str = "INSERT INTO rooms (id, space_id, name, about, private, people_key, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    tx.execute(
        INSERT,
        (id, space, name, about, private, people_key, Micros::now()),
    )
    .await?;
    Ok(id)
}

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
    insert(tx, Some(space), (name, about, private), None).await
}

async fn is_taken(tx: &mut Tx, space: SpaceId, name: &str, but: Option<RoomId>) -> Result<bool> {
    const READ: &str = "SELECT EXISTS (SELECT 1 FROM rooms WHERE space_id = $1 AND name = $2 AND archived_at IS NULL AND id <> $3)";
    let but = but.map_or(0, |room| room.0);
    tx.scalar(READ, (space, name, but)).await
}

async fn add_people(tx: &mut Tx, room: RoomId, people: &[AccountId]) -> Result<()> {
    const INSERT: &str = "INSERT INTO room_members (room_id, account_id, joined_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    for account in people {
        tx.execute(INSERT, (room, account, Micros::now())).await?;
    }
    Ok(())
}

/// Of these people, those who belong to the space as the transaction sees it: who was removed
/// meanwhile stays out.
async fn of_space(tx: &mut Tx, space: SpaceId, people: Vec<AccountId>) -> Result<Vec<AccountId>> {
    const READ: &str =
        "SELECT EXISTS (SELECT 1 FROM members WHERE space_id = $1 AND account_id = $2)";
    let mut members = Vec::new();
    for account in people {
        let belongs: bool = tx.scalar(READ, (space, account)).await?;
        if belongs && !members.contains(&account) {
            members.push(account);
        }
    }
    Ok(members)
}

impl Community {
    /// A room, by id, without asking who wants to know: for
    /// [`permit_in_room`](Community::permit_in_room).
    pub(super) async fn room(&self, id: RoomId) -> Result<Arc<Room>> {
        let db = &self.0.engine.db;
        self.remember(&self.0.rooms, id, |deps| deps.add(id), async {
            let room: Room = db.one(COLUMNS, (id,)).await?;
            Ok(Arc::new(room))
        })
        .await
    }

    /// The rooms of a space that an account may enter, by name; archived ones only when asked for.
    pub async fn rooms_in(
        &self,
        account: AccountId,
        space: SpaceId,
        archived: bool,
    ) -> Result<Vec<Room>> {
        const READ: &str = "SELECT id, space_id, name, about, private, archived_at IS NOT NULL AS archived FROM rooms \
            WHERE space_id = $1 AND (archived_at IS NOT NULL) = $3 AND (NOT private OR EXISTS \
            (SELECT 1 FROM room_members m WHERE m.room_id = rooms.id AND m.account_id = $2)) ORDER BY name LIMIT $4";
        self.permit(account, &permissions::READ, Scope::Space(space))
            .await?;
        self.0
            .engine
            .db
            .all(READ, (space, account, archived, MAX_LISTED))
            .await
    }

    /// The direct conversations of an account with what they are called, newest first.
    pub async fn direct_rooms(&self, account: AccountId) -> Result<Vec<(RoomId, String)>> {
        const READ: &str = "SELECT mine.room_id, a.name FROM room_members mine JOIN rooms r ON r.id = mine.room_id AND r.space_id IS NULL \
            JOIN room_members theirs ON theirs.room_id = mine.room_id AND theirs.account_id <> mine.account_id \
            JOIN accounts a ON a.id = theirs.account_id WHERE mine.account_id = $1 ORDER BY mine.room_id DESC, a.name_key LIMIT $2";
        let people: Vec<(RoomId, String)> =
            self.0.engine.db.all(READ, (account, MAX_LISTED)).await?;
        let mut rooms: Vec<(RoomId, String)> = Vec::new();
        for (room, name) in people {
            match rooms.last_mut() {
                Some((last, names)) if *last == room => {
                    names.push_str(", ");
                    names.push_str(&name);
                }
                _ => rooms.push((room, name)),
            }
        }
        Ok(rooms)
    }

    /// What a room is called for this account.
    pub async fn room_title(&self, account: AccountId, room: &Room) -> Result<String> {
        if room.space.is_some() {
            return Ok(room.name.clone());
        }
        let others: Vec<_> = self
            .people_in(room.id)
            .await?
            .into_iter()
            .filter(|person| person.id != account)
            .map(|p| p.name)
            .collect();
        Ok(others.join(", "))
    }

    /// Makes a room. A private one has its maker and the given members of the space in it.
    pub(super) async fn create_room(
        &self,
        by: AccountId,
        space: SpaceId,
        mut form: RoomForm,
    ) -> Result<RoomId> {
        self.permit(by, &permissions::MANAGE_ROOMS, Scope::Space(space))
            .await?;
        form.check()?;
        let wanted = form.wanted(by);
        let bus = self.0.engine.bus.clone();
        self.0
            .engine
            .db
            .write(async move |tx| {
                let room =
                    insert_in_space(tx, space, &form.name, &form.about, form.private).await?;
                let members = of_space(tx, space, wanted).await?;
                add_people(tx, room, &members).await?;
                let private = form.private;
                tx.after_commit(move || {
                    bus.publish(
                        Origin::new(by, Some(space)),
                        RoomCreated {
                            room,
                            space: Some(space),
                            private,
                            members,
                        },
                    )
                });
                Ok(room)
            })
            .await
    }

    /// Versions a room's name, description, privacy and members. Who loses it hears nothing of it
    /// any more.
    pub(super) async fn change_room(
        &self,
        by: AccountId,
        id: RoomId,
        mut form: RoomForm,
    ) -> Result<()> {
        let room = self
            .permit_in_room(by, &permissions::MANAGE_ROOMS, id)
            .await?;
        let space = room.space.ok_or(Error::NotFound)?;
        form.check()?;
        let wanted = form.wanted(by);
        let before = self.people_in(id).await?;
        let was_private = room.private;
        let community = self.clone();
        self.0
            .engine
            .db
            .write(async move |tx| {
                if is_taken(tx, space, &form.name, Some(id)).await? {
                    return Err(Error::field("name", "error-room-name-taken"));
                }
                const UPDATE: &str =
                    "UPDATE rooms SET name = $2, about = $3, private = $4 WHERE id = $1";
                tx.execute(UPDATE, (id, &form.name, &form.about, form.private))
                    .await?;
                tx.execute("DELETE FROM room_members WHERE room_id = $1", (id,))
                    .await?;
                let members = of_space(tx, space, wanted).await?;
                add_people(tx, id, &members).await?;
                tx.after_commit(move || {
                    let mut concerned: Vec<_> = before
                        .into_iter()
                        .map(|person| person.id)
                        .chain(members)
                        .collect();
                    concerned.sort_unstable();
                    concerned.dedup();
                    let everyone = !was_private || !form.private;
                    community.room_changed(
                        by,
                        id,
                        Some(space),
                        if everyone { Vec::new() } else { concerned },
                    );
                });
                Ok(())
            })
            .await
    }

    /// Closes a room for new messages, or opens it again.
    pub(super) async fn archive_room(
        &self,
        by: AccountId,
        id: RoomId,
        archive: bool,
    ) -> Result<()> {
        let room = self
            .permit_in_room(by, &permissions::MANAGE_ROOMS, id)
            .await?;
        let space = room.space.ok_or(Error::NotFound)?;
        let concerned = if room.private {
            self.people_in(id)
                .await?
                .into_iter()
                .map(|person| person.id)
                .collect()
        } else {
            Vec::new()
        };
        let community = self.clone();
        self.0
            .engine
            .db
            .write(async move |tx| {
                if !archive && is_taken(tx, space, &room.name, Some(id)).await? {
                    return Err(Error::Conflict("error-room-name-taken"));
                }
                let at = archive.then(Micros::now);
                tx.execute("UPDATE rooms SET archived_at = $2 WHERE id = $1", (id, at))
                    .await?;
                tx.after_commit(move || community.room_changed(by, id, Some(space), concerned));
                Ok(())
            })
            .await
    }

    fn room_changed(
        &self,
        by: AccountId,
        room: RoomId,
        space: Option<SpaceId>,
        members: Vec<AccountId>,
    ) {
        self.0.engine.bus.publish(
            Origin::new(by, space),
            RoomChanged {
                room,
                space,
                members,
            },
        );
        // A room that becomes private shuts out people nobody can name here, so everybody proves
        // themselves.
        self.0.engine.live.recheck_all();
    }

    /// The direct conversation of exactly these people, made when it is not there yet.
    ///
    /// # Errors
    /// `Invalid` for nobody or too many, `NotFound` for someone who shares no space with `by`.
    pub(super) async fn direct_room(
        &self,
        by: AccountId,
        mut people: Vec<AccountId>,
    ) -> Result<RoomId> {
        people.retain(|account| *account != by);
        people.sort_unstable();
        people.dedup();
        Check::default()
            .that(!people.is_empty(), "people", "error-nobody-chosen", 0)
            .that(
                people.len() < MAX_DIRECT_PEOPLE,
                "people",
                "error-too-many-people",
                MAX_DIRECT_PEOPLE,
            )
            .done()?;
        let known = self.acquaintances(by).await?;
        if !people
            .iter()
            .all(|account| known.iter().any(|person| person.id == *account))
        {
            return Err(Error::NotFound);
        }
        people.push(by);
        people.sort_unstable();
        let key = people
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(",");
        let community = self.clone();
        self.0
            .engine
            .db
            .write(async move |tx| {
                let there: Option<RoomId> = tx
                    .optional_scalar("SELECT id FROM rooms WHERE people_key = $1", (&key,))
                    .await?;
                if let Some(room) = there {
                    return Ok(room);
                }
                let room = insert(tx, None, ("", "", true), Some(&key)).await?;
                add_people(tx, room, &people).await?;
                tx.after_commit(move || {
                    community.0.engine.bus.publish(
                        Origin::new(by, None),
                        RoomCreated {
                            room,
                            space: None,
                            private: true,
                            members: people,
                        },
                    );
                });
                Ok(room)
            })
            .await
    }
}
