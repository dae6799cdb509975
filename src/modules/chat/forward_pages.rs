//! `/messages/{message}/forward`: where to. `/messages/{message}/preview`: what a link to a message
//! shows beneath it, to who may read the message.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use serde::Deserialize;

use super::actions::permitted_message;
use super::model::{Message, MessageId};
use super::{Chat, POST};
use crate::base::error::{Error, Result};
use crate::base::ids::RoomId;
use crate::community::permissions::{READ, is_granted};
use crate::community::{Face, Layout, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, Html, PageAnswer, Wants, app_page};

/// Rooms that the form lists; others are found by their names.
const MAX_ROOMS: usize = 50;
/// Characters of a message that a preview shows.
const PREVIEW_CHARS: usize = 300;

pub(super) fn declare(module: Module<Chat>) -> Module<Chat> {
    module
        .page(
            Audience::SignedIn,
            "/messages/{message}/forward",
            get(forward),
        )
        .page(
            Audience::SignedIn,
            "/messages/{message}/preview",
            get(preview),
        )
}

#[derive(Deserialize)]
struct ForwardQuery {
    /// A part of a room's name.
    #[serde(default)]
    q: String,
}

/// A room that a message can go to.
struct Destination {
    room: RoomId,
    title: String,
    /// The name of its space; empty for a conversation.
    place: String,
}

#[derive(Template)]
#[template(path = "chat/forward.html", blocks = ["app"])]
struct ForwardPage {
    head: Head,
    shell: Shell,
    form: Form,
    message: Message,
    text: String,
    query: String,
    destinations: Vec<Destination>,
    /// Makes forwarding again possible, and a form that is sent twice one.
    seen: MessageId,
}

async fn forward(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(id): Path<MessageId>,
    Query(query): Query<ForwardQuery>,
    form: Form,
) -> Result<PageAnswer> {
    let (message, room) = permitted_message(&chat, &viewer, id, &READ).await?;
    if message.is_deleted() || !message.told.is_nothing() {
        return Err(Error::NotFound);
    }
    let here = format!("/rooms/{}", room.id);
    let shell = layout.shell(&viewer, room.space, &here).await?;
    let destinations = destinations(&chat, &viewer, &query.q).await?;
    app_page!(
        wants,
        ForwardPage {
            head: chat.community.head(&viewer, viewer.lang.t("forward-title")),
            shell,
            form,
            text: message.excerpt(PREVIEW_CHARS, viewer.lang),
            message,
            query: query.q,
            destinations,
            seen: MessageId::new(),
        }
    )
}

/// The conversations and rooms whose names hold a text and in which the viewer may write.
async fn destinations(chat: &Chat, viewer: &Viewer, query: &str) -> Result<Vec<Destination>> {
    let mut found = Vec::new();
    let all = chat.community.rooms_by_name(viewer, query).await?;
    for (room, title, place) in all {
        if found.len() >= MAX_ROOMS {
            break;
        }
        let access = &chat.community.access;
        let may = access.permit_in_room(viewer.account, &POST, room);
        if is_granted(may.await)? {
            found.push(Destination { room, title, place });
        }
    }
    Ok(found)
}

#[derive(Template)]
#[template(path = "chat/preview.html")]
struct PreviewView {
    message: Message,
    face: Face,
    text: String,
    place: String,
    lang: crate::base::locale::Lang,
}

async fn preview(
    State(chat): State<Chat>,
    viewer: Viewer,
    Path(id): Path<MessageId>,
) -> Result<Html> {
    let (message, room) = permitted_message(&chat, &viewer, id, &READ).await?;
    if message.is_deleted() {
        return Err(Error::NotFound);
    }
    Html::of(&PreviewView {
        face: Face::of(message.author, &message.author_name),
        text: message.excerpt(PREVIEW_CHARS, viewer.lang),
        place: chat.community.rooms.title(viewer.account, &room).await?,
        message,
        lang: viewer.lang,
    })
}
