//! The pages of a room and of a message.

use std::time::Duration;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::HeaderName;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;
use tokio::time::timeout;

use super::actions::delete::may_delete;
use super::actions::edit::may_edit;
use super::actions::permitted_message;
use super::emoji_list::{emoji_list, room_emoji};
use super::forum::TagId;
use super::forum_pages::PostsQuery;
use super::held::HeldView;
use super::history::{Log, PageQuery};
use super::model::{Message, MessageId};
use super::room_page::RoomRequest;
use super::unread::unread_rooms;
use super::views::{ChangePage, FilesPage, LogView};
use super::{Chat, select_page, store, thread_store};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::base::locale::Lang;
use crate::community::Layout;
use crate::community::permissions;
use crate::engine::files::FileId;
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Html, IsPrefetch, PageAnswer, Wants, app_page};

/// How long a page waits for its read mark to be stored.
const MARK_TIMEOUT: Duration = Duration::from_millis(500);

pub(super) fn declare(module: Module<Chat>) -> Module<Chat> {
    module
        .page(Audience::SignedIn, "/rooms/{room}", get(room))
        .page(
            Audience::SignedIn,
            "/rooms/{room}/select",
            get(select_page::select),
        )
        .page(Audience::SignedIn, "/unread", get(unread_rooms))
        .page(Audience::SignedIn, "/rooms/{room}/log", get(log))
        .page(Audience::SignedIn, "/rooms/{room}/files", get(files))
        .page(Audience::SignedIn, "/emoji", get(emoji_list))
        .page(Audience::SignedIn, "/rooms/{room}/emoji", get(room_emoji))
        .page(Audience::SignedIn, "/messages/{message}", get(permalink))
        .page(
            Audience::SignedIn,
            "/messages/{message}/source",
            get(source),
        )
        .page(Audience::SignedIn, "/messages/{message}/edit", get(edit))
        .page(
            Audience::SignedIn,
            "/messages/{message}/delete",
            get(delete),
        )
}

#[derive(Deserialize)]
struct At {
    at: Option<MessageId>,
    before: Option<MessageId>,
    after: Option<MessageId>,
    /// The thread that is open beside the room.
    thread: Option<RoomId>,
    /// For the view alone, as it stands in the pane.
    pane: Option<String>,
    /// Which posts of a forum room are shown.
    tag: Option<TagId>,
    /// The message that is about to be answered, where scripts do not say so.
    reply: Option<MessageId>,
}

impl At {
    fn page_query(&self) -> PageQuery {
        match (self.at, self.before, self.after) {
            (Some(position), _, _) => PageQuery::Around(position),
            (_, Some(position), _) => PageQuery::Before(position),
            (_, _, Some(position)) => PageQuery::After(position),
            _ => PageQuery::Newest,
        }
    }
}

#[allow(clippy::too_many_arguments, reason = "axum extractors")]
async fn room(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    prefetch: IsPrefetch,
    Path(room): Path<RoomId>,
    Query(at): Query<At>,
    form: Form,
) -> Result<Response> {
    let deps = chat.community.dependencies(viewer.account);
    let is_blank = form.is_blank() && at.reply.is_none();
    let query = at.page_query();
    let asked = RoomRequest {
        chat: &chat,
        layout: &layout,
        viewer: &viewer,
        deps: &deps,
        reply: at.reply,
        posts: PostsQuery {
            tag: at.tag,
            before: at.before,
        },
    };
    if at.pane.is_some() {
        return Ok(asked.pane(room).await?.into_response());
    }
    let made = asked.page(room, query, at.thread, &form).await;
    let (page, unread) = match made {
        Err(Error::NotFound) if wants == Wants::Page => {
            let sanctions = &chat.community.sanctions;
            let to = match chat.community.closed_page(viewer.account, room).await? {
                Some(to) => Some(to),
                // Who was banned is told so.
                None => sanctions.ban_page_of_room(viewer.account, room).await?,
            };
            return Ok(Redirect::to(&to.ok_or(Error::NotFound)?).into_response());
        }
        made => made?,
    };
    let page: PageAnswer = app_page!(wants, page)?;
    // A prefetch marks nothing as read and is not cached: the visit itself has to come here.
    if query != PageQuery::Newest || prefetch.0 {
        return Ok(page.into_response());
    }
    if let Some(newest) = unread {
        mark_visited(&chat, &viewer, room, newest).await;
    }
    // The list of a forum depends on the names of all authors.
    let is_cached = is_blank && at.thread.is_none() && !chat.community.rooms.is_forum(room).await?;
    Ok(match is_cached {
        true => page.depends_on(&deps, viewer.account).into_response(),
        false => page.into_response(),
    })
}

/// Marks a room as read by loading its newest page, which also works without JavaScript. Neither a
/// full disk nor a long write queue may fail or delay the page; a write that takes longer than
/// [`MARK_TIMEOUT`] goes on in the background.
async fn mark_visited(chat: &Chat, viewer: &Viewer, room: RoomId, newest: MessageId) {
    let mark = chat.mark_read(viewer.account, room, newest);
    if let Ok(Err(error)) = timeout(MARK_TIMEOUT, mark).await {
        tracing::warn!(%error, "a read mark was not stored");
    }
}

impl Chat {
    /// The message that is about to be answered, unless it is gone.
    pub(super) async fn answered(
        &self,
        room: RoomId,
        id: Option<MessageId>,
    ) -> Result<Option<Message>> {
        let Some(id) = id else { return Ok(None) };
        let message = match store::message(&self.engine.db, id).await {
            Err(Error::NotFound) => return Ok(None),
            message => message?,
        };
        let is_there = message.room == room && !message.is_deleted();
        Ok(Some(message).filter(|_| is_there))
    }

    /// The messages of an account that wait in a room, as HTML.
    pub(super) async fn held_views(
        &self,
        account: AccountId,
        room: RoomId,
        lang: Lang,
    ) -> Result<Vec<String>> {
        let held = self.held_of(account, room).await?;
        let views = held.iter().map(|one| HeldView::new(one, true, lang).html());
        views.collect()
    }
}

pub(super) fn region(log: &Log, lang: Lang) -> Result<String> {
    LogView { log, lang }
        .as_region()
        .render()
        .map_err(|error| Error::Internal(anyhow::Error::new(error)))
}

/// The log alone: the newest page when a client missed frames, or the next page up or down.
async fn log(
    State(chat): State<Chat>,
    viewer: Viewer,
    Path(room): Path<RoomId>,
    Query(at): Query<At>,
) -> Result<Response> {
    let (account, lang, query) = (viewer.account, viewer.lang, at.page_query());
    let room = chat
        .community
        .access
        .permit_in_room(account, &permissions::READ, room)
        .await?;
    if query == PageQuery::Newest {
        // After a restart thousands of clients refetch at once: they share one rendering.
        let deps = chat.community.dependencies(account);
        let part = chat.shared_log(&deps, &room, account, lang).await?;
        return Ok(PageAnswer::of_part(&part)?.into_response());
    }
    let log: Log = chat.log(room.id, query, lang, account, None).await?;
    let view = LogView { log: &log, lang };
    let html = match query {
        PageQuery::Before(_) => view.as_older().render(),
        PageQuery::After(_) => view.as_newer().render(),
        PageQuery::Newest | PageQuery::Around(_) => view.as_region().render(),
    };
    let html = html.map_err(anyhow::Error::new)?;
    Ok(Html(html).into_response())
}

#[derive(Deserialize)]
struct Below {
    before: Option<FileId>,
}

/// The files of a room, newest first.
async fn files(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(room): Path<RoomId>,
    Query(below): Query<Below>,
) -> Result<PageAnswer> {
    let room = chat
        .community
        .access
        .permit_in_room(viewer.account, &permissions::READ, room)
        .await?;
    let files_page = chat.files_page(room.id, below.before).await?;
    let here = format!("/rooms/{}", room.id);
    let shell = layout.shell(&viewer, room.space, &here).await?;
    let name = chat.community.rooms.title(viewer.account, &room).await?;
    let head = chat.community.head(
        &viewer,
        viewer
            .lang
            .with("files-of", &[("room", name.as_str().into())]),
    );
    app_page!(
        wants,
        FilesPage {
            head,
            shell,
            room: room.id,
            files_page
        }
    )
}

async fn permalink(
    State(chat): State<Chat>,
    viewer: Viewer,
    Path(id): Path<MessageId>,
) -> Result<Redirect> {
    let (message, room) = permitted_message(&chat, &viewer, id, &permissions::READ).await?;
    if room.is_forum()
        && let Some(thread) = thread_store::of_message(&chat.engine.db, id).await?
    {
        return Ok(Redirect::to(&format!("/rooms/{}", thread.room)));
    }
    Ok(Redirect::to(&format!(
        "/rooms/{}?at={id}#m-{id}",
        message.room
    )))
}

/// The revision of a message, in the answer that has its text.
const REVISION: HeaderName = HeaderName::from_static("tidepool-revision");

/// A message as written, for editing in place.
async fn source(
    State(chat): State<Chat>,
    viewer: Viewer,
    Path(id): Path<MessageId>,
) -> Result<Response> {
    let message = own_message(&chat, &viewer, id).await?;
    Ok(([(REVISION, message.revision)], message.body).into_response())
}

async fn own_message(chat: &Chat, viewer: &Viewer, id: MessageId) -> Result<Message> {
    let (message, _) = permitted_message(chat, viewer, id, &permissions::READ).await?;
    may_edit(viewer, &message)?;
    Ok(message)
}

async fn edit(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(id): Path<MessageId>,
    form: Form,
) -> Result<PageAnswer> {
    let message = own_message(&chat, &viewer, id).await?;
    change(&chat, layout, viewer, wants, message, form, false).await
}

async fn delete(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(id): Path<MessageId>,
    form: Form,
) -> Result<PageAnswer> {
    let (message, _) = permitted_message(&chat, &viewer, id, &permissions::READ).await?;
    may_delete(&chat, &viewer, &message).await?;
    change(&chat, layout, viewer, wants, message, form, true).await
}

async fn change(
    chat: &Chat,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    message: Message,
    form: Form,
    delete: bool,
) -> Result<PageAnswer> {
    let room = chat
        .community
        .access
        .permit_in_room(viewer.account, &permissions::READ, message.room)
        .await?;
    let here = format!("/rooms/{}", room.id);
    let shell = layout.shell(&viewer, room.space, &here).await?;
    let title = viewer.lang.t(if delete {
        "message-delete-title"
    } else {
        "message-edit-title"
    });
    app_page!(
        wants,
        ChangePage {
            head: chat.community.head(&viewer, title),
            shell,
            form,
            message,
            delete
        }
    )
}
