//! Actions on rooms and direct conversations.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::base::list::List;
use crate::base::security_log::SecurityEvent;
use crate::community::Community;
use crate::community::room_form::RoomForm;
use crate::community::room_permissions::{RuleChanges, parse_subject};
use crate::community::standing::{RoleId, RoomKind};
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

/// People that a form may name: more than a list of members shows.
const MAX_PEOPLE: usize = 500;

/// Roles that a form may name: as many as a space has.
const MAX_ROLES_NAMED: usize = 100;

#[derive(Deserialize)]
pub(super) struct RoomFields {
    /// Of a new room.
    space: Option<SpaceId>,
    /// Of a change.
    room: Option<RoomId>,
    name: String,
    #[serde(default)]
    about: String,
    /// A checkbox: `yes` or nothing.
    #[serde(default)]
    private: String,
    #[serde(default)]
    members: List<AccountId, MAX_PEOPLE>,
    /// The roles that read it when it is private.
    #[serde(default)]
    roles: List<RoleId, MAX_ROLES_NAMED>,
    /// `text`, `announcement`, `forum` or `voice`; nothing: `text`.
    #[serde(default)]
    kind: String,
    /// A checkbox: `yes` or nothing.
    #[serde(default)]
    read_only: String,
}

impl RoomFields {
    fn into_form(self) -> Result<RoomForm> {
        let kind = match self.kind.as_str() {
            "" | "text" => RoomKind::Text,
            "announcement" => RoomKind::Announcement,
            "forum" => RoomKind::Forum,
            "voice" => RoomKind::Voice,
            _ => return Err(Error::field("kind", "error-message-shape")),
        };
        Ok(RoomForm {
            name: self.name,
            about: self.about,
            private: self.private == "yes",
            members: self.members.into_vec(),
            roles: self.roles.into_vec(),
            read_only: self.read_only == "yes",
            kind,
        })
    }
}

pub(super) async fn create_room(
    community: Community,
    viewer: Viewer,
    input: RoomFields,
) -> Result<Outcome> {
    let space = input.space.ok_or(Error::NotFound)?;
    let (rooms, form) = (&community.rooms, input.into_form()?);
    let room = rooms.create(viewer.account, space, form).await?;
    Ok(Outcome::new(
        json!({ "room": room }),
        format!("/rooms/{room}"),
    ))
}

pub(super) async fn change_room(
    community: Community,
    viewer: Viewer,
    input: RoomFields,
) -> Result<Outcome> {
    let room = input.room.ok_or(Error::NotFound)?;
    let (rooms, form) = (&community.rooms, input.into_form()?);
    rooms.change(viewer.account, room, form).await?;
    SecurityEvent::RightsChanged.record(viewer.account, viewer.address, "changed_room");
    Ok(Outcome::new(Value::Null, format!("/rooms/{room}")))
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

/// The form of what a room allows and denies to one subject: for each permission, under its name,
/// `allow`, `deny` or, for what the space says, `space`. What is not named stays as it is.
#[derive(Deserialize)]
pub(super) struct RoomPermissions {
    room: RoomId,
    /// `everyone`, `role-<id>` or `account-<id>`.
    subject: String,
    #[serde(flatten)]
    rules: BTreeMap<String, Value>,
}

pub(super) async fn set_room_permissions(
    community: Community,
    viewer: Viewer,
    input: RoomPermissions,
) -> Result<Outcome> {
    let unfit = || Error::field("form", "error-message-shape");
    let subject = parse_subject(&input.subject).ok_or_else(unfit)?;
    let (declared, mut changes) = (&community.access.declared, RuleChanges::default());
    for (name, rule) in &input.rules {
        let one = declared.parse(name);
        if one.is_empty() || !declared.of_rooms().contains(one) {
            continue;
        }
        let set = match rule.as_str() {
            Some("allow") => &mut changes.allow,
            Some("deny") => &mut changes.deny,
            Some("space") => &mut changes.clear,
            _ => return Err(unfit()),
        };
        *set = set.with(one);
    }
    let (rooms, room) = (&community.rooms, input.room);
    rooms
        .set_permissions(viewer.account, room, subject, changes)
        .await?;
    SecurityEvent::RightsChanged.record(viewer.account, viewer.address, "changed_room");
    Ok(Outcome::new(
        Value::Null,
        format!("/rooms/{room}/permissions?subject={}", input.subject),
    ))
}
