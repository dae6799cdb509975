//! Pages of threads: those that the viewer follows, those of a room, and the forms that work
//! without scripts.

use std::fmt;
use std::str::FromStr;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;

use super::actions::permitted_message;
use super::forum::TagId;
use super::model::{Message, MessageId};
use super::thread_store::Listed;
use super::{Chat, THREAD, forum_store, thread_store};
use crate::base::clock::Micros;
use crate::base::error::{Error, Result};
use crate::base::ids::{self, RoomId};
use crate::community::permissions::{READ, is_granted};
use crate::community::{Layout, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

/// Threads on a page.
const MAX_ON_PAGE: usize = 30;

pub(super) fn declare(module: Module<Chat>) -> Module<Chat> {
    module
        .page(Audience::SignedIn, "/threads", get(mine))
        .page(Audience::SignedIn, "/rooms/{room}/threads", get(of_room))
        .page(Audience::SignedIn, "/rooms/{room}/name", get(name))
        .page(Audience::SignedIn, "/messages/{message}/thread", get(begin))
}

/// A thread in a list.
struct Entry {
    room: RoomId,
    name: String,
    /// The room it belongs to; empty in the list of one room.
    place: String,
    replies: i64,
    last: Micros,
    unread: bool,
}

#[derive(Template)]
#[template(path = "chat/threads.html", blocks = ["app"])]
struct ThreadsPage {
    head: Head,
    shell: Shell,
    /// Whose list it is; `None` for the viewer's own.
    room: Option<RoomId>,
    entries: Vec<Entry>,
    /// Where the next page is.
    next: Option<String>,
}

/// A position in the list of followed threads: unread ones come first.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Position {
    unread: bool,
    before: MessageId,
}

impl Position {
    const START: Self = Self {
        unread: true,
        before: MessageId(i64::MAX),
    };
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = if self.unread { "unread" } else { "read" };
        write!(f, "{list}-{}", self.before)
    }
}

impl FromStr for Position {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = text.split_once('-').and_then(|(list, before)| {
            Some(Self {
                unread: list == "unread",
                before: MessageId(before.parse().ok()?),
            })
        });
        found.ok_or(Error::NotFound)
    }
}

#[derive(Deserialize)]
struct ListQuery {
    from: Option<String>,
}

/// `GET /threads?from=`.
async fn mine(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Query(query): Query<ListQuery>,
) -> Result<PageAnswer> {
    let from = query.from.as_deref().map(str::parse).transpose()?;
    let shell = layout.shell(&viewer, None, "/threads").await?;
    let (found, next) = chat
        .followed(&viewer, from.unwrap_or(Position::START))
        .await?;
    let page = ThreadsPage {
        head: chat.community.head(&viewer, viewer.lang.t("threads-title")),
        shell,
        room: None,
        entries: chat.readable(&viewer, found, true).await?,
        next: next.map(|next| format!("/threads?from={next}")),
    };
    app_page!(wants, page)
}

#[derive(Deserialize)]
struct RoomQuery {
    before: Option<MessageId>,
}

/// `GET /rooms/{room}/threads?before=`.
async fn of_room(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(room): Path<RoomId>,
    Query(query): Query<RoomQuery>,
) -> Result<PageAnswer> {
    let access = &chat.community.access;
    let room = access.permit_in_room(viewer.account, &READ, room).await?;
    let before = query.before.unwrap_or(MessageId(i64::MAX));
    let (db, limit) = (&chat.engine.db, MAX_ON_PAGE as i64 + 1);
    let mut found = thread_store::of_room(db, viewer.account, (room.id, before), limit).await?;
    let has_more = found.len() > MAX_ON_PAGE;
    found.truncate(MAX_ON_PAGE);
    let last = found.last().filter(|_| has_more);
    let next = last.map(|last| format!("/rooms/{}/threads?before={}", room.id, last.thread.last));
    let here = format!("/rooms/{}", room.id);
    let shell = layout.shell(&viewer, room.space, &here).await?;
    let title = chat.community.rooms.title(viewer.account, &room).await?;
    let named = [("room", title.as_str().into())];
    let page = ThreadsPage {
        head: chat
            .community
            .head(&viewer, viewer.lang.with("threads-of", &named)),
        shell,
        room: Some(room.id),
        entries: chat.readable(&viewer, found, false).await?,
        next,
    };
    app_page!(wants, page)
}

impl Chat {
    /// A page of the threads that the viewer follows, unread ones first, each by its newest
    /// activity, and where the next begins.
    async fn followed(
        &self,
        viewer: &Viewer,
        mut from: Position,
    ) -> Result<(Vec<Listed>, Option<Position>)> {
        let mut found: Vec<Listed> = Vec::new();
        loop {
            let left = MAX_ON_PAGE + 1 - found.len();
            let (db, at) = (&self.engine.db, (from.unread, from.before));
            found.extend(thread_store::followed(db, viewer.account, at, left as i64).await?);
            if found.len() > MAX_ON_PAGE || !from.unread {
                break;
            }
            from = Position {
                unread: false,
                ..Position::START
            };
        }
        let has_more = found.len() > MAX_ON_PAGE;
        found.truncate(MAX_ON_PAGE);
        let last = found.last().filter(|_| has_more);
        let next = last.map(|last| Position {
            unread: last.unread,
            before: last.thread.last,
        });
        Ok((found, next))
    }

    /// Those of these threads that the viewer reads: a page may be short.
    async fn readable(
        &self,
        viewer: &Viewer,
        found: Vec<Listed>,
        is_placed: bool,
    ) -> Result<Vec<Entry>> {
        let (access, rooms) = (&self.community.access, &self.community.rooms);
        let mut entries = Vec::new();
        for one in found {
            let asked = access.permit_in_room(viewer.account, &READ, one.thread.parent);
            let parent = match asked.await {
                Ok(parent) => parent,
                Err(error) => {
                    is_granted(Err::<(), _>(error))?;
                    continue;
                }
            };
            entries.push(Entry {
                room: one.thread.room,
                name: one.name,
                place: match is_placed {
                    true => rooms.title(viewer.account, &parent).await?,
                    false => String::new(),
                },
                replies: one.thread.replies,
                last: ids::time_of(one.thread.last.0),
                unread: one.unread,
            });
        }
        Ok(entries)
    }
}

impl ThreadsPage {
    fn replies(&self, entry: &Entry) -> String {
        let count = [("count", entry.replies.into())];
        self.head.lang.with("thread-replies", &count)
    }
}

/// A form about a thread: its first reply, or its name.
#[derive(Template)]
#[template(path = "chat/thread_form.html", blocks = ["app"])]
struct ThreadForm {
    head: Head,
    shell: Shell,
    form: Form,
    about: About,
}

enum About {
    /// The first reply to a message.
    Reply(Box<Message>),
    /// The name of a thread; of a post its room's tags, each with whether it has it.
    Name(RoomId, String, Vec<(TagId, String, bool)>),
}

/// `GET /messages/{message}/thread`: the thread of a message, or the form that begins it.
async fn begin(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(id): Path<MessageId>,
    form: Form,
) -> Result<Response> {
    let (message, _) = permitted_message(&chat, &viewer, id, &READ).await?;
    let thread = thread_store::of_message(&chat.engine.db, id).await?;
    // A form that was refused is shown again, with what was written.
    if let Some(thread) = thread.filter(|_| form.is_blank()) {
        return Ok(Redirect::to(&format!("/rooms/{}", thread.room)).into_response());
    }
    let access = &chat.community.access;
    let room = access
        .permit_in_room(viewer.account, &THREAD, message.room)
        .await?;
    let here = format!("/rooms/{}", room.id);
    let page = ThreadForm {
        head: chat.community.head(&viewer, viewer.lang.t("action-thread")),
        shell: layout.shell(&viewer, room.space, &here).await?,
        form,
        about: About::Reply(Box::new(message)),
    };
    let page: PageAnswer = app_page!(wants, page)?;
    Ok(page.into_response())
}

/// `GET /rooms/{thread}/name`: the form that gives a thread another name.
async fn name(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(room): Path<RoomId>,
    form: Form,
) -> Result<PageAnswer> {
    let thread = chat.read_thread(&viewer, room).await?;
    chat.may_rename(&viewer, &thread).await?;
    let access = &chat.community.access;
    let room = access.permit_in_room(viewer.account, &READ, room).await?;
    let here = format!("/rooms/{}", room.id);
    let title = match thread.is_post {
        true => viewer.lang.t("post-change"),
        false => viewer.lang.t("thread-rename"),
    };
    let db = &chat.engine.db;
    let post = match thread.is_post {
        true => forum_store::post(db, room.id).await?,
        false => None,
    };
    let tags = match post {
        Some(post) => {
            let all = forum_store::tags(db, thread.parent).await?.into_iter();
            let has = |id| post.tags.iter().any(|(own, _)| *own == id);
            all.map(|(id, name)| (id, name, has(id))).collect()
        }
        None => Vec::new(),
    };
    let page = ThreadForm {
        head: chat.community.head(&viewer, title),
        shell: layout.shell(&viewer, room.space, &here).await?,
        form,
        about: About::Name(room.id, room.name.clone(), tags),
    };
    app_page!(wants, page)
}
