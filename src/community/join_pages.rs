//! The spaces that one can join without an invitation, and the page that one joins such a space on.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;

use super::join_requests::OwnRequest;
use super::joining::{JoinMode, JoinableSpace};
use super::shell::{Layout, Shell};
use super::{ACCOUNT_FEED, Community, names};
use crate::base::error::Result;
use crate::base::ids::SpaceId;
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, Html, PageAnswer, Wants, app_page};

type Here = State<Community>;

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .page(Audience::SignedIn, "/spaces/open", get(spaces))
        .page(Audience::SignedIn, "/spaces/{space}/join", get(join))
}

#[derive(Template)]
#[template(path = "community/joinable_spaces.html", blocks = ["app"])]
struct SpacesPage {
    head: Head,
    shell: Shell,
    spaces: Vec<JoinableSpace>,
}

impl SpacesPage {
    fn initials(&self, space: &JoinableSpace) -> String {
        names::initials(&space.name)
    }

    /// What is said of a space, and its button.
    fn words(&self, space: &JoinableSpace) -> (&str, &str) {
        let lang = &self.head.lang;
        match (space.mode, space.is_waiting) {
            (_, true) => (lang.t("join-waiting"), lang.t("action-view")),
            (JoinMode::Approval, _) => (lang.t("join-by-approval"), lang.t("join-apply")),
            _ => (lang.t("join-by-anybody"), lang.t("join-title")),
        }
    }
}

/// `GET /spaces`.
async fn spaces(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
) -> Result<PageAnswer> {
    let spaces = community.joinable(viewer.account).await?;
    let shell = layout.shell(&viewer, None, "/spaces/open").await?;
    app_page!(
        wants,
        SpacesPage {
            head: community.head(&viewer, viewer.lang.t("open-spaces-title")),
            shell,
            spaces,
        }
    )
}

#[derive(Template)]
#[template(path = "community/join_space.html", blocks = ["app", "region"])]
struct JoinSpacePage {
    head: Head,
    shell: Shell,
    form: Form,
    feed: String,
    space: SpaceId,
    /// Where the viewer goes who is a member by now.
    entry: Option<String>,
    mode: JoinMode,
    request: Option<OwnRequest>,
}

impl JoinSpacePage {
    fn is_open(&self) -> bool {
        self.mode == JoinMode::Open
    }

    fn may_apply(&self) -> bool {
        self.request
            .as_ref()
            .is_none_or(OwnRequest::may_apply_again)
    }

    fn needs_password(&self) -> bool {
        self.mode == JoinMode::Password
    }
}

#[derive(Deserialize, Default)]
struct JoinQuery {
    /// Present when a client refetches the state alone.
    state: Option<String>,
}

/// `GET /spaces/{space}/join`: leads members in.
async fn join(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(space): Path<SpaceId>,
    Query(query): Query<JoinQuery>,
    form: Form,
) -> Result<Response> {
    let account = viewer.account;
    // Taken before reading: an answer that comes later arrives as a frame.
    let live = &community.engine().live;
    let feed = ACCOUNT_FEED.position(account, live).await?;
    let is_member = community.access.member(account, space).await?.is_some();
    let entry = match is_member {
        true => Some(community.first_page(account, space).await?),
        false => None,
    };
    if let Some(entry) = entry.as_ref().filter(|_| query.state.is_none()) {
        return Ok(Redirect::to(entry).into_response());
    }
    if !is_member && let Some(page) = community.sanctions.ban_page(account, space).await? {
        return Ok(Redirect::to(&page).into_response());
    }
    let request = match is_member {
        true => None,
        false => community.own_request(account, space).await?,
    };
    let (title, mode) = match is_member {
        true => (String::new(), JoinMode::Open),
        false => {
            let (name, mode) = community.join_mode(space).await?;
            let name = name.as_str().into();
            // Whoever guesses at the address of a space with a password does not learn its name.
            let title = match mode {
                JoinMode::Password => viewer.lang.t("join-with-password").to_owned(),
                _ => viewer.lang.with("join-button", &[("space", name)]),
            };
            (title, mode)
        }
    };
    let here = format!("/spaces/{space}/join");
    let page = JoinSpacePage {
        head: community.head(&viewer, title),
        shell: layout.shell(&viewer, None, &here).await?,
        form,
        feed,
        space,
        entry,
        mode,
        request,
    };
    if query.state.is_some() {
        return Ok(Html::of(&page.as_region())?.into_response());
    }
    let page: Result<PageAnswer> = app_page!(wants, page);
    Ok(page?.into_response())
}
