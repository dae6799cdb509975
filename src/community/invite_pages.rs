//! The invitations of a space, each with its link as a QR code, and the page that a new server
//! begins with.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use super::invites::{Invite, InviteId};
use super::permissions::INVITE;
use super::redirects::landing_page;
use super::shell::{Layout, Shell};
use super::space_tabs::Tab;
use super::totp::qr_svg;
use super::{Community, Role, Scope};
use crate::base::error::{Error, Result};
use crate::base::ids::SpaceId;
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module, SpaceTab};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

type Here = State<Community>;

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .space_tab(SpaceTab {
            path: "/spaces/{space}/invitations",
            label: "invites-title",
            permission: Some(&INVITE),
        })
        .page(
            Audience::SignedIn,
            "/spaces/{space}/invitations",
            get(invitations),
        )
        .page(
            Audience::SignedIn,
            "/spaces/{space}/invitations/{invite}",
            get(invitation),
        )
        .page(Audience::SignedIn, "/spaces/{space}/start", get(start))
}

#[derive(Template)]
#[template(path = "community/invitations.html", blocks = ["app"])]
struct InvitationsPage {
    head: Head,
    shell: Shell,
    tabs: Vec<Tab>,
    form: Form,
    space: SpaceId,
    invites: Vec<Invite>,
    /// The roles that the viewer may give.
    roles: Vec<Role>,
    /// `https://host`, the start of links.
    origin: String,
}

#[derive(Template)]
#[template(path = "community/invitation.html", blocks = ["app"])]
struct InvitationPage {
    head: Head,
    shell: Shell,
    tabs: Vec<Tab>,
    space: SpaceId,
    invite: Invite,
    link: String,
    /// An `<svg>`.
    qr: String,
}

#[derive(Template)]
#[template(path = "community/start.html", blocks = ["app"])]
struct StartPage {
    head: Head,
    shell: Shell,
    form: Form,
    space: SpaceId,
    /// The space's first room.
    first_room: String,
}

/// `https://host` as the request names it: the viewer passes links on to people who reach the
/// server as they do.
pub fn request_origin(community: &Community, headers: &HeaderMap) -> String {
    let scheme = match community.engine().settings.https {
        true => "https",
        false => "http",
    };
    let host = headers.get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok());
    format!("{scheme}://{}", host.unwrap_or("localhost"))
}

/// `GET /spaces/{space}/invitations`.
async fn invitations(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    headers: HeaderMap,
    Path(space): Path<SpaceId>,
    form: Form,
) -> Result<PageAnswer> {
    let account = viewer.account;
    let invites = community.invites.open_in(account, space).await?;
    let roles = &community.roles;
    let roles = community.invites.roles_to_give(roles, account, space);
    let roles = roles.await?;
    let here = format!("/spaces/{space}/invitations");
    let shell = layout.shell(&viewer, Some(space), &here).await?;
    let held = community.access.held(account, Scope::Space(space)).await?;
    app_page!(
        wants,
        InvitationsPage {
            head: community.head(&viewer, viewer.lang.t("invites-title")),
            shell,
            tabs: community.space_tabs(held, space, &here)?,
            form,
            space,
            invites,
            roles,
            origin: request_origin(&community, &headers),
        }
    )
}

/// `GET /spaces/{space}/invitations/{invite}`: back to the list when it is over.
async fn invitation(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    headers: HeaderMap,
    Path((space, invite)): Path<(SpaceId, InviteId)>,
) -> Result<Response> {
    let account = viewer.account;
    let here = format!("/spaces/{space}/invitations");
    let invite = match community.invites.get(account, space, invite).await {
        Err(Error::NotFound) if community.access.member(account, space).await?.is_some() => {
            return Ok(Redirect::to(&here).into_response());
        }
        found => found?,
    };
    let link = format!(
        "{}/join/{}",
        request_origin(&community, &headers),
        invite.code
    );
    let shell = layout.shell(&viewer, Some(space), &here).await?;
    let held = community.access.held(account, Scope::Space(space)).await?;
    let page: Result<PageAnswer> = app_page!(
        wants,
        InvitationPage {
            head: community.head(&viewer, viewer.lang.t("invite-title")),
            shell,
            tabs: community.space_tabs(held, space, &here)?,
            space,
            qr: qr_svg(&link).unwrap_or_default(),
            invite,
            link,
        }
    );
    Ok(page?.into_response())
}

/// `GET /spaces/{space}/start`: how to invite people, for who has just set the server up.
async fn start(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(space): Path<SpaceId>,
    form: Form,
) -> Result<PageAnswer> {
    let scope = Scope::Space(space);
    community
        .access
        .permit(viewer.account, &INVITE, scope)
        .await?;
    let name = community.spaces.get(viewer.account, space).await?.name;
    let here = format!("/spaces/{space}/start");
    let shell = layout.shell(&viewer, Some(space), &here).await?;
    let title = viewer.lang.with("start-title", &[("space", name.into())]);
    app_page!(
        wants,
        StartPage {
            head: community.head(&viewer, title),
            shell,
            form,
            space,
            first_room: landing_page(&community, viewer.account, space).await?,
        }
    )
}
