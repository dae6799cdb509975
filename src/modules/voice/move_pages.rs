//! `/rooms/{room}/voice/people/{participant}/move`: the rooms that a moderator can move somebody
//! to.

use askama::Template;
use axum::extract::{Path, State};
use axum::routing::get;

use super::model::ParticipantId;
use super::{MOVE_OTHERS, Voice};
use crate::base::error::{Error, Result};
use crate::base::ids::RoomId;
use crate::community::permissions::is_granted;
use crate::community::{Layout, Room, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Voice>) -> Module<Voice> {
    module.page(
        Audience::SignedIn,
        "/rooms/{room}/voice/people/{participant}/move",
        get(move_page),
    )
}

#[derive(Template)]
#[template(path = "voice/move.html", blocks = ["app"])]
struct MovePage {
    head: Head,
    shell: Shell,
    form: Form,
    room: Room,
    participant: ParticipantId,
    name: String,
    /// Where they can be moved to.
    rooms: Vec<(RoomId, String)>,
}

/// `GET /rooms/{room}/voice/people/{participant}/move`.
async fn move_page(
    State(voice): State<Voice>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path((room, participant)): Path<(RoomId, ParticipantId)>,
    form: Form,
) -> Result<PageAnswer> {
    let (access, by) = (&voice.community.access, viewer.account);
    let found = access.permit_in_room(by, &MOVE_OTHERS, room).await?;
    let space = found.space.ok_or(Error::NotFound)?;
    let inside = voice.rooms.people(room);
    let person = inside.iter().find(|one| one.id == participant);
    let person = person.ok_or(Error::NotFound)?;
    let account = voice.community.accounts.get(person.account).await?;
    let here = format!("/rooms/{room}/voice/people/{participant}/move");
    let shell = layout.shell(&viewer, Some(space), &here).await?;
    let mut rooms = Vec::new();
    let deps = voice.engine.versions.dependencies();
    for other in voice
        .community
        .rooms
        .open_in(&deps, by, space)
        .await?
        .iter()
    {
        let may = async || is_granted(access.permit_in_room(by, &MOVE_OTHERS, other.id).await);
        if other.is_voice() && other.id != room && may().await? {
            rooms.push((other.id, other.name.clone()));
        }
    }
    app_page!(
        wants,
        MovePage {
            head: voice
                .community
                .head(&viewer, viewer.lang.t("voice-move-title")),
            shell,
            form,
            room: Room::clone(&found),
            participant,
            name: account.name.clone(),
            rooms,
        }
    )
}
