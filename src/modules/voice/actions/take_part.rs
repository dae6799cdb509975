//! Joining, speaking and leaving.

use serde::Deserialize;
use serde_json::Value;

use super::super::Voice;
use super::super::model::{Doing, ParticipantId};
use super::super::request::{Request, Sources, WantedStream};
use crate::base::error::Result;
use crate::base::ids::RoomId;
use crate::base::list::List;
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

/// Streams named in one request.
const MAX_STREAMS: usize = 96;

#[derive(Deserialize)]
pub(super) struct JoinInput {
    room: RoomId,
    offer: String,
    #[serde(default)]
    sources: Sources,
    #[serde(default)]
    host: String,
    #[serde(default)]
    doing: Doing,
    #[serde(default)]
    before: Option<ParticipantId>,
}

#[derive(Deserialize)]
pub(super) struct NegotiateInput {
    room: RoomId,
    participant: ParticipantId,
    offer: String,
    #[serde(default)]
    sources: Sources,
}

#[derive(Deserialize)]
pub(super) struct ReceiveInput {
    room: RoomId,
    participant: ParticipantId,
    streams: List<WantedStream, MAX_STREAMS>,
}

#[derive(Deserialize)]
pub(super) struct DoingInput {
    room: RoomId,
    participant: ParticipantId,
    #[serde(flatten)]
    doing: Doing,
}

#[derive(Deserialize)]
pub(super) struct LeaveInput {
    room: RoomId,
    participant: ParticipantId,
}

fn outcome(room: RoomId, result: Value) -> Outcome {
    Outcome::new(result, format!("/rooms/{room}"))
}

pub(super) async fn join(voice: Voice, viewer: Viewer, input: JoinInput) -> Result<Outcome> {
    voice.permit_connect(viewer.account, input.room).await?;
    let request = Request::Join {
        offer: input.offer,
        sources: input.sources,
        host: input.host,
        doing: input.doing,
        before: input.before,
    };
    let result = voice.ask(&viewer, input.room, request).await?;
    Ok(outcome(input.room, result))
}

pub(super) async fn negotiate(
    voice: Voice,
    viewer: Viewer,
    input: NegotiateInput,
) -> Result<Outcome> {
    voice.permit_connect(viewer.account, input.room).await?;
    let request = Request::Negotiate {
        participant: input.participant,
        offer: input.offer,
        sources: input.sources,
    };
    let result = voice.ask(&viewer, input.room, request).await?;
    Ok(outcome(input.room, result))
}

pub(super) async fn receive(voice: Voice, viewer: Viewer, input: ReceiveInput) -> Result<Outcome> {
    voice.permit_connect(viewer.account, input.room).await?;
    let request = Request::Receive {
        participant: input.participant,
        streams: input.streams.into_vec(),
    };
    let result = voice.ask(&viewer, input.room, request).await?;
    Ok(outcome(input.room, result))
}

pub(super) async fn set_doing(voice: Voice, viewer: Viewer, input: DoingInput) -> Result<Outcome> {
    voice.permit_connect(viewer.account, input.room).await?;
    let request = Request::SetDoing {
        participant: input.participant,
        doing: input.doing,
    };
    let result = voice.ask(&viewer, input.room, request).await?;
    Ok(outcome(input.room, result))
}

#[derive(Deserialize)]
pub(super) struct DeclineInput {
    room: RoomId,
}

pub(super) async fn decline(voice: Voice, viewer: Viewer, input: DeclineInput) -> Result<Outcome> {
    voice.permit_connect(viewer.account, input.room).await?;
    let result = voice.ask(&viewer, input.room, Request::Decline).await?;
    Ok(outcome(input.room, result))
}

/// Whoever is inside may leave, whatever else they may do.
pub(super) async fn leave(voice: Voice, viewer: Viewer, input: LeaveInput) -> Result<Outcome> {
    let request = Request::Leave {
        participant: input.participant,
    };
    let result = voice.ask(&viewer, input.room, request).await?;
    Ok(outcome(input.room, result))
}
