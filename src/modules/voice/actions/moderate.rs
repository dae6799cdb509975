//! What moderators do to people in the voice of a room. All of it is in the audit log.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::model::ParticipantId;
use super::super::request::Request;
use super::super::silenced;
use super::super::{MOVE_OTHERS, MUTE_OTHERS, Voice};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::community::Scope;
use crate::community::audit::{self, Act};
use crate::engine::actions::Outcome;
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
    Disconnect,
}

impl VoiceAct {
    /// What the audit log calls it.
    fn name(self) -> &'static str {
        match self {
            Self::Silence(true) => "voice.silenced",
            Self::Silence(false) => "voice.unsilenced",
            Self::Disconnect => "voice.disconnected",
        }
    }
}

impl Voice {
    /// Stores that the viewer does this to somebody inside, if they hold the permission in the
    /// room and stand above the other.
    async fn record_act(
        &self,
        viewer: &Viewer,
        permission: &'static Permission,
        (room, participant): (RoomId, ParticipantId),
        act: VoiceAct,
    ) -> Result<()> {
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
            .await
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
