//! Changing what the voice of a room is like.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::topics::RulesChanged;
use super::super::voice_rules::VoiceRules;
use super::super::{Voice, voice_rules};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::RoomId;
use crate::community::Scope;
use crate::community::audit::{self, Act};
use crate::community::permissions::MANAGE_ROOMS;
use crate::engine::actions::Outcome;
use crate::engine::bus::Origin;
use crate::engine::viewer::Viewer;

#[derive(Deserialize)]
pub(super) struct RulesInput {
    room: RoomId,
    /// Empty for as many as fit.
    #[serde(default)]
    max_people: String,
    bitrate: String,
    /// `yes` makes it a stage.
    #[serde(default)]
    is_stage: String,
    #[serde(default)]
    idle_minutes: String,
}

fn number(field: &'static str, text: &str, message: &'static str) -> Result<i64> {
    match text.trim() {
        "" => Ok(0),
        text => text.parse().map_err(|_| Error::field(field, message)),
    }
}

impl RulesInput {
    fn rules(&self) -> Result<VoiceRules> {
        let max = number("max_people", &self.max_people, "error-voice-max-people")?;
        let idle = number(
            "idle_minutes",
            &self.idle_minutes,
            "error-voice-idle-minutes",
        )?;
        let rules = VoiceRules {
            max_people: max,
            bitrate: number("bitrate", &self.bitrate, "error-voice-bitrate")?,
            is_stage: self.is_stage == "yes",
            idle_minutes: idle,
        };
        rules.check()
    }
}

pub(super) async fn set_rules(voice: Voice, viewer: Viewer, input: RulesInput) -> Result<Outcome> {
    let (room, by) = (input.room, viewer.account);
    let access = &voice.community.access;
    let found = access.permit_in_room(by, &MANAGE_ROOMS, room).await?;
    let space = found.space.filter(|_| found.parent.is_none());
    let space = space.ok_or(Error::NotFound)?;
    let rules = input.rules()?;
    let before = voice_rules::of(&voice.engine.db, room).await?;
    let bus = voice.engine.bus.clone();
    let name = match found.rules.private {
        true => String::new(),
        false => found.name.clone(),
    };
    let write = async move |tx: &mut Tx| {
        voice_rules::set(tx, room, rules).await?;
        let act = Act {
            space: Some(space),
            actor: Some(by),
            act: "voice.rules-changed",
            subject: Some(room.0),
            name: &name,
            before: json!(before),
            after: json!(rules),
        };
        audit::record(tx, act).await?;
        let event = RulesChanged { room, rules };
        bus.publish_after_commit(tx, Origin::default(), event);
        Ok(())
    };
    access
        .permitted_write(by, &MANAGE_ROOMS, Scope::Room(room), write)
        .await?;
    Ok(Outcome::new(Value::Null, format!("/rooms/{room}")))
}
