//! `/scheduled`: one's own messages that are posted at a time. `/rooms/{room}/schedule`: the form.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use serde::Deserialize;

use super::attachment::Attachments;
use super::model::MessageId;
use super::scheduled::MAX_SCHEDULED;
use super::scheduled_model::{Scheduled, ScheduledId};
use super::{ATTACH, Chat, POST, markdown, scheduled_store};
use crate::base::clock::Micros;
use crate::base::error::{Error, Result};
use crate::base::ids::RoomId;
use crate::base::local_time::{field_value, time_zone};
use crate::community::permissions::READ;
use crate::community::{Layout, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

/// Characters of a message that the list shows.
const SHOWN_CHARS: usize = 300;

pub(super) fn declare(module: Module<Chat>) -> Module<Chat> {
    module
        .page(Audience::SignedIn, "/scheduled", get(list))
        .page(Audience::SignedIn, "/rooms/{room}/schedule", get(form))
}

/// A message as the list shows it.
struct Listed {
    scheduled: Scheduled,
    text: String,
    files: Attachments,
    /// The title of its room; `None` where the author does not read it any more.
    room_title: Option<String>,
}

#[derive(Template)]
#[template(path = "chat/scheduled.html", blocks = ["app"])]
struct ListPage {
    head: Head,
    shell: Shell,
    form: Form,
    listed: Vec<Listed>,
}

async fn list(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
) -> Result<PageAnswer> {
    let shell = layout.shell(&viewer, None, "/scheduled").await?;
    let all = scheduled_store::of_account(&chat.engine.db, viewer.account, MAX_SCHEDULED).await?;
    let mut listed = Vec::new();
    for scheduled in all {
        let access = &chat.community.access;
        let read = access.permit_in_room(viewer.account, &READ, scheduled.room);
        let room_title = match read.await {
            Ok(room) => Some(chat.community.rooms.title(viewer.account, &room).await?),
            Err(Error::NotFound | Error::Forbidden(_)) => None,
            Err(error) => return Err(error),
        };
        listed.push(Listed {
            text: markdown::to_plain(&scheduled.body, SHOWN_CHARS),
            files: chat.files_of_scheduled(&scheduled).await?,
            scheduled,
            room_title,
        });
    }
    let title = viewer.lang.t("scheduled-title");
    app_page!(
        wants,
        ListPage {
            head: chat.community.head(&viewer, title),
            shell,
            form,
            listed,
        }
    )
}

#[derive(Deserialize)]
struct FormQuery {
    /// One's own scheduled message that is changed.
    scheduled: Option<ScheduledId>,
}

#[derive(Template)]
#[template(path = "chat/schedule_form.html", blocks = ["app"])]
struct FormPage {
    head: Head,
    shell: Shell,
    form: Form,
    room: RoomId,
    room_title: String,
    changed: Option<Scheduled>,
    /// The files that it has.
    files: Attachments,
    may_attach: bool,
    /// When it is to be posted, as the value of the field.
    at: String,
    /// Now, by the same clock.
    now: String,
    zone: String,
    /// Makes two messages of the same words two, and one that is sent twice one.
    seen: MessageId,
}

async fn form(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(room): Path<RoomId>,
    Query(query): Query<FormQuery>,
    form: Form,
) -> Result<PageAnswer> {
    let access = &chat.community.access;
    let room = access.permit_in_room(viewer.account, &POST, room).await?;
    let changed = match query.scheduled {
        Some(id) => scheduled_store::find(&chat.engine.db, id).await?,
        None => None,
    };
    let changed = changed.filter(|one| one.account == viewer.account && one.room == room.id);
    let files = match &changed {
        Some(changed) => chat.files_of_scheduled(changed).await?,
        None => Attachments::default(),
    };
    let may_attach = access
        .permit_in_room(viewer.account, &ATTACH, room.id)
        .await;
    let own = chat.community.time_zone(viewer.account).await?;
    let zone = time_zone([own.as_str()]);
    let here = format!("/rooms/{}", room.id);
    let shell = layout.shell(&viewer, room.space, &here).await?;
    let room_title = chat.community.rooms.title(viewer.account, &room).await?;
    let at = changed.as_ref().map(|one| field_value(one.due_at, zone));
    app_page!(
        wants,
        FormPage {
            head: chat
                .community
                .head(&viewer, viewer.lang.t("schedule-title")),
            shell,
            form,
            room: room.id,
            room_title,
            at: at.unwrap_or_default(),
            changed,
            files,
            may_attach: may_attach.is_ok(),
            now: field_value(Micros::now(), zone).replace('T', " "),
            zone: zone.name().to_owned(),
            seen: MessageId::new(),
        }
    )
}
