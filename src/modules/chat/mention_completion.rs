//! Whom `@` may be completed to in a room.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use serde::Deserialize;

use super::{Chat, MENTION_EVERYONE, POST, mention_store};
use crate::base::error::Result;
use crate::base::ids::RoomId;
use crate::community::Mentionable;
use crate::community::permissions::is_granted;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;

pub(super) fn declare(module: Module<Chat>) -> Module<Chat> {
    module.page(
        Audience::SignedIn,
        "/rooms/{room}/mentionable",
        get(mentionable),
    )
}

#[derive(Deserialize)]
struct MentionableQuery {
    #[serde(default)]
    q: String,
}

/// `GET /rooms/{room}/mentionable?q=`: those who read the room, whoever wrote last first. For those
/// who may write there: nobody else needs the list.
async fn mentionable(
    State(chat): State<Chat>,
    viewer: Viewer,
    Path(room): Path<RoomId>,
    Query(query): Query<MentionableQuery>,
) -> Result<Json<Vec<Mentionable>>> {
    let (community, account) = (&chat.community, viewer.account);
    let room = community
        .access
        .permit_in_room(account, &POST, room)
        .await?;
    let asked = community
        .access
        .permit_in_room(account, &MENTION_EVERYONE, room.id);
    let many = is_granted(asked.await)?;
    let mut speakers = mention_store::last_speakers(&chat.engine.db, room.id).await?;
    // One rarely calls oneself.
    speakers.retain(|speaker| *speaker != account);
    let found = community.mentionable(&room, &query.q, &speakers, many);
    Ok(Json(found.await?))
}
