//! What people without an account read on the web: the rooms that the owners of a space chose, of
//! those that every member reads. Only while the space allows it.

use std::sync::Arc;

use serde_json::{Value, json};
use sqlx::FromRow;

use super::access_store::hold_member;
use super::audit::{self, Act};
use super::permissions::READ;
use super::room_row::{RoomRow, room_columns};
use super::rooms::MAX_ROOMS;
use super::topics::WebAccessChanged;
use super::{Community, MemberNames, Room, SPACE_FEED, Scope, Spaces};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::bus::Origin;

/// A space that people without an account read.
#[derive(Clone, Debug, FromRow)]
pub struct WebSpace {
    /// The space.
    pub id: SpaceId,
    /// Its name.
    pub name: String,
    /// Whether search engines may list it.
    #[sqlx(rename = "web_indexed")]
    pub is_indexed: bool,
}

/// What owners choose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct WebSettings {
    pub(super) is_on: bool,
    pub(super) is_indexed: bool,
    pub(super) rooms: Vec<RoomId>,
}

impl Community {
    /// Whether people without an account read a room.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_on_web(&self, room: &Room) -> Result<bool> {
        match room.space {
            Some(space) if room.on_web => self.access.is_open(room, space).await,
            _ => Ok(false),
        }
    }

    /// A space, for people without an account.
    ///
    /// # Errors
    /// `NotFound` unless its owners allowed it.
    pub async fn web_space(&self, space: SpaceId) -> Result<WebSpace> {
        const READ: &str = "SELECT id, name, web_indexed FROM spaces \
            WHERE id = $1 AND on_web AND deleted_at IS NULL";
        self.engine().db.one(READ, (space,)).await
    }

    /// A room with its space, for people without an account.
    ///
    /// # Errors
    /// `NotFound` unless the owners of the space chose it.
    pub async fn web_room(&self, space: SpaceId, room: RoomId) -> Result<(WebSpace, Arc<Room>)> {
        let own = self.web_space(space).await?;
        let room = self.access.room(room).await?;
        match room.space == Some(space) && self.is_on_web(&room).await? {
            true => Ok((own, room)),
            false => Err(Error::NotFound),
        }
    }

    /// The rooms of a space that people without an account read, in their order, at most 500.
    ///
    /// # Errors
    /// The database's.
    pub async fn web_rooms(&self, space: SpaceId) -> Result<Vec<Room>> {
        const READ: &str = concat!(
            "SELECT ",
            room_columns!(),
            " FROM rooms r WHERE r.space_id = $1 AND r.on_web AND r.deleted_at IS NULL \
             ORDER BY r.position, r.name LIMIT $2"
        );
        let rows: Vec<RoomRow> = self.engine().db.all(READ, (space, MAX_ROOMS)).await?;
        let mut rooms = Vec::new();
        for row in rows {
            let room = row.into_room(&self.access.declared)?;
            if self.is_on_web(&room).await? {
                rooms.push(room);
            }
        }
        Ok(rooms)
    }

    /// The names of a space's members, lest they are named to people without an account.
    ///
    /// # Errors
    /// The database's.
    pub async fn member_names(&self, space: SpaceId) -> Result<MemberNames> {
        const NAMES: &str = "SELECT a.name, COALESCE(a.user_name, a.name) FROM members m \
            JOIN accounts a ON a.id = m.account_id WHERE m.space_id = $1";
        let names: Vec<(String, String)> = self.engine().db.all(NAMES, (space,)).await?;
        let names = names.into_iter().flat_map(|(one, other)| [one, other]);
        Ok(MemberNames::new(names))
    }
}

impl Spaces {
    /// Whether people without an account read a space, and whether search engines may list it.
    pub(super) async fn web_settings(&self, space: SpaceId) -> Result<(bool, bool)> {
        const READ: &str = "SELECT on_web, web_indexed FROM spaces WHERE id = $1";
        self.engine.db.one(READ, (space,)).await
    }

    /// The rooms of a space that are chosen to be read on the web, also while it is switched off.
    pub(super) async fn web_chosen(&self, space: SpaceId) -> Result<Vec<RoomId>> {
        const READ: &str = "SELECT id FROM rooms WHERE space_id = $1 AND on_web LIMIT $2";
        self.engine.db.scalars(READ, (space, MAX_ROOMS)).await
    }

    /// Sets which rooms people without an account read, for an owner.
    ///
    /// # Errors
    /// `Forbidden` for who is no owner, `Conflict` for a private or deleted room, or one of another
    /// space.
    pub(super) async fn set_web(
        &self,
        by: AccountId,
        space: SpaceId,
        wanted: WebSettings,
    ) -> Result<()> {
        const BEFORE: &str = "SELECT on_web, web_indexed FROM spaces WHERE id = $1";
        const ROOMS: &str = "SELECT id, name FROM rooms WHERE space_id = $1 AND on_web \
            AND NOT private AND deleted_at IS NULL ORDER BY name, id";
        const SET: &str = "UPDATE spaces SET on_web = $2, web_indexed = $3 WHERE id = $1";
        const CLEAR: &str = "UPDATE rooms SET on_web = FALSE WHERE space_id = $1 AND on_web";
        const CHOOSE: &str = "UPDATE rooms SET on_web = TRUE WHERE id = $1 AND space_id = $2 \
            AND NOT private AND kind <> 'forum' AND deleted_at IS NULL";
        let (engine, declared) = (self.engine.clone(), self.access.declared.clone());
        let write = async move |tx: &mut Tx| {
            let (member, _) = hold_member(tx, &declared, space, by).await?;
            if !member.is_owner {
                return Err(Error::Forbidden("error-owners-only"));
            }
            let (was_on, was_indexed): (bool, bool) = tx.one(BEFORE, (space,)).await?;
            let before: Vec<(RoomId, String)> = tx.all(ROOMS, (space,)).await?;
            tx.execute(SET, (space, wanted.is_on, wanted.is_indexed))
                .await?;
            tx.execute(CLEAR, (space,)).await?;
            for room in &wanted.rooms {
                if tx.execute(CHOOSE, (*room, space)).await? == 0 {
                    return Err(Error::Conflict("error-room-not-for-web"));
                }
            }
            let after: Vec<(RoomId, String)> = tx.all(ROOMS, (space,)).await?;
            let act = Act {
                space: Some(space),
                actor: Some(by),
                act: "space.web-changed",
                subject: Some(space.0),
                name: "",
                before: recorded(was_on, was_indexed, &before),
                after: recorded(wanted.is_on, wanted.is_indexed, &after),
            };
            audit::record(tx, act).await?;
            let mut rooms: Vec<_> = before.iter().chain(&after).map(|(id, _)| *id).collect();
            rooms.sort_unstable();
            rooms.dedup();
            let (feed, origin) = (SPACE_FEED.name(space), Origin::new(by, Some(space)));
            let changed = WebAccessChanged { space, rooms };
            engine.bus.publish_on(tx, &[feed], origin, changed).await
        };
        let scope = Scope::Space(space);
        self.access.permitted_write(by, &READ, scope, write).await
    }
}

/// For the audit log.
fn recorded(is_on: bool, is_indexed: bool, rooms: &[(RoomId, String)]) -> Value {
    let names: Vec<_> = rooms.iter().map(|(_, name)| name.as_str()).collect();
    json!({
        "web": if is_on { "web: on" } else { "web: off" },
        "engines": if is_indexed { "search: on" } else { "search: off" },
        "rooms": names.join(", "),
    })
}
