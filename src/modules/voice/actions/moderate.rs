//! What moderators do to people in the voice of a room. All of it is in the audit log.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::model::ParticipantId;
use super::super::request::Request;
use super::super::silenced;
use super::super::topics::ParticipantMoved;
use super::super::{MOVE_OTHERS, MUTE_OTHERS, Voice};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::community::Scope;
use crate::community::audit::{self, Act};
use crate::community::permissions::is_granted;
use crate::engine::actions::Outcome;
use crate::engine::bus::Origin;
use crate::engine::permission::Permission;
use crate::engine::viewer::Viewer;

#[derive(Deserialize)]
pub(super) struct SilenceInput {
    room: RoomId,
    participant: ParticipantId,
    /// `yes` mutes them, anything else lets them speak.
    #[serde(default)]
    silenced: String,
}

#[derive(Deserialize)]
pub(super) struct DisconnectInput {
    room: RoomId,
    participant: ParticipantId,
}

#[derive(Clone, Copy)]
enum VoiceAct {
    /// Whether they are muted then.
    Silence(bool),
    /// Whether they may speak on the stage then.
    SetSpeaker(bool),
    Move,
    Disconnect,
}

impl VoiceAct {
    /// What the audit log calls it.
    fn name(self) -> &'static str {
        match self {
            Self::Silence(true) => "voice.silenced",
            Self::Silence(false) => "voice.unsilenced",
            Self::SetSpeaker(true) => "voice.speaker-set",
            Self::SetSpeaker(false) => "voice.speaker-unset",
            Self::Move => "voice.moved",
            Self::Disconnect => "voice.disconnected",
        }
    }
}

impl Voice {
    /// Stores that the viewer does this to somebody inside, if they hold the permission in the
    /// room and stand above the other. Returns whom.
    async fn record_act(
        &self,
        viewer: &Viewer,
        permission: &'static Permission,
        (room, participant): (RoomId, ParticipantId),
        act: VoiceAct,
    ) -> Result<AccountId> {
        let access = &self.community.access;
        let found = access
            .permit_in_room(viewer.account, permission, room)
            .await?;
        let space = found.space.ok_or(Error::Forbidden("error-voice-direct"))?;
        let asked = self.ask(viewer, room, Request::Account { participant });
        let target: AccountId =
            serde_json::from_value(asked.await?).map_err(|_| Error::NotFound)?;
        let (community, by) = (self.community.clone(), viewer.account);
        let name = match found.rules.private {
            true => String::new(),
            false => found.name.clone(),
        };
        let write = async move |tx: &mut Tx| {
            community.check_above(tx, (by, space, target)).await?;
            if let VoiceAct::Silence(is_silenced) = act {
                silenced::set(tx, room, target, is_silenced).await?;
            }
            let act = Act {
                space: Some(space),
                actor: Some(by),
                act: act.name(),
                subject: Some(target.0),
                name: "",
                before: Value::Null,
                after: json!({ "room": name }),
            };
            audit::record(tx, act).await
        };
        access
            .permitted_protective_write(by, permission, Scope::Room(room), write)
            .await?;
        Ok(target)
    }
}

pub(super) async fn silence(voice: Voice, viewer: Viewer, input: SilenceInput) -> Result<Outcome> {
    let SilenceInput {
        room, participant, ..
    } = input;
    let silenced = input.silenced == "yes";
    let act = VoiceAct::Silence(silenced);
    voice
        .record_act(&viewer, &MUTE_OTHERS, (room, participant), act)
        .await?;
    let request = Request::Silence {
        participant,
        silenced,
    };
    voice.ask(&viewer, room, request).await?;
    Ok(Outcome::new(Value::Null, format!("/rooms/{room}")))
}

#[derive(Deserialize)]
pub(super) struct SpeakerInput {
    room: RoomId,
    participant: ParticipantId,
    /// `yes` lets them speak, anything else has them listen.
    #[serde(default)]
    speaks: String,
}

pub(super) async fn set_speaker(
    voice: Voice,
    viewer: Viewer,
    input: SpeakerInput,
) -> Result<Outcome> {
    let (room, participant) = (input.room, input.participant);
    let speaks = input.speaks == "yes";
    let act = VoiceAct::SetSpeaker(speaks);
    voice
        .record_act(&viewer, &MUTE_OTHERS, (room, participant), act)
        .await?;
    let request = Request::SetSpeaker {
        participant,
        speaks,
    };
    voice.ask(&viewer, room, request).await?;
    Ok(Outcome::new(Value::Null, format!("/rooms/{room}")))
}

#[derive(Deserialize)]
pub(super) struct MoveInput {
    room: RoomId,
    participant: ParticipantId,
    to: RoomId,
}

/// Whose page is moved has this long to go by itself, then they are out of the room.
const MOVE_TIMEOUT: Duration = Duration::from_secs(4);

pub(super) async fn move_to(voice: Voice, viewer: Viewer, input: MoveInput) -> Result<Outcome> {
    let MoveInput {
        room,
        participant,
        to,
    } = input;
    let access = &voice.community.access;
    let target = access
        .permit_in_room(viewer.account, &MOVE_OTHERS, to)
        .await?;
    let source = access
        .permit_in_room(viewer.account, &MOVE_OTHERS, room)
        .await?;
    if !target.is_voice() || target.space != source.space || to == room {
        return Err(Error::field("to", "error-voice-move"));
    }
    let asked = voice.ask(&viewer, room, Request::Account { participant });
    let account: AccountId = serde_json::from_value(asked.await?).map_err(|_| Error::NotFound)?;
    if !is_granted(voice.permit_connect(account, to).await)? {
        return Err(Error::Conflict("error-voice-move-right"));
    }
    let whom = (room, participant);
    voice
        .record_act(&viewer, &MOVE_OTHERS, whom, VoiceAct::Move)
        .await?;
    let event = ParticipantMoved {
        room,
        participant,
        account,
        target: to,
    };
    voice.engine.bus.publish(Origin::default(), event);
    tokio::spawn(async move {
        tokio::time::sleep(MOVE_TIMEOUT).await;
        let request = Request::Disconnect { participant };
        // Who has gone by then is not there any more.
        drop(voice.ask(&viewer, room, request).await);
    });
    Ok(Outcome::new(Value::Null, format!("/rooms/{room}")))
}

pub(super) async fn disconnect(
    voice: Voice,
    viewer: Viewer,
    input: DisconnectInput,
) -> Result<Outcome> {
    let DisconnectInput { room, participant } = input;
    let whom = (room, participant);
    voice
        .record_act(&viewer, &MOVE_OTHERS, whom, VoiceAct::Disconnect)
        .await?;
    voice
        .ask(&viewer, room, Request::Disconnect { participant })
        .await?;
    Ok(Outcome::new(Value::Null, format!("/rooms/{room}")))
}
