//! The list of a space's bans, and what somebody sees who may not read a room or space any more.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;

use super::bans::{Ban, BanId, MAX_ON_PAGE, Removal};
use super::permissions::{BAN, READ, is_granted};
use super::shell::{Layout, Shell};
use super::space_deletion::DeletedSpace;
use super::space_tabs::Tab;
use super::{Community, Scope};
use crate::base::clock::Micros;
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
    why: Why,
}

/// Why something is not open any more.
enum Why {
    /// Nobody removed the viewer, or there was nothing.
    Unknown,
    Removed(Removal),
    SpaceDeleted(DeletedSpace),
    /// What it is called, and until when it can be brought back.
    RoomDeleted(String, Micros),
}

impl From<Option<Removal>> for Why {
    fn from(removal: Option<Removal>) -> Self {
        removal.map_or(Self::Unknown, Self::Removed)
    }
}

impl ClosedPage {
    /// What happened, in a sentence.
    fn title(&self) -> String {
        let (key, name) = match &self.why {
            Why::Removed(removal) => match removal.is_ban {
                true => ("closed-banned", &removal.space),
                false => ("closed-removed", &removal.space),
            },
            Why::SpaceDeleted(space) => ("closed-space-deleted", &space.name),
            Why::RoomDeleted(name, _) => ("closed-room-deleted", name),
            Why::Unknown => return self.head.lang.t("closed-title").to_owned(),
        };
        self.head.lang.with(key, &[("space", name.as_str().into())])
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
    let deletion = community.spaces.deletion(viewer.account, space).await?;
    if let Some(space) = deletion {
        return closed(&community, &viewer, Why::SpaceDeleted(space));
    }
    let removal = community.sanctions.removal(viewer.account, space).await?;
    closed(&community, &viewer, removal.into())
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
    let found = community
        .access
        .room_even_deleted(viewer.account, room)
        .await?;
    if let Some((found, _)) = found {
        let spaces = &community.spaces;
        let deletion = match found.space {
            Some(space) => spaces.deletion(viewer.account, space).await?,
            None => None,
        };
        let of_room = found.restorable_until();
        let of_room = of_room.map(|until| Why::RoomDeleted(found.name, until));
        if let Some(why) = deletion.map(Why::SpaceDeleted).or(of_room) {
            return closed(&community, &viewer, why);
        }
    }
    let sanctions = &community.sanctions;
    let removal = sanctions.removal_of_room(viewer.account, room).await?;
    closed(&community, &viewer, removal.into())
}

fn closed(community: &Community, viewer: &Viewer, why: Why) -> Result<Response> {
    let head = community.head(viewer, viewer.lang.t("closed-title"));
    Ok(Html::of(&ClosedPage { head, why })?.into_response())
}
