//! The pages of terminals: those of a room, one of them, and its screen as text.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::core::{Frame, Size, Terminal};
use super::model::{TerminalId, TerminalRow};
use super::open::{Begin, Who};
use super::search::query_of;
use super::topics::RoomTerminals;
use super::views::{RegionView, RoomPage, TerminalPage, TextPage, ToolView, rendered};
use super::watching::ToWatcher;
use super::{
    LINK, SCREENS_FEED, SHARE, SHELL, TERMINALS_FEED, Terminals, VIEW, guest_pages, link_pages,
    operate_page, recording_pages, sharing, token_pages, watching,
};
use crate::base::error::{Error, Result};
use crate::base::ids::RoomId;
use crate::community::Layout;
use crate::community::permissions::is_granted;
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Viewer;
use crate::engine::web::{Html, PageAnswer, Wants, app_page};

/// For the screen of a terminal that another instance has.
pub(super) const SCREEN_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(3);

pub(super) fn declare(module: Module<Terminals>) -> Module<Terminals> {
    let module = module
        .page(Audience::Anyone, "/terminals/share", get(sharing::share))
        .page(Audience::SignedIn, "/rooms/{room}/terminals", get(room))
        .page(
            Audience::SignedIn,
            "/rooms/{room}/terminals/strip",
            get(strip),
        )
        .page(
            Audience::SignedIn,
            "/rooms/{room}/terminals/list",
            get(list),
        )
        .page(
            Audience::SignedIn,
            "/rooms/{room}/terminals/{terminal}",
            get(terminal),
        )
        .page(
            Audience::SignedIn,
            "/rooms/{room}/terminals/{terminal}/about",
            get(about),
        )
        .page(
            Audience::SignedIn,
            "/rooms/{room}/terminals/{terminal}/people",
            get(people),
        )
        .page(
            Audience::SignedIn,
            "/rooms/{room}/terminals/{terminal}/text",
            get(text),
        )
        .page(
            Audience::SignedIn,
            "/rooms/{room}/terminals/{terminal}/watch",
            get(watching::watch),
        );
    let module = link_pages::declare(guest_pages::declare(module));
    operate_page::declare(recording_pages::declare(token_pages::declare(module)))
}

/// Above the log of a room: which terminals are open.
pub(super) async fn above_page(
    terminals: Terminals,
    viewer: Viewer,
    room: RoomId,
    deps: Dependencies,
) -> Result<Option<String>> {
    let access = &terminals.community.access;
    match access.permit_in_room(viewer.account, &VIEW, room).await {
        Ok(_) => {}
        Err(error) if error.is_passing() => return Err(error),
        // The page itself says so.
        Err(_) => return Ok(None),
    }
    deps.add(RoomTerminals(room.0));
    terminals.strip_region(&viewer, room).await.map(Some)
}

impl Terminals {
    async fn strip_region(&self, viewer: &Viewer, room: RoomId) -> Result<String> {
        // Taken before reading: later changes arrive as frames.
        let feeds = TERMINALS_FEED.position(room, &self.engine.live).await?;
        let shown = self.shown(room).await?;
        let strip = rendered(&shown.strip(viewer.lang))?;
        rendered(&RegionView {
            id: format!("terminals-above-{room}"),
            feeds,
            refresh: format!("/rooms/{room}/terminals/strip"),
            html: format!(
                "<ul class=\"terminals-strip\" id=\"terminals-strip-{room}\">{strip}</ul>"
            ),
        })
    }

    async fn list_region(&self, viewer: &Viewer, room: RoomId) -> Result<String> {
        let live = &self.engine.live;
        let feeds = format!(
            "{} {}",
            TERMINALS_FEED.position(room, live).await?,
            SCREENS_FEED.position(room, live).await?
        );
        let shown = self.shown(room).await?;
        let list = rendered(&shown.list(viewer.lang))?;
        rendered(&RegionView {
            id: format!("terminals-region-{room}"),
            feeds,
            refresh: format!("/rooms/{room}/terminals/list"),
            html: format!("<ul class=\"terminal-list\" id=\"terminals-list-{room}\">{list}</ul>"),
        })
    }

    /// Where the program is, and what it takes.
    async fn about_region(&self, viewer: &Viewer, row: &TerminalRow) -> Result<String> {
        let (room, id) = (row.room, row.id);
        let feeds = TERMINALS_FEED.position(room, &self.engine.live).await?;
        let shown = self.shown_one(row.clone()).await?;
        let about = rendered(&shown.about_view(viewer.lang))?;
        rendered(&RegionView {
            id: format!("terminal-about-region-{id}"),
            feeds,
            refresh: format!("/rooms/{room}/terminals/{id}/about"),
            html: format!("<p class=\"terminal-about\" id=\"terminal-about-{id}\">{about}</p>"),
        })
    }

    async fn people_region(&self, viewer: &Viewer, room: RoomId, id: TerminalId) -> Result<String> {
        let feeds = TERMINALS_FEED.position(room, &self.engine.live).await?;
        let people = self.people(id).await?.ok_or(Error::NotFound)?;
        let (html, host) = (rendered(&people.view(viewer.lang))?, people.row.host);
        rendered(&RegionView {
            id: format!("terminal-people-region-{id}"),
            feeds,
            refresh: format!("/rooms/{room}/terminals/{id}/people"),
            html: format!(
                "<div class=\"terminal-people\" id=\"terminal-people-{id}\" \
                data-host=\"{host}\">{html}</div>"
            ),
        })
    }
}

/// Among the tools of a room: the link to its terminals.
pub(super) async fn tool(
    terminals: Terminals,
    viewer: Viewer,
    room: RoomId,
    _: Dependencies,
) -> Result<Option<String>> {
    if !terminals.engine.settings.terminals {
        return Ok(None);
    }
    let access = &terminals.community.access;
    match access.permit_in_room(viewer.account, &VIEW, room).await {
        Ok(found) if found.parent.is_none() => {}
        Err(error) if error.is_passing() => return Err(error),
        _ => return Ok(None),
    }
    let lang = viewer.lang;
    rendered(&ToolView { room, lang }).map(Some)
}

async fn strip(
    State(terminals): State<Terminals>,
    viewer: Viewer,
    Path(room): Path<RoomId>,
) -> Result<Response> {
    let access = &terminals.community.access;
    access.permit_in_room(viewer.account, &VIEW, room).await?;
    Ok(Html(terminals.strip_region(&viewer, room).await?).into_response())
}

async fn list(
    State(terminals): State<Terminals>,
    viewer: Viewer,
    Path(room): Path<RoomId>,
) -> Result<Response> {
    let access = &terminals.community.access;
    access.permit_in_room(viewer.account, &VIEW, room).await?;
    Ok(Html(terminals.list_region(&viewer, room).await?).into_response())
}

async fn room(
    State(terminals): State<Terminals>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
    Path(room): Path<RoomId>,
) -> Result<PageAnswer> {
    let community = &terminals.community;
    let access = &community.access;
    let found = access.permit_in_room(viewer.account, &VIEW, room).await?;
    let list = terminals.list_region(&viewer, room).await?;
    let here = format!("/rooms/{room}");
    let mut shell = layout.shell(&viewer, found.space, &here).await?;
    shell.above.clear();
    let command = match access.permit_in_room(viewer.account, &SHARE, room).await {
        Ok(_) if terminals.engine.settings.terminals => {
            let origin = community.public_origin().await?;
            Some(format!("tidepool share --room {origin}/rooms/{room}"))
        }
        Err(error) if error.is_passing() => return Err(error),
        _ => None,
    };
    let has_shells = terminals.has_shells()
        && is_granted(access.permit_in_room(viewer.account, &SHELL, room).await)?;
    app_page!(
        wants,
        RoomPage {
            head: community.head(&viewer, viewer.lang.t("terminals-title")),
            shell,
            room,
            room_title: community.rooms.title(viewer.account, &found).await?,
            list,
            command,
            form,
            has_shells,
        }
    )
}

type Place = Path<(RoomId, TerminalId)>;

async fn terminal(
    State(terminals): State<Terminals>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
    Path((room, id)): Place,
) -> Result<PageAnswer> {
    let row = terminals.find(&viewer, room, id).await?;
    let community = &terminals.community;
    let access = &community.access;
    let found = access.permit_in_room(viewer.account, &VIEW, room).await?;
    let people = terminals.people_region(&viewer, room, id).await?;
    let here = format!("/rooms/{room}");
    let mut shell = layout.shell(&viewer, found.space, &here).await?;
    shell.above.clear();
    let title = row.title.clone();
    app_page!(
        wants,
        TerminalPage {
            head: community.head(&viewer, title),
            shell,
            form,
            room,
            about: terminals.about_region(&viewer, &row).await?,
            people,
            has_recording: row.recorded && row.ended_at.is_some(),
            has_links: row.host == viewer.account
                && is_granted(access.permit_in_room(viewer.account, &LINK, room).await)?,
            terminal: terminals.shown_one(row).await?,
        }
    )
}

async fn about(
    State(terminals): State<Terminals>,
    viewer: Viewer,
    Path((room, id)): Place,
) -> Result<Response> {
    let row = terminals.find(&viewer, room, id).await?;
    let about = terminals.about_region(&viewer, &row).await?;
    Ok(Html(about).into_response())
}

async fn people(
    State(terminals): State<Terminals>,
    viewer: Viewer,
    Path((room, id)): Place,
) -> Result<Response> {
    terminals.find(&viewer, room, id).await?;
    let people = terminals.people_region(&viewer, room, id).await?;
    Ok(Html(people).into_response())
}

#[derive(Deserialize)]
struct TextQuery {
    /// What is searched.
    #[serde(default)]
    q: String,
}

async fn text(
    State(terminals): State<Terminals>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path((room, id)): Place,
    Query(TextQuery { q }): Query<TextQuery>,
) -> Result<PageAnswer> {
    let row = terminals.find(&viewer, room, id).await?;
    let access = &terminals.community.access;
    let found = access.permit_in_room(viewer.account, &VIEW, room).await?;
    let here = format!("/rooms/{room}");
    let mut shell = layout.shell(&viewer, found.space, &here).await?;
    shell.above.clear();
    let head = terminals.community.head(&viewer, row.title.clone());
    let query = query_of(&q);
    let found = match &query {
        Some(query) => {
            let searching = terminals.search(viewer.clone(), &row, query);
            let found = tokio::time::timeout(SCREEN_TIMEOUT, searching).await;
            found.unwrap_or(Ok(None))?
        }
        None => None,
    };
    let screen = terminals.screen_text(Who::Member(viewer), &row);
    let screen = tokio::time::timeout(SCREEN_TIMEOUT, screen).await;
    app_page!(
        wants,
        TextPage {
            head,
            shell,
            room,
            terminal: id,
            text: screen.unwrap_or_default(),
            query: query.unwrap_or_default(),
            found,
        }
    )
}

impl Terminals {
    /// The screen of a terminal as text, as somebody who begins to watch gets it.
    pub(super) async fn screen_text(&self, who: Who, row: &TerminalRow) -> Option<String> {
        let (_incoming, mut outgoing) = self.open_link(row, who, Begin::Screen).await.ok()?;
        while let Some(message) = outgoing.recv().await {
            let ToWatcher::Frame(bytes) = message else {
                continue;
            };
            let frame = Frame::decode(&bytes).ok()?;
            let mut screen = Terminal::new(Size::new(80, 24));
            screen.apply(&frame).ok()?;
            return Some(screen.text());
        }
        None
    }
}
