//! The page of a space's rooms: their order, and the categories they are listed under.

use askama::Template;
use axum::extract::{Path, State};
use axum::routing::get;

use super::permissions::MANAGE_ROOMS;
use super::room_category::Category;
use super::shell::{Layout, Shell};
use super::space_tabs::Tab;
use super::{Community, Room, Scope};
use crate::base::error::Result;
use crate::base::ids::SpaceId;
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module, SpaceTab};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    let tab = SpaceTab {
        path: "/spaces/{space}/rooms",
        label: "rooms-heading",
        permission: Some(&MANAGE_ROOMS),
    };
    module.space_tab(tab).page(
        Audience::SignedIn,
        "/spaces/{space}/rooms",
        get(space_rooms),
    )
}

/// The rooms under a category; under none when it is `None`.
pub(super) struct Group {
    pub(super) category: Option<Category>,
    pub(super) rooms: Vec<Room>,
}

#[derive(Template)]
#[template(path = "community/space_rooms.html", blocks = ["app"])]
pub(super) struct SpaceRoomsPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    pub(super) form: Form,
    pub(super) space: SpaceId,
    pub(super) groups: Vec<Group>,
    pub(super) categories: Vec<Category>,
    /// Those that can be brought back.
    pub(super) deleted: Vec<Room>,
}

impl SpaceRoomsPage {
    /// Whether a room is listed under a category.
    pub(super) fn is_under(&self, room: &Room, category: &Category) -> bool {
        room.category == Some(category.id)
    }
}

/// `GET /spaces/{space}/rooms`.
async fn space_rooms(
    State(community): State<Community>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(space): Path<SpaceId>,
    form: Form,
) -> Result<PageAnswer> {
    let (access, by) = (&community.access, viewer.account);
    access
        .permit(by, &MANAGE_ROOMS, Scope::Space(space))
        .await?;
    let here = format!("/spaces/{space}/rooms");
    let shell = layout.shell(&viewer, Some(space), &here).await?;
    let held = access.held(by, Scope::Space(space)).await?;
    let deps = community.dependencies(by);
    let rooms = community.rooms.open_in(&deps, by, space).await?;
    let categories = community.rooms.categories(&deps, space).await?;
    let group = |category: Option<&Category>| {
        let id = category.map(|one| one.id);
        let inside = rooms.iter().filter(|room| room.category == id);
        Group {
            category: category.cloned(),
            rooms: inside.cloned().collect(),
        }
    };
    let groups = std::iter::once(None).chain(categories.iter().map(Some));
    app_page!(
        wants,
        SpaceRoomsPage {
            head: community.head(&viewer, viewer.lang.t("rooms-heading")),
            shell,
            tabs: community.space_tabs(held, space, &here)?,
            form,
            space,
            groups: groups.map(group).collect(),
            categories: categories.to_vec(),
            deleted: community.rooms.restorable(by, space).await?,
        }
    )
}
