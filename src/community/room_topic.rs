//! `/topic`: changes a room's topic line from within the room.

use serde_json::json;

use super::access::lock_space;
use super::audit::{self, Act};
use super::permissions::MANAGE_ROOMS;
use super::room_changes::{Change, are_roles_read, own_members, room_act};
use super::room_form::MAX_ABOUT_CHARS;
use super::{Community, Rooms, Scope};
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::base::text::{check_short_text, normalize_optional_line};
use crate::engine::actions::Outcome;
use crate::engine::commands::{Command, CommandAnswer, CommandCall};
use crate::engine::viewer::Viewer;

pub(super) static TOPIC: Command = Command {
    name: "topic",
    usage: "command-topic-usage",
    about: "command-topic",
    permission: Some(&MANAGE_ROOMS),
};

/// Sets the topic of the command's room; without a text there is none any more.
pub(super) async fn command(
    community: Community,
    viewer: Viewer,
    call: CommandCall,
) -> Result<CommandAnswer> {
    let rooms = &community.rooms;
    let topic = rooms
        .set_topic(viewer.account, call.room, &call.text)
        .await?;
    let note = match topic.is_empty() {
        true => viewer.lang.t("topic-removed").to_owned(),
        false => viewer
            .lang
            .with("topic-set", &[("topic", topic.as_str().into())]),
    };
    let location = format!("/rooms/{}", call.room);
    let outcome = Outcome::new(json!({ "topic": topic }), location).note(note);
    Ok(CommandAnswer::Done(outcome))
}

impl Rooms {
    /// Changes the topic of a room of a space; of a thread it is its room's.
    async fn set_topic(&self, by: AccountId, id: RoomId, topic: &str) -> Result<String> {
        const SET: &str = "UPDATE rooms SET about = $2 WHERE id = $1";
        let room = self.access.permit_in_room(by, &MANAGE_ROOMS, id).await?;
        let (room, space) = self.permit_to_manage(by, room.governing()).await?;
        let id = room.id;
        let topic = normalize_optional_line(topic);
        let mut check = Check::default();
        check_short_text(&topic, "body", MAX_ABOUT_CHARS, &mut check);
        check.done()?;
        if room.rules.archived {
            return Err(Error::Conflict("error-room-archived"));
        }
        let (engine, stored) = (self.engine.clone(), topic.clone());
        let change = async move |tx: &mut Tx| {
            lock_space(tx, space).await?;
            tx.execute(SET, (id, &stored)).await?;
            let private = room.rules.private;
            let said = |topic: &str| match private {
                true => json!({ "seen": "private" }),
                false => json!({ "topic": topic }),
            };
            let act = room_act(by, space, "room.changed", id, &room.name, private);
            let act = Act {
                before: said(&room.about),
                after: said(&stored),
                ..act
            };
            audit::record(tx, act).await?;
            let members = own_members(tx, &room).await?;
            let change = Change {
                by,
                room: id,
                space,
                may_exclude: false,
                roles_read: are_roles_read(&room.rules),
            };
            change.publish(tx, &engine, members).await
        };
        self.access
            .permitted_write(by, &MANAGE_ROOMS, Scope::Room(id), change)
            .await?;
        Ok(topic)
    }
}
