//! Actions on rooms and direct conversations.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::base::list::List;
use crate::base::security_log::SecurityEvent;
use crate::community::Community;
use crate::community::room_form::RoomForm;
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

/// People that a form may name: more than a list of members shows.
const MAX_PEOPLE: usize = 500;

#[derive(Deserialize)]
pub(super) struct CreateRoom {
    space: SpaceId,
    name: String,
    #[serde(default)]
    about: String,
    /// A checkbox: `yes` or nothing.
    #[serde(default)]
    private: String,
    #[serde(default)]
    members: List<AccountId, MAX_PEOPLE>,
}

pub(super) async fn create_room(
    community: Community,
    viewer: Viewer,
    input: CreateRoom,
) -> Result<Outcome> {
    let form = RoomForm::new(
        input.name,
        input.about,
        &input.private,
        input.members.into_vec(),
    );
    let room = community
        .rooms
        .create(viewer.account, input.space, form)
        .await?;
    Ok(Outcome::new(
        json!({ "room": room }),
        format!("/rooms/{room}"),
    ))
}

#[derive(Deserialize)]
pub(super) struct ChangeRoom {
    room: RoomId,
    name: String,
    #[serde(default)]
    about: String,
    #[serde(default)]
    private: String,
    #[serde(default)]
    members: List<AccountId, MAX_PEOPLE>,
}

pub(super) async fn change_room(
    community: Community,
    viewer: Viewer,
    input: ChangeRoom,
) -> Result<Outcome> {
    let form = RoomForm::new(
        input.name,
        input.about,
        &input.private,
        input.members.into_vec(),
    );
    community
        .rooms
        .change(viewer.account, input.room, form)
        .await?;
    SecurityEvent::RightsChanged.record(viewer.account, viewer.address, "changed_room");
    Ok(Outcome::new(Value::Null, format!("/rooms/{}", input.room)))
}

#[derive(Deserialize)]
pub(super) struct ArchiveRoom {
    room: RoomId,
    /// `yes` archives, anything else restores.
    archive: String,
}

pub(super) async fn archive_room(
    community: Community,
    viewer: Viewer,
    input: ArchiveRoom,
) -> Result<Outcome> {
    community
        .rooms
        .archive(viewer.account, input.room, input.archive == "yes")
        .await?;
    Ok(Outcome::new(Value::Null, format!("/rooms/{}", input.room)))
}

#[derive(Deserialize)]
pub(super) struct SetSlowMode {
    room: RoomId,
    /// Between two messages of one member: at most six hours; zero: no limit.
    seconds: String,
}

pub(super) async fn set_slow_mode(
    community: Community,
    viewer: Viewer,
    input: SetSlowMode,
) -> Result<Outcome> {
    let seconds = input.seconds.trim().parse();
    let seconds = seconds.map_err(|_| Error::field("seconds", "error-number"))?;
    let rooms = &community.rooms;
    rooms
        .set_slow_mode(viewer.account, input.room, seconds)
        .await?;
    Ok(Outcome::new(
        Value::Null,
        format!("/rooms/{}/settings", input.room),
    ))
}

#[derive(Deserialize)]
pub(super) struct OpenDirect {
    #[serde(default)]
    people: List<AccountId, MAX_PEOPLE>,
}

pub(super) async fn open_direct(
    community: Community,
    viewer: Viewer,
    input: OpenDirect,
) -> Result<Outcome> {
    let room = community
        .rooms
        .open_direct(viewer.account, input.people.into_vec())
        .await?;
    Ok(Outcome::new(
        json!({ "room": room }),
        format!("/rooms/{room}"),
    ))
}
