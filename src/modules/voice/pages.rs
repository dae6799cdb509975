//! Who is in the voice of a room: below its link, above its page, and in the bar of who is inside.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::topics::RoomVoice;
use super::views::{BarView, ListView, RoomView, ToolView};
use super::{CONNECT, VOICE_FEED, Voice, voice_rules};
use crate::base::error::{Error, Result};
use crate::base::ids::RoomId;
use crate::community::permissions::READ;
use crate::engine::module::{Audience, Module};
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Viewer;
use crate::engine::web::Html;

pub(super) fn declare(module: Module<Voice>) -> Module<Voice> {
    let side = async |voice, viewer, room| list(voice, viewer, room, "side").await;
    let above = async |voice, viewer, room| list(voice, viewer, room, "room").await;
    let call = async |voice, viewer, room| list(voice, viewer, room, "call").await;
    module
        .page(Audience::SignedIn, "/rooms/{room}/voice/bar", get(bar))
        .page(Audience::SignedIn, "/rooms/{room}/voice/side", get(side))
        .page(Audience::SignedIn, "/rooms/{room}/voice/room", get(above))
        .page(Audience::SignedIn, "/rooms/{room}/voice/call", get(call))
}

fn rendered(view: &impl Template) -> Result<String> {
    let rendered = view.render();
    rendered.map_err(|error| Error::Internal(anyhow::Error::new(error)))
}

impl Voice {
    /// The list in one of the places that show it.
    async fn list(&self, viewer: &Viewer, room: RoomId, place: &'static str) -> Result<String> {
        // Taken before reading: later changes arrive as frames.
        let feed = VOICE_FEED.position(room, &self.engine.live).await?;
        rendered(&ListView {
            place,
            room,
            feed,
            people: self.people_view(room, viewer.lang).await?,
        })
    }
}

/// The people in a voice room, below its link in the sidebar.
pub(super) async fn below_link(
    voice: Voice,
    viewer: Viewer,
    room: RoomId,
    deps: Dependencies,
) -> Result<Option<String>> {
    let access = &voice.community.access;
    let found = access.permit_in_room(viewer.account, &READ, room).await?;
    if !found.is_voice() {
        return Ok(None);
    }
    deps.add(RoomVoice(room.0));
    voice.list(&viewer, room, "side").await.map(Some)
}

/// Above the log of a room: who is in its voice, and the button to join.
pub(super) async fn above_page(
    voice: Voice,
    viewer: Viewer,
    room: RoomId,
    deps: Dependencies,
) -> Result<Option<String>> {
    let access = &voice.community.access;
    let found = match access.permit_in_room(viewer.account, &READ, room).await {
        Ok(found) => found,
        // The page itself says so.
        Err(Error::NotFound | Error::Forbidden(_) | Error::Conflict(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    if found.parent.is_some() || found.is_forum() {
        return Ok(None);
    }
    deps.add(RoomVoice(room.0));
    let refused = match access.permit_in_room(viewer.account, &CONNECT, room).await {
        _ if voice.media.is_none() => Some(viewer.lang.t("voice-off").to_owned()),
        Ok(_) => None,
        Err(error) if error.is_passing() => return Err(error),
        Err(_) => Some(viewer.lang.t("voice-not-allowed").to_owned()),
    };
    let view = RoomView {
        room,
        list: voice.list(&viewer, room, "room").await?,
        is_voice: found.is_voice(),
        is_stage: voice_rules::of(&voice.engine.db, room).await?.is_stage,
        refused,
        lang: viewer.lang,
    };
    rendered(&view).map(Some)
}

/// Among the tools of a room: begins a call there, or joins it.
pub(super) async fn tool(
    voice: Voice,
    viewer: Viewer,
    room: RoomId,
    _: Dependencies,
) -> Result<Option<String>> {
    let found = match voice.permit_connect(viewer.account, room).await {
        Ok(found) if voice.media.is_some() => found,
        Ok(_) => return Ok(None),
        Err(error) if error.is_passing() => return Err(error),
        Err(_) => return Ok(None),
    };
    if found.is_voice() {
        return Ok(None);
    }
    let view = ToolView {
        room,
        lang: viewer.lang,
    };
    rendered(&view).map(Some)
}

/// One of the lists, for pages that missed frames.
async fn list(
    State(voice): State<Voice>,
    viewer: Viewer,
    Path(room): Path<RoomId>,
    place: &'static str,
) -> Result<Response> {
    let access = &voice.community.access;
    access.permit_in_room(viewer.account, &READ, room).await?;
    Ok(Html(voice.list(&viewer, room, place).await?).into_response())
}

/// The bar of who is inside.
async fn bar(
    State(voice): State<Voice>,
    viewer: Viewer,
    Path(room): Path<RoomId>,
) -> Result<Response> {
    let found = voice.permit_connect(viewer.account, room).await?;
    let view = BarView {
        room,
        may_have_priority: voice.allowed(viewer.account, room).await?.priority,
        title: voice.community.rooms.title(viewer.account, &found).await?,
        list: voice.list(&viewer, room, "call").await?,
        lang: viewer.lang,
    };
    Ok(Html(rendered(&view)?).into_response())
}
