//! Selecting several messages to delete: a page of a room's messages with checkboxes, which a
//! message's menu opens around itself. Works without scripts.

use askama::Template;
use axum::extract::{Path, Query, State};
use serde::Deserialize;

use super::model::{Message, MessageId};
use super::{Chat, MODERATE, store};
use crate::base::error::Result;
use crate::base::ids::RoomId;
use crate::community::{Layout, Shell};
use crate::engine::forms::Form;
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

/// Messages before the one that the page was opened from, and after it.
const HALF_PAGE: usize = 25;

#[derive(Template)]
#[template(path = "chat/select.html", blocks = ["app"])]
struct SelectPage {
    head: Head,
    shell: Shell,
    form: Form,
    room: RoomId,
    /// The one that is selected at first.
    at: Option<MessageId>,
    /// Oldest first, without those that are deleted.
    messages: Vec<Message>,
    /// Whether there is a page of older ones, and of newer ones, around these positions.
    older: Option<MessageId>,
    newer: Option<MessageId>,
}

#[derive(Deserialize)]
pub(super) struct SelectQuery {
    at: Option<MessageId>,
    /// The middle of another page, with nothing selected.
    around: Option<MessageId>,
}

/// `GET /rooms/{room}/select?at=…&around=…`.
#[allow(clippy::too_many_arguments, reason = "axum extractors")]
pub(super) async fn select(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(room): Path<RoomId>,
    Query(query): Query<SelectQuery>,
    form: Form,
) -> Result<PageAnswer> {
    let access = &chat.community.access;
    let room = access
        .permit_in_room(viewer.account, &MODERATE, room)
        .await?;
    let (db, at) = (&chat.engine.db, query.around.or(query.at));
    let at = at.unwrap_or(MessageId(i64::MAX));
    // One more on each side tells whether there are others.
    let before = store::before(db, room.id, at, HALF_PAGE + 1).await?;
    let after = store::from(db, room.id, at, HALF_PAGE + 1).await?;
    let older = (before.len() > HALF_PAGE).then(|| before[HALF_PAGE - 1].id);
    let newer = (after.len() > HALF_PAGE).then(|| after[HALF_PAGE].id);
    let shown = before.iter().take(HALF_PAGE);
    let shown = shown.chain(after.iter().take(HALF_PAGE));
    let ids: Vec<MessageId> = shown.map(|stub| stub.id).collect();
    let mut messages = match (ids.iter().min(), ids.iter().max()) {
        (Some(first), Some(last)) => store::range(db, room.id, *first, *last).await?,
        _ => Vec::new(),
    };
    messages.retain(|message| !message.is_deleted());
    let here = format!("/rooms/{}", room.id);
    let shell = layout.shell(&viewer, room.space, &here).await?;
    app_page!(
        wants,
        SelectPage {
            head: chat.community.head(&viewer, viewer.lang.t("select-title")),
            shell,
            form,
            room: room.id,
            at: query.at,
            messages,
            older,
            newer,
        }
    )
}
