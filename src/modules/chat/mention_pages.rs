//! `/mentions`: the latest messages that mention the viewer, wherever they are.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::routing::get;
use serde::Deserialize;

use super::mention_completion::mentionable;
use super::message_html::{Names, render_all};
use super::model::MessageId;
use super::{Chat, mention_store};
use crate::base::error::Result;
use crate::base::ids::RoomId;
use crate::community::permissions::{READ, is_granted};
use crate::community::{Layout, Room, Shell};
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

/// Messages on a page.
const MAX_ON_PAGE: usize = 30;

pub(super) fn declare(module: Module<Chat>) -> Module<Chat> {
    module
        .page(Audience::SignedIn, "/mentions", get(mentions))
        .page(
            Audience::SignedIn,
            "/rooms/{room}/mentionable",
            get(mentionable),
        )
}

/// A message that mentions the viewer.
struct Entry {
    message: MessageId,
    room: Arc<Room>,
    html: Arc<str>,
}

#[derive(Template)]
#[template(path = "chat/mentions.html", blocks = ["app"])]
struct MentionsPage {
    head: Head,
    shell: Shell,
    entries: Vec<Entry>,
    /// What the next page begins before.
    next: Option<MessageId>,
}

#[derive(Deserialize)]
struct MentionsQuery {
    before: Option<MessageId>,
}

/// `GET /mentions?before=`.
async fn mentions(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Query(query): Query<MentionsQuery>,
) -> Result<PageAnswer> {
    let before = query.before.unwrap_or(MessageId(i64::MAX));
    let shell = layout.shell(&viewer, None, "/mentions").await?;
    let (entries, next) = chat.newest_mentions(&viewer, before).await?;
    let head = chat
        .community
        .head(&viewer, viewer.lang.t("mentions-title"));
    app_page!(
        wants,
        MentionsPage {
            head,
            shell,
            entries,
            next
        }
    )
}

impl Chat {
    /// A page of the messages that mention the viewer, newest first, and where the next begins.
    /// Those in rooms that the viewer may not read are left out: a page may be short.
    async fn newest_mentions(
        &self,
        viewer: &Viewer,
        before: MessageId,
    ) -> Result<(Vec<Entry>, Option<MessageId>)> {
        let (db, account) = (&self.engine.db, viewer.account);
        let mut found = mention_store::newest(db, account, before, MAX_ON_PAGE + 1).await?;
        let has_more = found.len() > MAX_ON_PAGE;
        found.truncate(MAX_ON_PAGE);
        let next = found.last().map(|(message, _)| *message);
        let mut rooms: Vec<(RoomId, Option<Arc<Room>>)> = Vec::new();
        for (_, room) in &found {
            if rooms.iter().all(|(known, _)| known != room) {
                let asked = self.community.access.permit_in_room(account, &READ, *room);
                let granted = match asked.await {
                    Ok(room) => Some(room),
                    Err(error) => {
                        is_granted(Err::<(), _>(error))?;
                        None
                    }
                };
                rooms.push((*room, granted));
            }
        }
        let mut entries = Vec::new();
        for (id, room) in rooms {
            let Some(room) = room else { continue };
            let ids = found.iter().filter(|(_, of)| *of == id);
            let ids: Vec<MessageId> = ids.map(|(message, _)| *message).collect();
            let messages = mention_store::messages(db, &ids).await?;
            let names = Names::in_room(&self.community, id).await?;
            let names = names
                .with_people(&self.community, messages.iter().map(|one| &one.mentions))
                .await?;
            let shared = (self.engine.fragments.clone(), self.engine.hosts.clone());
            let rendered = render_all(shared, messages, names, viewer.lang).await?;
            entries.extend(rendered.into_iter().map(|(message, html)| Entry {
                message,
                room: room.clone(),
                html,
            }));
        }
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.message));
        Ok((entries, next.filter(|_| has_more)))
    }
}
