//! How a space is joined, its rules and its welcome, as its settings; and the applications to join
//! it.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::invite_pages::request_origin;
use super::join_requests::{JOIN_REQUESTS_FEED, JoinRequest, JoinRequestId, MAX_ON_PAGE};
use super::joining::{JoinMode, JoinSettings};
use super::permissions::{APPROVE, MANAGE_SPACE};
use super::shell::{Layout, Shell};
use super::space_rules::Welcome;
use super::space_tabs::Tab;
use super::{Community, Room, Scope};
use crate::base::error::Result;
use crate::base::ids::SpaceId;
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module, SpaceTab};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, Html, PageAnswer, Wants, app_page};

type Here = State<Community>;

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .space_tab(SpaceTab {
            path: "/spaces/{space}/joining",
            label: "joining-title",
            permission: Some(&MANAGE_SPACE),
        })
        .space_tab(SpaceTab {
            path: "/spaces/{space}/applications",
            label: "applications-title",
            permission: Some(&APPROVE),
        })
        .page(Audience::SignedIn, "/spaces/{space}/joining", get(joining))
        .page(
            Audience::SignedIn,
            "/spaces/{space}/applications",
            get(applications),
        )
}

#[derive(Template)]
#[template(path = "community/joining.html", blocks = ["app"])]
struct JoiningPage {
    head: Head,
    shell: Shell,
    tabs: Vec<Tab>,
    form: Form,
    space: SpaceId,
    settings: JoinSettings,
    is_registration_open: bool,
    rules: String,
    welcome: Welcome,
    /// The open rooms, which the welcome may point to.
    rooms: Vec<Room>,
    /// The link for who has the password, or who is passed on where to join.
    link: String,
}

impl JoiningPage {
    /// The modes, each with the keys of its words, and whether it is chosen.
    fn modes(&self) -> Vec<(&'static str, String, String, bool)> {
        let form = self.form.of("community.set-joining");
        let chosen = form.or("mode", self.settings.mode.as_str()).to_owned();
        let modes = JoinMode::ALL.into_iter().map(JoinMode::as_str);
        let words = modes.map(|mode| {
            let (label, hint) = (format!("mode-{mode}"), format!("mode-{mode}-hint"));
            (mode, label, hint, mode == chosen)
        });
        words.collect()
    }

    fn is_without_invitation(&self) -> bool {
        self.settings.mode != JoinMode::Invitation
    }

    fn points_to(&self, room: &Room) -> bool {
        self.welcome.rooms.contains(&room.id)
    }
}

/// `GET /spaces/{space}/joining`.
async fn joining(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    headers: HeaderMap,
    Path(space): Path<SpaceId>,
    form: Form,
) -> Result<PageAnswer> {
    let account = viewer.account;
    let settings = community.join_settings(account, space).await?;
    let (rules, _) = community.rules_of(account, space).await?;
    let deps = community.dependencies(account);
    let rooms = community.rooms.open_in(&deps, account, space).await?;
    let rooms = rooms.iter().filter(|room| !room.rules.private).cloned();
    let here = format!("/spaces/{space}/joining");
    let shell = layout.shell(&viewer, Some(space), &here).await?;
    let held = community.access.held(account, Scope::Space(space)).await?;
    let origin = request_origin(&community, &headers);
    app_page!(
        wants,
        JoiningPage {
            head: community.head(&viewer, viewer.lang.t("joining-title")),
            shell,
            tabs: community.space_tabs(held, space, &here)?,
            form,
            space,
            settings,
            is_registration_open: community.is_registration_open().await?,
            rules,
            welcome: community.welcome_of(account, space).await?,
            rooms: rooms.collect(),
            link: format!("{origin}/spaces/{space}/join"),
        }
    )
}

#[derive(Template)]
#[template(path = "community/applications.html", blocks = ["app", "region"])]
struct ApplicationsPage {
    head: Head,
    shell: Shell,
    tabs: Vec<Tab>,
    form: Form,
    feed: String,
    space: SpaceId,
    requests: Vec<JoinRequest>,
    /// How many wait in all.
    count: i64,
    /// What the page begins after; empty: the first one.
    after: String,
    next: Option<JoinRequestId>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ApplicationsQuery {
    after: Option<JoinRequestId>,
    /// Present when a client refetches the list alone.
    list: Option<String>,
}

/// `GET /spaces/{space}/applications?after=…`.
#[allow(clippy::too_many_arguments, reason = "axum extractors")]
async fn applications(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(space): Path<SpaceId>,
    Query(query): Query<ApplicationsQuery>,
    form: Form,
) -> Result<Response> {
    let scope = Scope::Space(space);
    let access = &community.access;
    access.permit(viewer.account, &APPROVE, scope).await?;
    // Taken before reading the list: later changes arrive as frames.
    let live = &community.engine().live;
    let feed = JOIN_REQUESTS_FEED.position(space, live).await?;
    let requests = community.join_requests(viewer.account, space, query.after);
    let (requests, count) = requests.await?;
    let here = format!("/spaces/{space}/applications");
    let shell = layout.shell(&viewer, Some(space), &here).await?;
    let held = access.held(viewer.account, scope).await?;
    let is_full = i64::try_from(requests.len()).is_ok_and(|found| found == MAX_ON_PAGE);
    let page = ApplicationsPage {
        head: community.head(&viewer, viewer.lang.t("applications-title")),
        shell,
        tabs: community.space_tabs(held, space, &here)?,
        form,
        feed,
        space,
        next: requests.last().filter(|_| is_full).map(|last| last.id),
        requests,
        count,
        after: query.after.map(|id| id.to_string()).unwrap_or_default(),
    };
    if query.list.is_some() {
        return Ok(Html::of(&page.as_region())?.into_response());
    }
    let page: Result<PageAnswer> = app_page!(wants, page);
    Ok(page?.into_response())
}
