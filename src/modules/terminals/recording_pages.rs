//! The recording of a terminal: the page that plays it, and its parts.

use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::model::{Role, TerminalId, TerminalRow};
use super::views::ReplayPage;
use super::{Terminals, VIEW, recordings, store};
use crate::base::error::{Error, Result};
use crate::base::ids::RoomId;
use crate::community::Layout;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Terminals>) -> Module<Terminals> {
    module
        .page(
            Audience::SignedIn,
            "/rooms/{room}/terminals/{terminal}/replay",
            get(replay),
        )
        .page(
            Audience::SignedIn,
            "/rooms/{room}/terminals/{terminal}/recording",
            get(recording),
        )
}

impl Terminals {
    /// A terminal whose recording the viewer may see.
    ///
    /// # Errors
    /// Those of [`find`](Self::find), and `NotFound` without a recording, and for those who were
    /// removed from the terminal.
    async fn find_recorded(
        &self,
        viewer: &Viewer,
        room: RoomId,
        id: TerminalId,
    ) -> Result<TerminalRow> {
        let row = self.find(viewer, room, id).await?;
        let roles = store::roles(&self.engine.db, &row).await?;
        match row.recorded && roles.of(viewer.account) != Role::Removed {
            true => Ok(row),
            false => Err(Error::NotFound),
        }
    }
}

async fn replay(
    State(terminals): State<Terminals>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path((room, id)): Path<(RoomId, TerminalId)>,
) -> Result<PageAnswer> {
    let row = terminals.find_recorded(&viewer, room, id).await?;
    let access = &terminals.community.access;
    let found = access.permit_in_room(viewer.account, &VIEW, room).await?;
    let here = format!("/rooms/{room}");
    let mut shell = layout.shell(&viewer, found.space, &here).await?;
    shell.above.clear();
    app_page!(
        wants,
        ReplayPage {
            head: terminals.community.head(&viewer, row.title.clone()),
            shell,
            room,
            terminal: id,
            is_own: row.host == viewer.account,
        }
    )
}

#[derive(Deserialize)]
struct Part {
    /// The part after this one.
    #[serde(default)]
    after: i64,
}

/// A part of the recording as lines of asciicast v3, at most some 64 KiB; the header `x-part` is
/// what `after` is to be for the next one. Nothing when there is no other.
async fn recording(
    State(terminals): State<Terminals>,
    viewer: Viewer,
    Path((room, id)): Path<(RoomId, TerminalId)>,
    Query(Part { after }): Query<Part>,
) -> Result<Response> {
    terminals.find_recorded(&viewer, room, id).await?;
    let found = recordings::part(&terminals.engine.db, id, after).await?;
    let (part, lines) = found.unwrap_or((after, String::new()));
    let headers = [
        (
            header::CONTENT_TYPE.as_str(),
            "application/x-asciicast".to_owned(),
        ),
        (
            header::CACHE_CONTROL.as_str(),
            "private, no-store".to_owned(),
        ),
        ("x-part", part.to_string()),
    ];
    Ok((headers, lines).into_response())
}
