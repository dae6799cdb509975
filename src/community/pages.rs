//! The community's pages for who is inside: the shell without a room, and the settings.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;

use super::shell::Sidebar;
use super::sign_in::local;
use super::views::{AccountPage, DirectPage, HomePage, RoomPage, SpacePage};
use super::{Community, Scope, permissions};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::forms::Form;
use crate::engine::module::{Access, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Html, PageAnswer, Wants, app_page};

type Here = State<Community>;

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .page(Access::Anyone, "/", get(root))
        .page(Access::SignedIn, "/spaces/{space}", get(home))
        .page(
            Access::SignedIn,
            "/spaces/{space}/settings",
            get(space_settings),
        )
        .page(Access::SignedIn, "/spaces/{space}/rooms/new", get(new_room))
        .page(
            Access::SignedIn,
            "/rooms/{room}/settings",
            get(room_settings),
        )
        .page(Access::SignedIn, "/direct", get(direct))
        .page(Access::SignedIn, "/account", get(account))
        .page(Access::SignedIn, "/sidebar", get(sidebar))
}

/// The rules of one account's pages: what is theirs in markup that everybody shares. They change
/// with the program only, and its version is part of the address.
pub(super) async fn account_style(
    State(community): State<Community>,
    Path(account): Path<AccountId>,
) -> Response {
    let rules = community.0.account_styles.iter();
    let rules: String = rules.map(|rules| rules(account)).collect();
    let headers = [
        (header::CONTENT_TYPE, "text/css"),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
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
    let to = match community.space_ids_of(viewer.account).await?.first() {
        Some(space) => community.first_room(viewer.account, *space).await?,
        None => "/direct".to_owned(),
    };
    Ok(Redirect::to(&to).into_response())
}

impl Community {
    /// Where someone lands in a space: its room `general`, else its first room, else the space
    /// itself.
    pub(super) async fn first_room(&self, account: AccountId, space: SpaceId) -> Result<String> {
        let rooms = self.rooms_in(account, space, false).await?;
        let room = rooms
            .iter()
            .find(|room| room.name == "general")
            .or(rooms.first());
        Ok(room.map_or_else(
            || format!("/spaces/{space}"),
            |room| format!("/rooms/{}", room.id),
        ))
    }
}

async fn home(
    State(community): Here,
    viewer: Viewer,
    wants: Wants,
    Path(space): Path<SpaceId>,
) -> Result<PageAnswer> {
    let space = community.space(viewer.account, space).await?;
    let here = format!("/spaces/{}", space.id);
    let shell = community.shell(&viewer, Some(space.id), &here).await?;
    app_page!(
        wants,
        HomePage {
            head: community.head(&viewer, space.name),
            shell
        }
    )
}

async fn space_settings(
    State(community): Here,
    viewer: Viewer,
    wants: Wants,
    headers: HeaderMap,
    Path(space): Path<SpaceId>,
    form: Form,
) -> Result<PageAnswer> {
    let space = community.space(viewer.account, space).await?;
    let shell = community
        .shell(
            &viewer,
            Some(space.id),
            &format!("/spaces/{}/settings", space.id),
        )
        .await?;
    let invites = if shell.manages {
        community.invites_of(viewer.account, space.id).await?
    } else {
        Vec::new()
    };
    let archived = community.rooms_in(viewer.account, space.id, true).await?;
    let emoji = community.emoji_of(space.id).await?;
    let people = community.people_of(space.id).await?;
    let scheme = if community.engine().settings.https {
        "https"
    } else {
        "http"
    };
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost");
    let head = community.head(&viewer, viewer.lang.t("space-settings-title"));
    app_page!(
        wants,
        SpacePage {
            head,
            shell,
            form,
            space,
            invites,
            people,
            archived,
            emoji,
            origin: format!("{scheme}://{host}")
        }
    )
}

async fn new_room(
    State(community): Here,
    viewer: Viewer,
    wants: Wants,
    Path(space): Path<SpaceId>,
    form: Form,
) -> Result<PageAnswer> {
    community
        .permit(
            viewer.account,
            &permissions::MANAGE_ROOMS,
            Scope::Space(space),
        )
        .await?;
    let shell = community
        .shell(&viewer, Some(space), &format!("/spaces/{space}/rooms/new"))
        .await?;
    let people = community
        .people_of(space)
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
            people
        }
    )
}

async fn room_settings(
    State(community): Here,
    viewer: Viewer,
    wants: Wants,
    Path(room): Path<RoomId>,
    form: Form,
) -> Result<PageAnswer> {
    let room = community
        .permit_in_room(viewer.account, &permissions::MANAGE_ROOMS, room)
        .await?;
    let space = room.space.ok_or(Error::NotFound)?;
    let shell = community
        .shell(
            &viewer,
            Some(space),
            &format!("/rooms/{}/settings", room.id),
        )
        .await?;
    let inside = community.people_in(room.id).await?;
    let people = community
        .people_of(space)
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
            people
        }
    )
}

async fn direct(
    State(community): Here,
    viewer: Viewer,
    wants: Wants,
    form: Form,
) -> Result<PageAnswer> {
    let shell = community.shell(&viewer, None, "/direct").await?;
    let people = community.acquaintances(viewer.account).await?;
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

async fn account(State(community): Here, viewer: Viewer, wants: Wants) -> Result<PageAnswer> {
    let shell = community.shell(&viewer, None, "/account").await?;
    let account = community.account(viewer.account).await?;
    let sessions = community.sessions_of(viewer.account).await?;
    let head = community.head(&viewer, viewer.lang.t("account-title"));
    app_page!(
        wants,
        AccountPage {
            head,
            shell,
            email: account.email.clone(),
            language: account.language.clone(),
            sessions,
            this: viewer.session.to_string(),
        }
    )
}

#[derive(Deserialize)]
struct Where {
    space: Option<SpaceId>,
    #[serde(default)]
    here: String,
}

async fn sidebar(State(community): Here, viewer: Viewer, Query(at): Query<Where>) -> Result<Html> {
    if let Some(space) = at.space {
        community
            .permit(viewer.account, &permissions::READ, Scope::Space(space))
            .await?;
    }
    let shell = community
        .sidebar(
            &community.engine().versions.dependencies(),
            &viewer,
            at.space,
            local(&at.here),
        )
        .await?;
    Html::of(&Sidebar { shell: &shell })
}
