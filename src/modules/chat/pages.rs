//! What a person sees of a room.

use std::time::Duration;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get};
use serde::Deserialize;
use tokio::time::timeout;

use super::actions::readable;
use super::history::{Log, PageQuery};
use super::model::MessageId;
use super::views::{ChangePage, FilesPage, LogView, RoomPage};
use super::{Chat, store};
use crate::base::error::{Error, Result};
use crate::base::ids::RoomId;
use crate::base::locale::Lang;
use crate::community::Permission;
use crate::engine::files::FileId;
use crate::engine::forms::Form;
use crate::engine::module::{Access, Module};
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Viewer;
use crate::engine::web::{Html, PageAnswer, Part, PartKey, Wants, app_page};

// That a page waits for its read mark to be kept.
const MARK_WITHIN: Duration = Duration::from_millis(500);

pub(super) fn declare(chat: &Chat, module: Module) -> Module {
    let with = |router: MethodRouter<Chat>| router.with_state(chat.clone());
    module
        .page(Access::SignedIn, "/rooms/{room}", with(get(room)))
        .page(Access::SignedIn, "/rooms/{room}/log", with(get(log)))
        .page(Access::SignedIn, "/rooms/{room}/files", with(get(files)))
        .page(
            Access::SignedIn,
            "/messages/{message}",
            with(get(permalink)),
        )
        .page(
            Access::SignedIn,
            "/messages/{message}/source",
            with(get(source)),
        )
        .page(
            Access::SignedIn,
            "/messages/{message}/edit",
            with(get(edit)),
        )
        .page(
            Access::SignedIn,
            "/messages/{message}/delete",
            with(get(delete)),
        )
}

#[derive(Deserialize)]
struct At {
    at: Option<MessageId>,
    before: Option<MessageId>,
    after: Option<MessageId>,
}

impl At {
    fn page_query(&self) -> PageQuery {
        match (self.at, self.before, self.after) {
            (Some(place), _, _) => PageQuery::Around(place),
            (_, Some(place), _) => PageQuery::Before(place),
            (_, _, Some(place)) => PageQuery::After(place),
            _ => PageQuery::Newest,
        }
    }
}

async fn room(
    State(chat): State<Chat>,
    viewer: Viewer,
    wants: Wants,
    Path(room): Path<RoomId>,
    Query(at): Query<At>,
    form: Form,
) -> Result<PageAnswer> {
    let deps = chat.community.dependencies(viewer.account);
    let page = room_page(&chat, &deps, &viewer, wants, room, at.page_query(), &form).await?;
    let is_plain_visit = at.page_query() == PageQuery::Newest && form.is_blank();
    Ok(if is_plain_visit {
        page.depends_on(&deps, viewer.account)
    } else {
        page
    })
}

async fn room_page(
    chat: &Chat,
    deps: &Dependencies,
    viewer: &Viewer,
    wants: Wants,
    room: RoomId,
    page_query: PageQuery,
    form: &Form,
) -> Result<PageAnswer> {
    let (account, lang) = (viewer.account, viewer.lang);
    deps.add("room", room.0);
    let room = chat
        .community
        .permit_in_room(account, Permission::Read, room)
        .await?;
    let typing = format!(
        "room/{0}/typing@{1}",
        room.id,
        chat.engine.live.cursor(&format!("room/{}/typing", room.id))
    );
    let read_to = store::read_mark(&chat.engine.db, account, room.id).await?;
    let newest = store::newest(&chat.engine.db, room.id).await?;
    let is_read = read_to.is_some_and(|read| Some(read) >= newest);
    let region = if page_query == PageQuery::Newest && (is_read || read_to.is_none()) {
        // Nothing is new, so everybody's log is the same.
        let key = PartKey {
            kind: "chat.log",
            id: room.id.0,
            lang,
        };
        let make = async |deps: &Dependencies| {
            deps.add("room", room.id.0);
            if let Some(space) = room.space {
                deps.add("space", space.0); // its emoji
            }
            Ok(Part::new(region(
                &chat.log(room.id, page_query, lang, account, None).await?,
                lang,
            )?))
        };
        chat.engine.part_cache.part(key, deps, make).await?
    } else {
        Part::for_one(region(
            &chat
                .log(room.id, page_query, lang, account, read_to)
                .await?,
            lang,
        )?)
    };
    // Opening a room's present is reading it; also without JavaScript.
    if let (PageQuery::Newest, false, Some(newest)) = (page_query, is_read, newest) {
        // Neither a full disk nor a long queue is a reason not to read; a mark that comes late is
        // kept all the same.
        if let Ok(Err(error)) = timeout(MARK_WITHIN, chat.mark_read(account, room.id, newest)).await
        {
            tracing::warn!(%error, "how far someone has read was not kept");
        }
    }
    let mut shell = chat
        .community
        .shell_from(deps, viewer, room.space, &format!("/rooms/{}", room.id))
        .await?;
    shell.parts.push(region.clone());
    let title = chat.community.room_title(account, &room).await?;
    let may_manage = chat
        .community
        .permit_in_room(account, Permission::ManageRooms, room.id)
        .await
        .is_ok();
    app_page!(
        wants,
        RoomPage {
            head: chat.community.head(viewer, title.clone()),
            shell,
            form: form.clone(),
            room: room.id,
            title,
            about: room.about.clone(),
            private: room.private && room.space.is_some(),
            direct: room.space.is_none(),
            archived: room.archived,
            may_manage,
            typing,
            seen: newest.map_or_else(|| "0".to_owned(), |newest| newest.to_string()),
            region,
        }
    )
}

fn region(log: &Log, lang: Lang) -> Result<String> {
    LogView { log, lang }
        .as_region()
        .render()
        .map_err(|error| Error::Internal(anyhow::Error::new(error)))
}

/// The log alone: read again after an absence, or its next page_query up or down.
async fn log(
    State(chat): State<Chat>,
    viewer: Viewer,
    Path(room): Path<RoomId>,
    Query(at): Query<At>,
) -> Result<Html> {
    let room = chat
        .community
        .permit_in_room(viewer.account, Permission::Read, room)
        .await?;
    let log: Log = chat
        .log(room.id, at.page_query(), viewer.lang, viewer.account, None)
        .await?;
    let view = LogView {
        log: &log,
        lang: viewer.lang,
    };
    let html = match at.page_query() {
        PageQuery::Before(_) => view.as_older().render(),
        PageQuery::After(_) => view.as_newer().render(),
        PageQuery::Newest | PageQuery::Around(_) => view.as_region().render(),
    };
    html.map(Html)
        .map_err(|error| Error::Internal(anyhow::Error::new(error)))
}

#[derive(Deserialize)]
struct Below {
    before: Option<FileId>,
}

/// The files of a room, newest first.
async fn files(
    State(chat): State<Chat>,
    viewer: Viewer,
    wants: Wants,
    Path(room): Path<RoomId>,
    Query(below): Query<Below>,
) -> Result<PageAnswer> {
    let room = chat
        .community
        .permit_in_room(viewer.account, Permission::Read, room)
        .await?;
    let files_page = chat.files_page(room.id, below.before).await?;
    let shell = chat
        .community
        .shell(&viewer, room.space, &format!("/rooms/{}", room.id))
        .await?;
    let name = chat.community.room_title(viewer.account, &room).await?;
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
    let (message, _) = readable(&chat, &viewer, id, Permission::Read).await?;
    Ok(Redirect::to(&format!(
        "/rooms/{}?at={id}#m-{id}",
        message.room
    )))
}

/// A message as written, for editing in place.
async fn source(
    State(chat): State<Chat>,
    viewer: Viewer,
    Path(id): Path<MessageId>,
) -> Result<Response> {
    let (message, _) = own(&chat, &viewer, id).await?;
    Ok(message.into_response())
}

async fn own(
    chat: &Chat,
    viewer: &Viewer,
    id: MessageId,
) -> Result<(String, super::model::Message)> {
    let (message, _) = readable(chat, viewer, id, Permission::Read).await?;
    if message.author != viewer.account {
        return Err(Error::Forbidden("error-not-your-message"));
    }
    if message.is_deleted() {
        return Err(Error::Conflict("error-message-deleted"));
    }
    Ok((message.body.clone(), message))
}

async fn edit(
    State(chat): State<Chat>,
    viewer: Viewer,
    wants: Wants,
    Path(id): Path<MessageId>,
    form: Form,
) -> Result<PageAnswer> {
    let (_, message) = own(&chat, &viewer, id).await?;
    change(&chat, viewer, wants, message, form, false).await
}

async fn delete(
    State(chat): State<Chat>,
    viewer: Viewer,
    wants: Wants,
    Path(id): Path<MessageId>,
    form: Form,
) -> Result<PageAnswer> {
    let (message, room) = readable(&chat, &viewer, id, Permission::Read).await?;
    if message.author != viewer.account {
        chat.community
            .permit_in_room(viewer.account, Permission::Moderate, room.id)
            .await?;
    }
    change(&chat, viewer, wants, message, form, true).await
}

async fn change(
    chat: &Chat,
    viewer: Viewer,
    wants: Wants,
    message: super::model::Message,
    form: Form,
    delete: bool,
) -> Result<PageAnswer> {
    let room = chat
        .community
        .permit_in_room(viewer.account, Permission::Read, message.room)
        .await?;
    let shell = chat
        .community
        .shell(&viewer, room.space, &format!("/rooms/{}", room.id))
        .await?;
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
