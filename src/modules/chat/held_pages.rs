//! The list of held messages, for moderators of their rooms.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use serde::Deserialize;

use super::held::HeldView;
use super::held_model::{HeldId, HeldMessage};
use super::{Chat, MODERATE, held_store};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::community::permissions::{READ, is_granted};
use crate::community::{Layout, Room, Scope, Shell, Tab};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module, SpaceTab};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

/// Held messages on one page.
const MAX_ON_PAGE: usize = 50;

pub(super) fn declare(module: Module<Chat>) -> Module<Chat> {
    module
        .space_tab(SpaceTab {
            path: "/spaces/{space}/held",
            label: "held-title",
            permission: Some(&MODERATE),
        })
        .tab_count("/spaces/{space}/held", count)
        .page(Audience::SignedIn, "/spaces/{space}/held", get(held))
}

/// A held message in the list.
struct HeldEntry {
    message: HeldMessage,
    html: String,
    room: String,
    rule: String,
}

#[derive(Template)]
#[template(path = "chat/held.html", blocks = ["app"])]
struct HeldPage {
    head: Head,
    shell: Shell,
    tabs: Vec<Tab>,
    form: Form,
    space: SpaceId,
    entries: Vec<HeldEntry>,
    /// What the next page begins after.
    next: Option<HeldId>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct HeldQuery {
    after: Option<HeldId>,
}

impl Chat {
    /// A room in which an account moderates.
    async fn moderated_room(
        &self,
        account: AccountId,
        room: RoomId,
    ) -> Result<Option<std::sync::Arc<Room>>> {
        let access = &self.community.access;
        match access.permit_in_room(account, &MODERATE, room).await {
            Ok(room) => Ok(Some(room)),
            Err(error) => is_granted(Err::<(), _>(error)).map(|_| None),
        }
    }
}

/// How many messages wait in the rooms of a space that the viewer moderates.
pub(super) async fn count(chat: Chat, viewer: Viewer, space: SpaceId) -> Result<usize> {
    let mut count = 0;
    for (room, waiting) in held_store::waiting_rooms(&chat.engine.db, space).await? {
        if chat.moderated_room(viewer.account, room).await?.is_some() {
            count += usize::try_from(waiting).unwrap_or_default();
        }
    }
    Ok(count)
}

/// `GET /spaces/{space}/held?after=…`.
#[allow(clippy::too_many_arguments, reason = "axum extractors")]
async fn held(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(space): Path<SpaceId>,
    Query(query): Query<HeldQuery>,
    form: Form,
) -> Result<PageAnswer> {
    let (community, by, scope) = (&chat.community, viewer.account, Scope::Space(space));
    let access = &community.access;
    access.permit(by, &READ, scope).await?;
    let moderates = is_granted(access.permit(by, &MODERATE, scope).await)?;
    let mut after = query.after.unwrap_or(HeldId(0));
    let mut entries = Vec::new();
    // Those of rooms that the viewer does not moderate are passed over; all together are few.
    let next = loop {
        let limit = MAX_ON_PAGE as i64;
        let waiting = held_store::waiting(&chat.engine.db, space, after, limit).await?;
        let Some((last, _)) = waiting.last() else {
            break None;
        };
        after = last.id;
        let is_last = waiting.len() < MAX_ON_PAGE;
        for (message, rule) in waiting {
            let Some(room) = chat.moderated_room(by, message.room).await? else {
                continue;
            };
            entries.push(HeldEntry {
                html: HeldView::new(&message, false, viewer.lang).html()?,
                room: room.name.clone(),
                rule,
                message,
            });
        }
        if is_last {
            break None;
        }
        if entries.len() >= MAX_ON_PAGE {
            break Some(after);
        }
    };
    if !moderates && entries.is_empty() {
        return Err(Error::Forbidden("error-not-permitted"));
    }
    let here = format!("/spaces/{space}/held");
    let shell = layout.shell(&viewer, Some(space), &here).await?;
    let held = access.held(by, scope).await?;
    app_page!(
        wants,
        HeldPage {
            head: community.head(&viewer, viewer.lang.t("held-title")),
            tabs: community.space_tabs(held, space, &here)?,
            shell,
            form,
            space,
            entries,
            next,
        }
    )
}
