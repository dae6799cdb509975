//! The community's pages for signed-in people: the shell without a room, and the settings.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use super::redirects::landing_page;
use super::room_permissions::of_subject;
use super::shell::Layout;
use super::sidebar::sidebar;
use super::standing::{Override, Subject};
use super::views::{AccountPage, DirectPage, HomePage, RoomPage, SpacePage};
use super::{Community, Role, Scope, permissions};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{PageAnswer, Wants, app_page};

type Here = State<Community>;

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .page(Audience::Anyone, "/", get(root))
        .page(Audience::SignedIn, "/spaces/{space}", get(home))
        .page(
            Audience::SignedIn,
            "/spaces/{space}/settings",
            get(space_settings),
        )
        .page(
            Audience::SignedIn,
            "/spaces/{space}/rooms/new",
            get(new_room),
        )
        .page(
            Audience::SignedIn,
            "/rooms/{room}/settings",
            get(room_settings),
        )
        .page(Audience::SignedIn, "/direct", get(direct))
        .page(Audience::SignedIn, "/account", get(account))
        .page(Audience::SignedIn, "/sidebar", get(sidebar))
}

/// The style sheet with an account's own rules, for markup that is shared by all accounts. It
/// changes with the program only, whose version is part of the URL; so its reader's browser keeps
/// it for ever.
pub(super) async fn account_style(
    State(community): State<Community>,
    Path(account): Path<AccountId>,
) -> Response {
    let rules = community.account_styles.iter();
    let rules: String = rules.map(|rules| rules(account)).collect();
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (
            header::CACHE_CONTROL,
            "private, max-age=31536000, immutable",
        ),
    ];
    (headers, format!("@layer modules {{\n{rules}}}\n")).into_response()
}

async fn root(State(community): Here, viewer: Option<Viewer>) -> Result<Response> {
    let Some(viewer) = viewer else {
        let to = if community.is_set_up().await? {
            "/sign-in"
        } else {
            "/setup"
        };
        return Ok(Redirect::to(to).into_response());
    };
    let deps = community.dependencies(viewer.account);
    let spaces = community.spaces.of(&deps, viewer.account).await?;
    let last = community
        .spaces
        .last_visited(&deps, viewer.account, &spaces);
    let to = match last.await? {
        Some(space) => landing_page(&community, viewer.account, space).await?,
        None if viewer.is_guest => "/guest".to_owned(),
        None => "/spaces/open".to_owned(),
    };
    Ok(Redirect::to(&to).into_response())
}

async fn home(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(space): Path<SpaceId>,
) -> Result<Response> {
    let sanctions = &community.sanctions;
    if wants == Wants::Page
        && let Some(to) = sanctions.ban_page(viewer.account, space).await?
    {
        return Ok(Redirect::to(&to).into_response());
    }
    let spaces = &community.spaces;
    if wants == Wants::Page && spaces.deletion(viewer.account, space).await?.is_some() {
        return Ok(Redirect::to(&format!("/spaces/{space}/closed")).into_response());
    }
    let space = spaces.get(viewer.account, space).await?;
    let here = format!("/spaces/{}", space.id);
    let shell = layout.shell(&viewer, Some(space.id), &here).await?;
    let page: Result<PageAnswer> = app_page!(
        wants,
        HomePage {
            head: community.head(&viewer, space.name),
            shell
        }
    );
    Ok(page?.into_response())
}

async fn space_settings(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(space): Path<SpaceId>,
    form: Form,
) -> Result<PageAnswer> {
    let space = community.spaces.get(viewer.account, space).await?;
    let shell = layout
        .shell(
            &viewer,
            Some(space.id),
            &format!("/spaces/{}/settings", space.id),
        )
        .await?;
    let archived = community
        .rooms
        .archived_in(viewer.account, space.id)
        .await?;
    let emoji = community.emoji.list(space.id).await?;
    let has_emblem = community.spaces.has_emblem(space.id).await?;
    let scope = Scope::Space(space.id);
    let held = community.access.held(viewer.account, scope).await?;
    let member = community.access.member(viewer.account, space.id).await?;
    let head = community.head(&viewer, viewer.lang.t("space-settings-title"));
    app_page!(
        wants,
        SpacePage {
            tabs: community.space_tabs(held, space.id, &shell.here)?,
            head,
            shell,
            form,
            space,
            archived,
            emoji,
            has_emblem,
            is_owner: member.is_some_and(|member| member.is_owner),
        }
    )
}

async fn new_room(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(space): Path<SpaceId>,
    form: Form,
) -> Result<PageAnswer> {
    community
        .access
        .permit(
            viewer.account,
            &permissions::MANAGE_ROOMS,
            Scope::Space(space),
        )
        .await?;
    let shell = layout
        .shell(&viewer, Some(space), &format!("/spaces/{space}/rooms/new"))
        .await?;
    let roles = roles_below(&community, &viewer, space, &[]).await?;
    let people = community
        .spaces
        .members(space)
        .await?
        .into_iter()
        .filter(|person| person.id != viewer.account)
        .map(|person| (person, false))
        .collect();
    app_page!(
        wants,
        RoomPage {
            head: community.head(&viewer, viewer.lang.t("room-new-title")),
            shell,
            form,
            room: None,
            people,
            roles,
        }
    )
}

async fn room_settings(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(room): Path<RoomId>,
    form: Form,
) -> Result<PageAnswer> {
    let managed = community.rooms.permit_to_manage(viewer.account, room);
    let (room, space) = managed.await?;
    let shell = layout
        .shell(
            &viewer,
            Some(space),
            &format!("/rooms/{}/settings", room.id),
        )
        .await?;
    let roles = roles_below(&community, &viewer, space, &room.rules.overrides).await?;
    let inside = community.rooms.members(room.id).await?;
    let people = community
        .spaces
        .members(space)
        .await?
        .into_iter()
        .filter(|person| person.id != viewer.account)
        .map(|person| {
            let is_in = inside.iter().any(|other| other.id == person.id);
            (person, is_in)
        })
        .collect();
    let head = community.head(&viewer, viewer.lang.t("room-settings-title"));
    app_page!(
        wants,
        RoomPage {
            head,
            shell,
            form,
            room: Some((*room).clone()),
            people,
            roles,
        }
    )
}

/// The roles below the viewer's own, and whether a room that says this lets them read it.
async fn roles_below(
    community: &Community,
    viewer: &Viewer,
    space: SpaceId,
    overrides: &[Override],
) -> Result<Vec<(Role, bool)>> {
    let (access, by) = (&community.access, viewer.account);
    let own = access.member(by, space).await?.ok_or(Error::NotFound)?;
    let rank = access.space_rules(space).await?.rank(&own);
    let read = access.declared.only(&permissions::READ)?;
    let all = community.roles.list(by, space).await?.into_iter();
    let reads = |role: &Role| {
        of_subject(overrides, Subject::Role(role.id))
            .0
            .contains(read)
    };
    let below = all.filter(|role| role.position < rank);
    Ok(below.map(|role| (role.clone(), reads(&role))).collect())
}

async fn direct(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
) -> Result<PageAnswer> {
    let shell = layout.shell(&viewer, None, "/direct").await?;
    let people = community.accounts.acquaintances(viewer.account).await?;
    app_page!(
        wants,
        DirectPage {
            head: community.head(&viewer, viewer.lang.t("direct-new-title")),
            shell,
            form,
            people
        }
    )
}

async fn account(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
) -> Result<Response> {
    if viewer.is_guest {
        return Ok(Redirect::to("/guest").into_response());
    }
    let shell = layout.shell(&viewer, None, "/account").await?;
    let account = community.accounts.get(viewer.account).await?;
    let sessions = community.sessions.list(viewer.account).await?;
    let has_portrait = community.accounts.has_portrait(viewer.account).await?;
    let head = community.head(&viewer, viewer.lang.t("account-title"));
    let page: Result<PageAnswer> = app_page!(
        wants,
        AccountPage {
            head,
            shell,
            email: account.email.clone(),
            language: account.language.clone(),
            has_portrait,
            sessions,
            this: viewer.session.to_string(),
        }
    );
    Ok(page?.into_response())
}
