//! Lists of messages from anywhere, newest first, each with the place it is from: those pinned to a
//! room, and the viewer's bookmarks. Mentions are listed the same way (`mention_pages.rs`).

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use serde::Deserialize;

use super::message_html::{Names, render_all};
use super::model::MessageId;
use super::store::Stub;
use super::{Chat, bookmark_store, mention_store, store};
use crate::base::error::Result;
use crate::base::ids::RoomId;
use crate::community::permissions::{READ, is_granted};
use crate::community::{Layout, Room, Shell};
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

/// Messages on a page.
pub(super) const MAX_ON_PAGE: usize = 30;

pub(super) fn declare(module: Module<Chat>) -> Module<Chat> {
    module
        .page(Audience::SignedIn, "/rooms/{room}/pins", get(pins))
        .page(Audience::SignedIn, "/bookmarks", get(bookmarks))
}

/// A message of a list.
pub(super) struct Entry {
    pub(super) message: MessageId,
    pub(super) room: Arc<Room>,
    pub(super) html: Arc<str>,
}

/// A page of such a list.
#[derive(Template)]
#[template(path = "chat/message_list.html", blocks = ["app"])]
pub(super) struct ListPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) entries: Vec<Entry>,
    /// The address of the next page.
    pub(super) next: Option<String>,
    /// What an empty list says: the key of its heading; that of its text has `-text` after it.
    pub(super) empty: &'static str,
}

impl ListPage {
    fn empty_text(&self) -> &str {
        self.head.lang.t(&format!("{}-text", self.empty))
    }
}

#[derive(Deserialize)]
pub(super) struct ListQuery {
    pub(super) before: Option<MessageId>,
}

impl Chat {
    /// What of these messages the viewer may read, newest first, and before which the next page
    /// begins if there was one more than fits on a page.
    pub(super) async fn list(
        &self,
        viewer: &Viewer,
        mut found: Vec<(MessageId, RoomId)>,
    ) -> Result<(Vec<Entry>, Option<MessageId>)> {
        let has_more = found.len() > MAX_ON_PAGE;
        found.truncate(MAX_ON_PAGE);
        let next = found.last().map(|(message, _)| *message);
        let mut rooms: Vec<RoomId> = Vec::new();
        for (_, room) in &found {
            if !rooms.contains(room) {
                rooms.push(*room);
            }
        }
        let mut entries = Vec::new();
        for id in rooms {
            let access = &self.community.access;
            let room = match access.permit_in_room(viewer.account, &READ, id).await {
                Ok(room) => room,
                Err(error) => {
                    is_granted(Err::<(), _>(error))?;
                    continue;
                }
            };
            let ids = found.iter().filter(|(_, of)| *of == id);
            let ids: Vec<MessageId> = ids.map(|(message, _)| *message).collect();
            let messages = mention_store::messages(&self.engine.db, &ids).await?;
            let names = Names::in_room(&self.community, id).await?;
            let stubs: Vec<Stub> = messages.iter().map(Stub::of).collect();
            let names = names.with_people(&self.community, stubs.iter()).await?;
            let names = names
                .with_threads(&self.engine.db, ids.iter().copied())
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

/// `GET /bookmarks?before=`.
async fn bookmarks(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Query(query): Query<ListQuery>,
) -> Result<PageAnswer> {
    let before = query.before.unwrap_or(MessageId(i64::MAX));
    let shell = layout.shell(&viewer, None, "/bookmarks").await?;
    let db = &chat.engine.db;
    let found = bookmark_store::newest(db, viewer.account, before, MAX_ON_PAGE + 1).await?;
    let (entries, next) = chat.list(&viewer, found).await?;
    let title = viewer.lang.t("bookmarks-title");
    app_page!(
        wants,
        ListPage {
            head: chat.community.head(&viewer, title),
            shell,
            entries,
            next: next.map(|next| format!("/bookmarks?before={next}")),
            empty: "bookmarks-none",
        }
    )
}

/// `GET /rooms/{room}/pins?before=`.
async fn pins(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(room): Path<RoomId>,
    Query(query): Query<ListQuery>,
) -> Result<PageAnswer> {
    let access = &chat.community.access;
    let room = access.permit_in_room(viewer.account, &READ, room).await?;
    let before = query.before.unwrap_or(MessageId(i64::MAX));
    let found = store::pinned(&chat.engine.db, room.id, before, MAX_ON_PAGE + 1).await?;
    let found = found.into_iter().map(|id| (id, room.id)).collect();
    let (entries, next) = chat.list(&viewer, found).await?;
    let here = format!("/rooms/{}", room.id);
    let shell = layout.shell(&viewer, room.space, &here).await?;
    let name = chat.community.rooms.title(viewer.account, &room).await?;
    let words = [("room", name.as_str().into())];
    app_page!(
        wants,
        ListPage {
            head: chat
                .community
                .head(&viewer, viewer.lang.with("pins-of", &words)),
            shell,
            entries,
            next: next.map(|next| format!("/rooms/{}/pins?before={next}", room.id)),
            empty: "pins-none",
        }
    )
}
