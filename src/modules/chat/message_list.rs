//! Lists of messages from anywhere, newest first, each with the place it is from: those pinned to a
//! room, the viewer's bookmarks, and what mentions the viewer.

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
const MAX_ON_PAGE: usize = 30;

pub(super) fn declare(module: Module<Chat>) -> Module<Chat> {
    module
        .page(Audience::SignedIn, "/rooms/{room}/pins", get(pins))
        .page(Audience::SignedIn, "/bookmarks", get(bookmarks))
        .page(Audience::SignedIn, "/mentions", get(mentions))
}

/// A message of a list.
struct Entry {
    message: MessageId,
    room: Arc<Room>,
    html: Arc<str>,
}

/// A page of such a list.
#[derive(Template)]
#[template(path = "chat/message_list.html", blocks = ["app"])]
struct ListPage {
    head: Head,
    shell: Shell,
    entries: Vec<Entry>,
    /// The address of the next page.
    next: Option<String>,
    /// What an empty list says: the key of its heading; that of its text has `-text` after it.
    empty: &'static str,
}

impl ListPage {
    fn empty_text(&self) -> &str {
        self.head.lang.t(&format!("{}-text", self.empty))
    }
}

#[derive(Deserialize)]
struct ListQuery {
    before: Option<MessageId>,
}

impl ListQuery {
    fn before(&self) -> MessageId {
        self.before.unwrap_or(MessageId(i64::MAX))
    }
}

impl Chat {
    /// The page at `path` that lists the viewer's own messages of some kind.
    async fn own_list(
        &self,
        (viewer, shell, title): (&Viewer, Shell, &str),
        found: Vec<(MessageId, RoomId)>,
        path: &str,
        empty: &'static str,
    ) -> Result<ListPage> {
        let (entries, next) = self.list(viewer, found).await?;
        Ok(ListPage {
            head: self.community.head(viewer, title),
            shell,
            entries,
            next: next.map(|next| format!("{path}?before={next}")),
            empty,
        })
    }

    /// What of these messages the viewer may read, newest first, and before which the next page
    /// begins if there was one more than fits on a page.
    async fn list(
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
    let (db, before) = (&chat.engine.db, query.before());
    let found = bookmark_store::newest(db, viewer.account, before, MAX_ON_PAGE + 1).await?;
    let shell = layout.shell(&viewer, None, "/bookmarks").await?;
    let title = viewer.lang.t("bookmarks-title");
    let page = chat.own_list(
        (&viewer, shell, title),
        found,
        "/bookmarks",
        "bookmarks-none",
    );
    app_page!(wants, page.await?)
}

/// `GET /mentions?before=`. Messages in rooms that the viewer may not read are left out: a page may
/// be short.
async fn mentions(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Query(query): Query<ListQuery>,
) -> Result<PageAnswer> {
    let (db, before) = (&chat.engine.db, query.before());
    let found = mention_store::newest(db, viewer.account, before, MAX_ON_PAGE + 1).await?;
    let shell = layout.shell(&viewer, None, "/mentions").await?;
    let title = viewer.lang.t("mentions-title");
    let page = chat.own_list((&viewer, shell, title), found, "/mentions", "mentions-none");
    app_page!(wants, page.await?)
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
    let (db, before) = (&chat.engine.db, query.before());
    let found = store::pinned(db, room.id, before, MAX_ON_PAGE + 1).await?;
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
