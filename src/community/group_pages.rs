//! The pages of a space's groups.

use askama::Template;
use axum::extract::{Path, State};
use axum::routing::get;

use super::permissions::{MANAGE_ROLES, READ};
use super::shell::{Layout, Shell};
use super::space_tabs::Tab;
use super::{Community, Group, GroupId, Person, Scope};
use crate::base::error::{Error, Result};
use crate::base::ids::SpaceId;
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module, SpaceTab};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .space_tab(SpaceTab {
            path: "/spaces/{space}/groups",
            label: "groups-title",
            permission: None,
        })
        .page(Audience::SignedIn, "/spaces/{space}/groups", get(groups))
        .page(
            Audience::SignedIn,
            "/spaces/{space}/groups/{group}",
            get(group),
        )
}

#[derive(Template)]
#[template(path = "community/groups.html", blocks = ["app"])]
struct GroupsPage {
    head: Head,
    shell: Shell,
    tabs: Vec<Tab>,
    form: Form,
    space: SpaceId,
    manages: bool,
    groups: Vec<Group>,
    /// What the switch of a new group says at first.
    yes: bool,
}

#[derive(Template)]
#[template(path = "community/group.html", blocks = ["app"])]
struct GroupPage {
    head: Head,
    shell: Shell,
    tabs: Vec<Tab>,
    form: Form,
    space: SpaceId,
    manages: bool,
    group: Group,
    members: Vec<Person>,
}

/// `GET /spaces/{space}/groups`: the groups, for every member.
async fn groups(
    State(community): State<Community>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(space): Path<SpaceId>,
    form: Form,
) -> Result<PageAnswer> {
    let account = viewer.account;
    let groups = community.groups.list(account, space).await?;
    let here = format!("/spaces/{space}/groups");
    let shell = layout.shell(&viewer, Some(space), &here).await?;
    let held = community.access.held(account, Scope::Space(space)).await?;
    app_page!(
        wants,
        GroupsPage {
            head: community.head(&viewer, viewer.lang.t("groups-title")),
            shell,
            tabs: community.space_tabs(held, space, &here)?,
            form,
            space,
            manages: held.contains(community.access.declared.only(&MANAGE_ROLES)?),
            groups,
            yes: true,
        }
    )
}

/// `GET /spaces/{space}/groups/{group}`: who is in a group, for every member; its form for those
/// who manage it.
async fn group(
    State(community): State<Community>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path((space, group)): Path<(SpaceId, GroupId)>,
    form: Form,
) -> Result<PageAnswer> {
    let (account, scope) = (viewer.account, Scope::Space(space));
    community.access.permit(account, &READ, scope).await?;
    let groups = community.groups.list(account, space).await?;
    let found = groups.into_iter().find(|one| one.id == group);
    let group = found.ok_or(Error::NotFound)?;
    let members = community.groups.members(account, space, group.id).await?;
    let here = format!("/spaces/{space}/groups/{}", group.id);
    let shell = layout.shell(&viewer, Some(space), &here).await?;
    let held = community.access.held(account, scope).await?;
    app_page!(
        wants,
        GroupPage {
            head: community.head(&viewer, group.name.clone()),
            shell,
            tabs: community.space_tabs(held, space, &here)?,
            form,
            space,
            manages: held.contains(community.access.declared.only(&MANAGE_ROLES)?),
            group,
            members,
        }
    )
}
