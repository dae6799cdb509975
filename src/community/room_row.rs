//! A room as it is read from the database, with who may do what in it.

use sqlx::FromRow;

use super::Room;
use super::access_store::overrides;
use super::permission_set::DeclaredPermissions;
use super::room_category::CategoryId;
use super::standing::{RoomKind, RoomRules};
use crate::base::clock::Micros;
use crate::base::error::Result;
use crate::base::ids::{RoomId, SpaceId};

/// The columns of a [`RoomRow`], of `rooms r`.
macro_rules! room_columns {
    () => {
        concat!(
            "r.id, r.space_id, r.parent_id, r.name, r.about, r.private, r.archived_at IS NOT NULL AS archived, \
             r.kind, r.read_only, r.slow_seconds, r.category_id, r.deleted_at, ",
            "(r.on_web AND EXISTS (SELECT 1 FROM spaces ws WHERE ws.id = r.space_id \
             AND ws.on_web AND ws.deleted_at IS NULL)) AS on_web, ",
            $crate::community::access_store::overrides_text!(),
            " AS overrides"
        )
    };
}
pub(super) use room_columns;

/// A room, as it is read.
#[derive(FromRow)]
pub(super) struct RoomRow {
    id: RoomId,
    space_id: Option<SpaceId>,
    parent_id: Option<RoomId>,
    name: String,
    about: String,
    private: bool,
    archived: bool,
    kind: RoomKind,
    read_only: bool,
    slow_seconds: i64,
    category_id: Option<CategoryId>,
    deleted_at: Option<Micros>,
    on_web: bool,
    overrides: Option<String>,
}

impl RoomRow {
    pub(super) fn into_room(self, declared: &DeclaredPermissions) -> Result<Room> {
        let rules = RoomRules {
            private: self.private,
            archived: self.archived,
            read_only: self.read_only,
            kind: self.kind,
            overrides: overrides(self.overrides.as_deref(), declared)?,
        };
        Ok(Room {
            id: self.id,
            space: self.space_id,
            parent: self.parent_id,
            name: self.name,
            about: self.about,
            slow_seconds: self.slow_seconds,
            category: self.category_id,
            deleted_at: self.deleted_at,
            on_web: self.on_web && !self.private && self.kind != RoomKind::Forum,
            rules,
        })
    }
}
