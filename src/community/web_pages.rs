//! The page where the owners of a space choose what people without an account read.

use askama::Template;
use axum::extract::{Path, State};
use axum::routing::get;

use super::permissions::MANAGE_SPACE;
use super::shell::{Layout, Shell};
use super::space_tabs::Tab;
use super::{Community, Room, Scope};
use crate::base::error::{Error, Result};
use crate::base::ids::SpaceId;
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module, SpaceTab};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    let tab = SpaceTab {
        path: "/spaces/{space}/web",
        label: "web-title",
        permission: Some(&MANAGE_SPACE),
    };
    let page = get(web_settings);
    module
        .space_tab(tab)
        .page(Audience::SignedIn, "/spaces/{space}/web", page)
}

#[derive(Template)]
#[template(path = "community/web_settings.html", blocks = ["app"])]
struct WebSettingsPage {
    head: Head,
    shell: Shell,
    tabs: Vec<Tab>,
    form: Form,
    space: SpaceId,
    is_owner: bool,
    is_on: bool,
    is_indexed: bool,
    /// The rooms that every member reads.
    rooms: Vec<Room>,
}

/// `GET /spaces/{space}/web`.
async fn web_settings(
    State(community): State<Community>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(space): Path<SpaceId>,
    form: Form,
) -> Result<PageAnswer> {
    let (access, by, scope) = (&community.access, viewer.account, Scope::Space(space));
    access.permit(by, &MANAGE_SPACE, scope).await?;
    let member = access.member(by, space).await?.ok_or(Error::NotFound)?;
    let here = format!("/spaces/{space}/web");
    let shell = layout.shell(&viewer, Some(space), &here).await?;
    let held = access.held(by, scope).await?;
    let deps = community.dependencies(by);
    let (is_on, is_indexed) = community.spaces.web_settings(space).await?;
    let mut rooms = Vec::new();
    for room in community.rooms.open_in(&deps, by, space).await?.iter() {
        if !room.is_forum() && access.is_open(room, space).await? {
            rooms.push(room.clone());
        }
    }
    let chosen = community.spaces.web_chosen(space).await?;
    for room in &mut rooms {
        room.on_web = chosen.contains(&room.id);
    }
    app_page!(
        wants,
        WebSettingsPage {
            head: community.head(&viewer, viewer.lang.t("web-title")),
            shell,
            tabs: community.space_tabs(held, space, &here)?,
            form,
            space,
            is_owner: member.is_owner,
            is_on,
            is_indexed,
            rooms,
        }
    )
}
