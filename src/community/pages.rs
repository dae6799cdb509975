//! The community's pages: the door, the shell without a room, and the settings.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use serde::Deserialize;
use serde_json::json;
use tower_sessions::Session;

use super::accounts::NewAccount;
use super::setup::Setup;
use super::shell::Sidebar;
use super::views::{AccountPage, DeadLettersPage, DirectPage, HomePage, JoinPage, RoomPage, SetupPage, SignInPage, SpacePage};
use super::{Community, Permission, Place};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::base::locale::Lang;
use crate::engine::actions::{Outcome, decode_form};
use crate::engine::forms::Form;
use crate::engine::module::{Access, Module};
use crate::engine::viewer::{Address, Viewer};
use crate::engine::web::{Html, Wants, answer, app_page};

type Here = State<Community>;

pub(super) fn declare(community: &Community, module: Module) -> Module {
    let with = |router: MethodRouter<Community>| router.with_state(community.clone());
    module
        .page(Access::Anyone, "/", with(get(root)))
        .page(Access::Anyone, "/setup", with(get(setup).post(set_up)))
        .page(Access::Anyone, "/sign-in", with(get(sign_in).post(do_sign_in)))
        .page(Access::SignedIn, "/sign-out", with(post(sign_out)))
        .page(Access::Anyone, "/join/{code}", with(get(join).post(do_join)))
        .page(Access::SignedIn, "/spaces/{space}", with(get(home)))
        .page(Access::SignedIn, "/spaces/{space}/settings", with(get(space_settings)))
        .page(Access::SignedIn, "/spaces/{space}/rooms/new", with(get(new_room)))
        .page(Access::SignedIn, "/rooms/{room}/settings", with(get(room_settings)))
        .page(Access::SignedIn, "/direct", with(get(direct)))
        .page(Access::SignedIn, "/account", with(get(account)))
        .page(Access::SignedIn, "/sidebar", with(get(sidebar)))
        .page(Access::SignedIn, "/dead-letters", with(get(dead_letters)))
}

/// Switches on the controls of the viewer's own messages; the pages themselves are the same for everybody.
pub(super) async fn mine(Path(account): Path<AccountId>) -> Response {
    let style = format!(
        "@layer modules {{\n  .msg[data-author=\"{account}\"]:not([data-deleted]) .act.own {{ display: inline-grid; }}\n  \
         .typing [data-typing=\"{account}\"], .person[data-account=\"{account}\"] .act {{ display: none; }}\n}}\n"
    );
    ([(header::CONTENT_TYPE, "text/css"), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")], style).into_response()
}

async fn root(State(community): Here, viewer: Option<Viewer>) -> Result<Response> {
    let Some(viewer) = viewer else {
        let to = if community.is_set_up().await? { "/sign-in" } else { "/setup" };
        return Ok(Redirect::to(to).into_response());
    };
    let to = match community.space_ids_of(viewer.account).await?.first() {
        Some(space) => community.first_room(viewer.account, *space).await?,
        None => "/direct".to_owned(),
    };
    Ok(Redirect::to(&to).into_response())
}

impl Community {
    /// Where someone lands in a space: its room `general`, else its first room, else the space itself.
    async fn first_room(&self, account: AccountId, space: SpaceId) -> Result<String> {
        let rooms = self.rooms_in(account, space, false).await?;
        let room = rooms.iter().find(|room| room.name == "general").or(rooms.first());
        Ok(room.map_or_else(|| format!("/spaces/{space}"), |room| format!("/rooms/{}", room.id)))
    }
}

async fn setup(State(community): Here, lang: Lang, form: Form) -> Result<Html> {
    // Once there is an owner the page is gone, as if it had never been.
    if community.is_set_up().await? {
        return Err(Error::NotFound);
    }
    let head = community.engine().pages.head(lang, None, lang.t("setup-title"));
    Html::of(&SetupPage { head, form })
}

#[derive(Deserialize)]
struct SetupForm {
    community: String,
    name: String,
    email: String,
    password: String,
}

async fn set_up(State(community): Here, lang: Lang, session: Session, wants: Wants, headers: HeaderMap, body: Bytes) -> Result<Response> {
    let done = async {
        let SetupForm { community: name, name: owner, email, password } = decode_form(&body)?;
        let owner = NewAccount { name: owner, email, password };
        let (account, space) = community.set_up(Setup { community: name, owner }).await?;
        community.sign_in(&session, account, &headers).await?;
        Ok(Outcome::new(json!({ "account": account, "space": space }), "/"))
    }
    .await;
    match done {
        Err(error) if wants == Wants::Page && !matches!(error, Error::Conflict(_)) => {
            let form = Form::refused("setup", &body, &error, lang);
            let head = community.engine().pages.head(lang, None, lang.t("setup-title"));
            Ok((error.status(), Html::of(&SetupPage { head, form })?).into_response())
        }
        done => answer(wants, done),
    }
}

#[derive(Deserialize, Default)]
struct Next {
    #[serde(default)]
    next: String,
}

/// A way back inside this server; anything else leads home. Browsers drop tabs and line ends from addresses, so none may stand in it.
fn local(next: &str) -> &str {
    let inside = next.starts_with('/') && !next.starts_with("//") && !next.starts_with("/\\") && !next.contains(char::is_control);
    if inside { next } else { "/" }
}

async fn sign_in(State(community): Here, lang: Lang, viewer: Option<Viewer>, Query(next): Query<Next>, form: Form) -> Result<Response> {
    if viewer.is_some() {
        return Ok(Redirect::to(local(&next.next)).into_response());
    }
    if !community.is_set_up().await? {
        return Ok(Redirect::to("/setup").into_response());
    }
    let head = community.engine().pages.head(lang, None, lang.t("sign-in-title"));
    Ok(Html::of(&SignInPage { head, form, next: local(&next.next).to_owned() })?.into_response())
}

#[derive(Deserialize)]
struct SignInForm {
    login: String,
    password: String,
    #[serde(default)]
    next: String,
}

async fn do_sign_in(
    State(community): Here,
    lang: Lang,
    Address(address): Address,
    session: Session,
    wants: Wants,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response> {
    let posted: Result<SignInForm> = decode_form(&body);
    let next = posted.as_ref().map(|form| local(&form.next).to_owned()).unwrap_or_default();
    let done = async {
        let SignInForm { login, password, .. } = posted?;
        community.0.door.knock(&login, address)?;
        // The same words for an unknown account and a wrong password, and the same time: both check a hash.
        let account = community.authenticate(&login, password).await?.ok_or(Error::field("form", "error-sign-in"))?;
        community.sign_in(&session, account, &headers).await?;
        Ok(Outcome::new(json!({ "account": account }), next.clone()))
    }
    .await;
    match done {
        Err(error) if wants == Wants::Page => {
            let form = Form::refused("sign-in", &body, &error, lang);
            let head = community.engine().pages.head(lang, None, lang.t("sign-in-title"));
            let mut response = (error.status(), Html::of(&SignInPage { head, form, next })?).into_response();
            if let Error::TooMany(wait) = error {
                response.headers_mut().insert(header::RETRY_AFTER, (wait.as_secs() + 1).into());
            }
            Ok(response)
        }
        done => answer(wants, done),
    }
}

async fn sign_out(State(community): Here, viewer: Viewer, session: Session) -> Result<Response> {
    community.end_session(viewer.account, &viewer.session).await?;
    session.flush().await.map_err(|error| Error::Internal(anyhow::Error::new(error)))?;
    Ok(Redirect::to("/sign-in").into_response())
}

async fn join(State(community): Here, lang: Lang, viewer: Option<Viewer>, Path(code): Path<String>, form: Form) -> Result<Response> {
    join_page(&community, lang, viewer.is_some(), code, form).await
}

async fn join_page(community: &Community, lang: Lang, signed_in: bool, code: String, form: Form) -> Result<Response> {
    let invitation = community.invitation(&code).await?;
    let status = if invitation.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let head = community.engine().pages.head(lang, None, lang.t("join-title"));
    Ok((status, Html::of(&JoinPage { head, form, code, invitation, signed_in })?).into_response())
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct JoinForm {
    name: String,
    email: String,
    password: String,
}

#[allow(clippy::too_many_arguments, reason = "they are extractors")]
async fn do_join(
    State(community): Here,
    lang: Lang,
    viewer: Option<Viewer>,
    Path(code): Path<String>,
    session: Session,
    wants: Wants,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response> {
    let done = async {
        let (account, space) = match &viewer {
            Some(viewer) => (viewer.account, community.join(&code, viewer.account).await?),
            None => {
                let JoinForm { name, email, password } = decode_form(&body)?;
                let (account, space) = community.join_as_new(&code, NewAccount { name, email, password }).await?;
                community.sign_in(&session, account, &headers).await?;
                (account, space)
            }
        };
        Ok(Outcome::new(json!({ "space": space }), community.first_room(account, space).await?))
    }
    .await;
    match done {
        Err(error) if wants == Wants::Page => {
            let form = Form::refused("join", &body, &error, lang);
            let mut response = join_page(&community, lang, viewer.is_some(), code, form).await?;
            *response.status_mut() = error.status();
            Ok(response)
        }
        done => answer(wants, done),
    }
}

async fn home(State(community): Here, viewer: Viewer, wants: Wants, Path(space): Path<SpaceId>) -> Result<Html> {
    let space = community.space(viewer.account, space).await?;
    let here = format!("/spaces/{}", space.id);
    let shell = community.shell(&viewer, Some(space.id), &here).await?;
    app_page!(wants, HomePage { head: community.head(&viewer, space.name), shell })
}

async fn space_settings(
    State(community): Here,
    viewer: Viewer,
    wants: Wants,
    headers: HeaderMap,
    Path(space): Path<SpaceId>,
    form: Form,
) -> Result<Html> {
    let space = community.space(viewer.account, space).await?;
    let shell = community.shell(&viewer, Some(space.id), &format!("/spaces/{}/settings", space.id)).await?;
    let invites = if shell.manages { community.invites_of(viewer.account, space.id).await? } else { Vec::new() };
    let archived = community.rooms_in(viewer.account, space.id, true).await?;
    let people = community.people_of(space.id).await?;
    let scheme = if community.engine().settings.https { "https" } else { "http" };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let head = community.head(&viewer, viewer.lang.t("space-settings-title"));
    app_page!(wants, SpacePage { head, shell, form, space, invites, people, archived, origin: format!("{scheme}://{host}") })
}

async fn new_room(State(community): Here, viewer: Viewer, wants: Wants, Path(space): Path<SpaceId>, form: Form) -> Result<Html> {
    community.permit(viewer.account, Permission::ManageRooms, Place::Space(space)).await?;
    let shell = community.shell(&viewer, Some(space), &format!("/spaces/{space}/rooms/new")).await?;
    let people =
        community.people_of(space).await?.into_iter().filter(|person| person.id != viewer.account).map(|person| (person, false)).collect();
    app_page!(wants, RoomPage { head: community.head(&viewer, viewer.lang.t("room-new-title")), shell, form, room: None, people })
}

async fn room_settings(State(community): Here, viewer: Viewer, wants: Wants, Path(room): Path<RoomId>, form: Form) -> Result<Html> {
    let room = community.permit_in_room(viewer.account, Permission::ManageRooms, room).await?;
    let space = room.space.ok_or(Error::NotFound)?;
    let shell = community.shell(&viewer, Some(space), &format!("/rooms/{}/settings", room.id)).await?;
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
    app_page!(wants, RoomPage { head, shell, form, room: Some((*room).clone()), people })
}

async fn direct(State(community): Here, viewer: Viewer, wants: Wants, form: Form) -> Result<Html> {
    let shell = community.shell(&viewer, None, "/direct").await?;
    let people = community.acquaintances(viewer.account).await?;
    app_page!(wants, DirectPage { head: community.head(&viewer, viewer.lang.t("direct-new-title")), shell, form, people })
}

async fn account(State(community): Here, viewer: Viewer, wants: Wants) -> Result<Html> {
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
        community.permit(viewer.account, Permission::Read, Place::Space(space)).await?;
    }
    let shell = community.shell(&viewer, at.space, local(&at.here)).await?;
    Html::of(&Sidebar { shell: &shell })
}

async fn dead_letters(State(community): Here, viewer: Viewer, wants: Wants) -> Result<Html> {
    community.permit(viewer.account, Permission::Operate, Place::Server).await?;
    let shell = community.shell(&viewer, None, "/dead-letters").await?;
    let letters = community.engine().dead_letters.newest().await?;
    app_page!(wants, DeadLettersPage { head: community.head(&viewer, viewer.lang.t("dead-letters-title")), shell, letters })
}
