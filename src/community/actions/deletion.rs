//! Actions that delete rooms and spaces, bring them back, and leave private rooms.

use serde::Deserialize;
use serde_json::Value;

use crate::base::error::Result;
use crate::base::ids::{RoomId, SpaceId};
use crate::base::security_log::SecurityEvent;
use crate::community::Community;
use crate::engine::actions::{Class, Outcome};
use crate::engine::module::Module;
use crate::engine::viewer::Viewer;

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .action(
            "community.delete-space",
            "Deletes a space, which its owners can bring back for a week",
            Class::Write,
            delete_space,
        )
        .action(
            "community.restore-space",
            "Brings a deleted space back",
            Class::Write,
            restore_space,
        )
        .action(
            "community.delete-room",
            "Deletes a room, which can be brought back for a week",
            Class::Write,
            delete_room,
        )
        .action(
            "community.restore-room",
            "Brings a deleted room back",
            Class::Write,
            restore_room,
        )
        .action(
            "community.leave-room",
            "Leaves a private room",
            Class::Write,
            leave_room,
        )
}

#[derive(Deserialize)]
struct OneSpace {
    space: SpaceId,
}

#[derive(Deserialize)]
struct OneRoom {
    room: RoomId,
}

async fn delete_space(community: Community, viewer: Viewer, input: OneSpace) -> Result<Outcome> {
    let (by, spaces) = (viewer.account, &community.spaces);
    spaces.delete(by, input.space).await?;
    SecurityEvent::RightsChanged.record(by, viewer.address, "deleted_space");
    Ok(Outcome::new(Value::Null, "/spaces"))
}

async fn restore_space(community: Community, viewer: Viewer, input: OneSpace) -> Result<Outcome> {
    let (by, spaces) = (viewer.account, &community.spaces);
    spaces.restore(by, input.space).await?;
    SecurityEvent::RightsChanged.record(by, viewer.address, "restored_space");
    let space = input.space;
    Ok(Outcome::new(Value::Null, format!("/spaces/{space}")))
}

fn rooms_page(space: SpaceId) -> Outcome {
    Outcome::new(Value::Null, format!("/spaces/{space}/rooms"))
}

async fn delete_room(community: Community, viewer: Viewer, input: OneRoom) -> Result<Outcome> {
    let (by, rooms) = (viewer.account, &community.rooms);
    let space = rooms.delete(by, input.room).await?;
    Ok(rooms_page(space))
}

async fn restore_room(community: Community, viewer: Viewer, input: OneRoom) -> Result<Outcome> {
    let (by, rooms) = (viewer.account, &community.rooms);
    let space = rooms.restore(by, input.room).await?;
    Ok(rooms_page(space))
}

async fn leave_room(community: Community, viewer: Viewer, input: OneRoom) -> Result<Outcome> {
    let (by, rooms) = (viewer.account, &community.rooms);
    let space = rooms.leave(by, input.room).await?;
    Ok(Outcome::new(Value::Null, format!("/spaces/{space}")))
}
