//! Actions on the order of a space's rooms and on their categories.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::base::error::{Error, Result};
use crate::base::ids::{RoomId, SpaceId};
use crate::community::Community;
use crate::community::room_category::CategoryId;
use crate::community::room_order::Direction;
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

pub(super) fn page(space: SpaceId) -> String {
    format!("/spaces/{space}/rooms")
}

pub(super) fn direction(to: &str) -> Result<Direction> {
    match to {
        "up" => Ok(Direction::Up),
        "down" => Ok(Direction::Down),
        _ => Err(Error::field("to", "error-message-shape")),
    }
}

#[derive(Deserialize)]
pub(super) struct NewCategory {
    space: SpaceId,
    name: String,
}

pub(super) async fn create_category(
    community: Community,
    viewer: Viewer,
    input: NewCategory,
) -> Result<Outcome> {
    let NewCategory { space, name } = input;
    let rooms = &community.rooms;
    let category = rooms.create_category(viewer.account, space, &name).await?;
    Ok(Outcome::new(json!({ "category": category }), page(space)))
}

#[derive(Deserialize)]
pub(super) struct RenamedCategory {
    space: SpaceId,
    category: CategoryId,
    name: String,
}

pub(super) async fn rename_category(
    community: Community,
    viewer: Viewer,
    input: RenamedCategory,
) -> Result<Outcome> {
    let RenamedCategory {
        space,
        category,
        name,
    } = input;
    let rooms = &community.rooms;
    rooms
        .rename_category(viewer.account, space, category, &name)
        .await?;
    Ok(Outcome::new(Value::Null, page(space)))
}

#[derive(Deserialize)]
pub(super) struct DeletedCategory {
    space: SpaceId,
    category: CategoryId,
}

pub(super) async fn delete_category(
    community: Community,
    viewer: Viewer,
    input: DeletedCategory,
) -> Result<Outcome> {
    let DeletedCategory { space, category } = input;
    let rooms = &community.rooms;
    rooms
        .delete_category(viewer.account, space, category)
        .await?;
    Ok(Outcome::new(Value::Null, page(space)))
}

#[derive(Deserialize)]
pub(super) struct MovedCategory {
    space: SpaceId,
    category: CategoryId,
    /// `up` or `down`.
    to: String,
}

pub(super) async fn move_category(
    community: Community,
    viewer: Viewer,
    input: MovedCategory,
) -> Result<Outcome> {
    let (rooms, space, to) = (&community.rooms, input.space, direction(&input.to)?);
    rooms
        .move_category(viewer.account, space, input.category, to)
        .await?;
    Ok(Outcome::new(Value::Null, page(space)))
}

#[derive(Deserialize)]
pub(super) struct MovedRoom {
    room: RoomId,
    /// `up` or `down`.
    to: String,
}

pub(super) async fn move_room(
    community: Community,
    viewer: Viewer,
    input: MovedRoom,
) -> Result<Outcome> {
    let (rooms, to) = (&community.rooms, direction(&input.to)?);
    rooms.move_room(viewer.account, input.room, to).await?;
    to_page(&community, input.room).await
}

#[derive(Deserialize)]
pub(super) struct CategoryOfRoom {
    room: RoomId,
    /// The id of a category; empty for none.
    #[serde(default)]
    category: String,
}

pub(super) async fn set_category(
    community: Community,
    viewer: Viewer,
    input: CategoryOfRoom,
) -> Result<Outcome> {
    let category = match input.category.as_str() {
        "" => None,
        id => Some(id.parse().map_err(|_| Error::NotFound)?),
    };
    let rooms = &community.rooms;
    rooms
        .set_category(viewer.account, input.room, category)
        .await?;
    to_page(&community, input.room).await
}

/// The way back to the page of the space of a room.
async fn to_page(community: &Community, room: RoomId) -> Result<Outcome> {
    let room = community.access.room(room).await?;
    let space = room.space.ok_or(Error::NotFound)?;
    Ok(Outcome::new(Value::Null, page(space)))
}
