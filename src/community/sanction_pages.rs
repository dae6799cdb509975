//! The list of a space's bans, and what somebody sees who may not read a room or space any more.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;

use super::bans::{Ban, BanId, MAX_ON_PAGE, Removal};
use super::permissions::{BAN, READ, is_granted};
use super::shell::{Layout, Shell};
use super::space_tabs::Tab;
use super::{Community, Scope};
use crate::base::error::Result;
use crate::base::ids::{RoomId, SpaceId};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module, SpaceTab};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, Html, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .space_tab(SpaceTab {
            path: "/spaces/{space}/bans",
            label: "bans-title",
            permission: Some(&BAN),
        })
        .page(Audience::SignedIn, "/spaces/{space}/bans", get(bans))
        .page(
            Audience::SignedIn,
            "/spaces/{space}/closed",
            get(space_closed),
        )
        .page(Audience::SignedIn, "/rooms/{room}/closed", get(room_closed))
}

#[derive(Template)]
#[template(path = "community/bans.html", blocks = ["app"])]
struct BansPage {
    head: Head,
    shell: Shell,
    tabs: Vec<Tab>,
    form: Form,
    space: SpaceId,
    bans: Vec<Ban>,
    /// What the next page ends before.
    next: Option<BanId>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct BansQuery {
    before: Option<BanId>,
}

/// `GET /spaces/{space}/bans?before=…`.
async fn bans(
    State(community): State<Community>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(space): Path<SpaceId>,
    Query(query): Query<BansQuery>,
    form: Form,
) -> Result<PageAnswer> {
    let sanctions = &community.sanctions;
    let bans = sanctions.bans(viewer.account, space, query.before).await?;
    let here = format!("/spaces/{space}/bans");
    let shell = layout.shell(&viewer, Some(space), &here).await?;
    let scope = Scope::Space(space);
    let held = community.access.held(viewer.account, scope).await?;
    let is_full = i64::try_from(bans.len()).is_ok_and(|count| count == MAX_ON_PAGE);
    app_page!(
        wants,
        BansPage {
            head: community.head(&viewer, viewer.lang.t("bans-title")),
            shell,
            tabs: community.space_tabs(held, space, &here)?,
            form,
            space,
            next: bans.last().filter(|_| is_full).map(|last| last.id),
            bans,
        }
    )
}

#[derive(Template)]
#[template(path = "community/closed.html")]
struct ClosedPage {
    head: Head,
    /// `None`: nobody removed the viewer, or there was nothing.
    removal: Option<Removal>,
}

impl ClosedPage {
    /// What happened, in a sentence.
    fn title(&self) -> String {
        match &self.removal {
            Some(removal) => {
                let key = match removal.is_ban {
                    true => "closed-banned",
                    false => "closed-removed",
                };
                let space = removal.space.as_str().into();
                self.head.lang.with(key, &[("space", space)])
            }
            None => self.head.lang.t("closed-title").to_owned(),
        }
    }
}

/// `GET /spaces/{space}/closed`: a page that has lost its feeds comes here. It tells nothing about
/// a space that the viewer was not removed from.
async fn space_closed(
    State(community): State<Community>,
    viewer: Viewer,
    Path(space): Path<SpaceId>,
) -> Result<Response> {
    let scope = Scope::Space(space);
    if is_granted(community.access.permit(viewer.account, &READ, scope).await)? {
        return Ok(Redirect::to(&format!("/spaces/{space}")).into_response());
    }
    let removal = community.sanctions.removal(viewer.account, space).await?;
    closed(&community, &viewer, removal)
}

/// `GET /rooms/{room}/closed`: as [`space_closed`], for a room.
async fn room_closed(
    State(community): State<Community>,
    viewer: Viewer,
    Path(room): Path<RoomId>,
) -> Result<Response> {
    let scope = Scope::Room(room);
    if is_granted(community.access.permit(viewer.account, &READ, scope).await)? {
        return Ok(Redirect::to(&format!("/rooms/{room}")).into_response());
    }
    let sanctions = &community.sanctions;
    let removal = sanctions.removal_of_room(viewer.account, room).await?;
    closed(&community, &viewer, removal)
}

fn closed(community: &Community, viewer: &Viewer, removal: Option<Removal>) -> Result<Response> {
    let head = community.head(viewer, viewer.lang.t("closed-title"));
    Ok(Html::of(&ClosedPage { head, removal })?.into_response())
}
