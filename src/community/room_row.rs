//! A room as it is read from the database, with who may do what in it.

use sqlx::FromRow;

use super::Room;
use super::access_store::overrides;
use super::permission_set::DeclaredPermissions;
use super::room_category::CategoryId;
use super::standing::{RoomKind, RoomRules};
use crate::base::error::Result;
use crate::base::ids::{RoomId, SpaceId};

/// The columns of a [`RoomRow`], of `rooms r`.
macro_rules! room_columns {
    () => {
        concat!(
            "r.id, r.space_id, r.name, r.about, r.private, r.archived_at IS NOT NULL AS archived, \
             r.kind, r.read_only, r.slow_seconds, r.category_id, ",
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
    name: String,
    about: String,
    private: bool,
    archived: bool,
    kind: RoomKind,
    read_only: bool,
    slow_seconds: i64,
    category_id: Option<CategoryId>,
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
            name: self.name,
            about: self.about,
            slow_seconds: self.slow_seconds,
            category: self.category_id,
            rules,
        })
    }
}
