//! The pages for visitors without a session: setup, sign-in and joining through an invitation.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;
use tower_sessions::Session;

use super::Community;
use super::accounts::NewAccount;
use super::redirects::{landing_page, local_path};
use super::setup::Setup;
use super::views::{JoinPage, SetupPage, SignInPage};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::base::locale::Lang;
use crate::engine::actions::{Outcome, decode_form};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::{Address, Viewer};
use crate::engine::web::{Html, Wants, answer, show_error_in};

type Here = State<Community>;

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .page(Audience::Anyone, "/setup", get(setup).post(set_up))
        .page(Audience::Anyone, "/sign-in", get(sign_in).post(do_sign_in))
        .page(Audience::SignedIn, "/sign-out", post(sign_out))
        .page(Audience::Anyone, "/join/{code}", get(join).post(do_join))
}

async fn setup(State(community): Here, lang: Lang, form: Form) -> Result<Html> {
    // Once there is a host, the page does not exist.
    if community.is_set_up().await? {
        return Err(Error::NotFound);
    }
    let head = community
        .engine()
        .pages
        .head(lang, None, lang.t("setup-title"));
    Html::of(&SetupPage { head, form })
}

#[derive(Deserialize)]
struct SetupForm {
    community: String,
    name: String,
    email: String,
    password: String,
}

async fn set_up(
    State(community): Here,
    lang: Lang,
    session: Session,
    wants: Wants,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response> {
    let done = create_community(&community, &session, &headers, &body).await;
    match done {
        Err(error) if wants == Wants::Page && !matches!(error, Error::Conflict(_)) => {
            let form = Form::refused("setup", &body, &error, lang);
            let head = community
                .engine()
                .pages
                .head(lang, None, lang.t("setup-title"));
            Ok(show_error_in(Html::of(&SetupPage { head, form })?, &error))
        }
        done => answer(wants, done).await,
    }
}

async fn create_community(
    community: &Community,
    session: &Session,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Outcome> {
    let SetupForm {
        community: name,
        name: owner,
        email,
        password,
    } = decode_form(body)?;
    let owner = NewAccount {
        name: owner,
        email,
        password,
    };
    let (account, space) = community
        .set_up(Setup {
            community: name,
            owner,
        })
        .await?;
    community.sessions.start(session, account, headers).await?;
    Ok(Outcome::new(
        json!({ "account": account, "space": space }),
        "/",
    ))
}

#[derive(Deserialize, Default)]
struct Next {
    #[serde(default)]
    next: String,
}

async fn sign_in(
    State(community): Here,
    lang: Lang,
    viewer: Option<Viewer>,
    Query(next): Query<Next>,
    form: Form,
) -> Result<Response> {
    if viewer.is_some() {
        return Ok(Redirect::to(local_path(&next.next)).into_response());
    }
    if !community.is_set_up().await? {
        return Ok(Redirect::to("/setup").into_response());
    }
    let head = community
        .engine()
        .pages
        .head(lang, None, lang.t("sign-in-title"));
    Ok(Html::of(&SignInPage {
        head,
        form,
        next: local_path(&next.next).to_owned(),
    })?
    .into_response())
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
    let next = posted
        .as_ref()
        .map(|form| local_path(&form.next).to_owned())
        .unwrap_or_default();
    let done = async {
        let SignInForm {
            login, password, ..
        } = posted?;
        // An unknown account and a wrong password get the same message after the same time: both
        // verify a hash.
        let account = community
            .accounts
            .authenticate(&login, password, address)
            .await?
            .ok_or(Error::field("form", "error-sign-in"))?;
        community
            .sessions
            .start(&session, account, &headers)
            .await?;
        Ok(Outcome::new(json!({ "account": account }), next.clone()))
    }
    .await;
    match done {
        Err(error) if wants == Wants::Page => {
            let form = Form::refused("sign-in", &body, &error, lang);
            let head = community
                .engine()
                .pages
                .head(lang, None, lang.t("sign-in-title"));
            let page = Html::of(&SignInPage { head, form, next })?;
            Ok(show_error_in(page, &error))
        }
        done => answer(wants, done).await,
    }
}

async fn sign_out(State(community): Here, viewer: Viewer, session: Session) -> Result<Response> {
    community
        .sessions
        .end(viewer.account, &viewer.session)
        .await?;
    session
        .flush()
        .await
        .map_err(|error| Error::Internal(anyhow::Error::new(error)))?;
    Ok(Redirect::to("/sign-in").into_response())
}

async fn join(
    State(community): Here,
    lang: Lang,
    viewer: Option<Viewer>,
    Path(code): Path<String>,
    form: Form,
) -> Result<Response> {
    join_page(&community, lang, viewer.is_some(), code, form).await
}

async fn join_page(
    community: &Community,
    lang: Lang,
    signed_in: bool,
    code: String,
    form: Form,
) -> Result<Response> {
    let invitation = community.invites.find(&code).await?;
    let is_invited = invitation.is_some();
    let head = community
        .engine()
        .pages
        .head(lang, None, lang.t("join-title"));
    let page = Html::of(&JoinPage {
        head,
        form,
        code,
        invitation,
        signed_in,
    })?;
    Ok(match is_invited {
        true => page.into_response(),
        false => show_error_in(page, &Error::NotFound),
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct JoinForm {
    name: String,
    email: String,
    password: String,
}

#[allow(clippy::too_many_arguments, reason = "axum extractors")]
async fn do_join(
    State(community): Here,
    lang: Lang,
    viewer: Option<Viewer>,
    Address(address): Address,
    Path(code): Path<String>,
    session: Session,
    wants: Wants,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response> {
    let done = async {
        community.sign_in_limiter.check_join(address)?;
        let (account, space) = match &viewer {
            Some(viewer) => {
                let space = community.invites.join(&code, viewer.account).await?;
                (viewer.account, space)
            }
            None => join_as_new(&community, &session, &headers, &code, &body).await?,
        };
        Ok(Outcome::new(
            json!({ "account": account, "space": space }),
            landing_page(&community, account, space).await?,
        ))
    }
    .await;
    match done {
        Err(error) if wants == Wants::Page => {
            let form = Form::refused("join", &body, &error, lang);
            let page = join_page(&community, lang, viewer.is_some(), code, form).await?;
            Ok(show_error_in(page, &error))
        }
        done => answer(wants, done).await,
    }
}

async fn join_as_new(
    community: &Community,
    session: &Session,
    headers: &HeaderMap,
    code: &str,
    body: &Bytes,
) -> Result<(AccountId, SpaceId)> {
    let JoinForm {
        name,
        email,
        password,
    } = decode_form(body)?;
    let new = NewAccount {
        name,
        email,
        password,
    };
    let (account, space) = community.invites.join_as_new(code, new).await?;
    community.sessions.start(session, account, headers).await?;
    Ok((account, space))
}
