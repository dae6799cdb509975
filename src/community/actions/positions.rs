//! Actions that put spaces, rooms and categories in an order by dragging.

use serde::Deserialize;
use serde_json::Value;

use super::room_order::{direction, page};
use crate::base::error::{Error, Result};
use crate::base::ids::{RoomId, SpaceId};
use crate::base::list::List;
use crate::community::Community;
use crate::community::room_category::CategoryId;
use crate::engine::actions::{Class, Outcome};
use crate::engine::module::Module;
use crate::engine::viewer::Viewer;

/// Spaces that a form may name: as many as an account belongs to.
const MAX_SPACES_NAMED: usize = 200;

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .action(
            "community.move-space",
            "Moves a space one place up or down in one's own list",
            Class::Write,
            move_space,
        )
        .action(
            "community.order-spaces",
            "Puts one's own list of spaces in an order",
            Class::Write,
            order_spaces,
        )
        .action(
            "community.put-room",
            "Puts a room before another one or at the end of a category",
            Class::Write,
            put_room,
        )
        .action(
            "community.put-category",
            "Puts a category before another one or at the end",
            Class::Write,
            put_category,
        )
}

#[derive(Deserialize)]
struct MovedSpace {
    space: SpaceId,
    /// `up` or `down`.
    to: String,
}

async fn move_space(community: Community, viewer: Viewer, input: MovedSpace) -> Result<Outcome> {
    let (spaces, to) = (&community.spaces, direction(&input.to)?);
    spaces.move_in_rail(viewer.account, input.space, to).await?;
    Ok(Outcome::new(Value::Null, "/spaces"))
}

#[derive(Deserialize)]
struct OrderedSpaces {
    #[serde(default)]
    spaces: List<SpaceId, MAX_SPACES_NAMED>,
}

async fn order_spaces(
    community: Community,
    viewer: Viewer,
    input: OrderedSpaces,
) -> Result<Outcome> {
    let (spaces, wanted) = (&community.spaces, input.spaces.into_vec());
    spaces.order_rail(viewer.account, wanted).await?;
    Ok(Outcome::new(Value::Null, "/spaces"))
}

/// An id of a form; nothing when the field is empty.
fn optional<T: std::str::FromStr>(text: &str) -> Result<Option<T>> {
    match text {
        "" => Ok(None),
        id => id.parse().map(Some).map_err(|_| Error::NotFound),
    }
}

#[derive(Deserialize)]
struct PutRoom {
    room: RoomId,
    /// The id of a category; empty for none.
    #[serde(default)]
    category: String,
    /// The id of a room there; empty for the end.
    #[serde(default)]
    before: String,
}

async fn put_room(community: Community, viewer: Viewer, input: PutRoom) -> Result<Outcome> {
    let (category, before) = (optional(&input.category)?, optional(&input.before)?);
    let rooms = &community.rooms;
    let space = rooms
        .put_room(viewer.account, input.room, category, before)
        .await?;
    Ok(Outcome::new(Value::Null, page(space)))
}

#[derive(Deserialize)]
struct PutCategory {
    space: SpaceId,
    category: CategoryId,
    /// The id of another one; empty for the end.
    #[serde(default)]
    before: String,
}

async fn put_category(community: Community, viewer: Viewer, input: PutCategory) -> Result<Outcome> {
    let PutCategory {
        space,
        category,
        before,
    } = input;
    let (rooms, before) = (&community.rooms, optional(&before)?);
    rooms
        .put_category(viewer.account, space, category, before)
        .await?;
    Ok(Outcome::new(Value::Null, page(space)))
}
