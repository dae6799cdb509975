//! The pages for visitors without a session: sign-in and joining through an invitation; and
//! sign-out.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;
use tower_sessions::Session;

use super::Community;
use super::accounts::NewAccount;
use super::redirects::{landing_page, local_path};
use super::sessions::session_error;
use super::sign_in_request::SignInRequest;
use super::views::{JoinPage, SignInPage};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::base::locale::Lang;
use crate::base::security_log::SecurityEvent;
use crate::engine::actions::{Outcome, decode_form};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Html, Wants, answer, show_error_in};

type Here = State<Community>;

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .page(Audience::Anyone, "/sign-in", get(sign_in).post(do_sign_in))
        .page(Audience::SignedIn, "/sign-out", post(sign_out))
        .page(Audience::Anyone, "/join/{code}", get(join).post(do_join))
}

#[derive(Deserialize, Default)]
struct Next {
    #[serde(default)]
    next: String,
    /// `reset`: a new password has just been set by a link.
    #[serde(default)]
    done: String,
}

async fn sign_in(
    State(community): Here,
    lang: Lang,
    viewer: Option<Viewer>,
    Query(next): Query<Next>,
    form: Form,
) -> Result<Response> {
    if viewer.is_some_and(|viewer| !viewer.is_guest) {
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
        is_reset: next.done == "reset",
        oidc: community.oidc_name(),
        may_register: community.is_registration_open().await?,
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
    request: SignInRequest,
    wants: Wants,
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
            .authenticate(&login, password, &request)
            .await?
            .ok_or(Error::field("form", "error-sign-in"))?;
        if community.totp_state(account).await?.is_on {
            let cookie = community.begin_second_step(account, &next).await?;
            return Ok((
                Outcome::new(json!({ "code_needed": true }), "/sign-in/code"),
                Some(cookie),
            ));
        }
        request.sign_in(&community, account, "password").await?;
        Ok((
            Outcome::new(json!({ "account": account }), next.clone()),
            None,
        ))
    }
    .await;
    match done {
        Err(error) if wants == Wants::Page => {
            let form = Form::refused("sign-in", &body, &error, lang);
            let head = community
                .engine()
                .pages
                .head(lang, None, lang.t("sign-in-title"));
            let page = Html::of(&SignInPage {
                head,
                form,
                next,
                is_reset: false,
                oidc: community.oidc_name(),
                may_register: community.is_registration_open().await?,
            })?;
            Ok(show_error_in(page, &error))
        }
        done => {
            let (outcome, step) = done?;
            let mut response = request.with_cookie(answer(wants, Ok(outcome)).await?);
            if let Some(cookie) = step {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            Ok(response)
        }
    }
}

/// Ends the session. Browsers that reach the server by https or on their own machine also drop what
/// they have cached of it; for others, the pages' script does not show what they kept.
async fn sign_out(State(community): Here, viewer: Viewer, session: Session) -> Result<Response> {
    community
        .sessions
        .end(viewer.account, &viewer.session)
        .await?;
    SecurityEvent::SessionEnded.record(viewer.account, viewer.address, "signed_out");
    session.flush().await.map_err(session_error)?;
    let clear = [("clear-site-data", "\"cache\"")];
    Ok((clear, Redirect::to("/sign-in")).into_response())
}

async fn join(
    State(community): Here,
    lang: Lang,
    viewer: Option<Viewer>,
    Path(code): Path<String>,
    form: Form,
) -> Result<Response> {
    // A guest who opens an invitation makes an account.
    let viewer = viewer.filter(|viewer| !viewer.is_guest);
    if let (Some(viewer), Some(to)) = (&viewer, community.invites.find(&code).await?) {
        // Who is a member already is led in; who is banned is told so.
        let member = community.access.member(viewer.account, to.space_id);
        let page = match member.await? {
            Some(_) => Some(landing_page(&community, viewer.account, to.space_id).await?),
            None => {
                let sanctions = &community.sanctions;
                sanctions.ban_page(viewer.account, to.space_id).await?
            }
        };
        if let Some(page) = page {
            return Ok(Redirect::to(&page).into_response());
        }
    }
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

async fn do_join(
    State(community): Here,
    lang: Lang,
    viewer: Option<Viewer>,
    Path(code): Path<String>,
    request: SignInRequest,
    wants: Wants,
    body: Bytes,
) -> Result<Response> {
    let done = async {
        community.count_join(request.address)?;
        let (account, space) = match viewer.as_ref().filter(|viewer| !viewer.is_guest) {
            Some(viewer) => {
                let space = {
                    let invites = &community.invites;
                    invites.join(&code, viewer.account, request.address).await?
                };
                SecurityEvent::InviteUsed.record(viewer.account, request.address, "member");
                (viewer.account, space)
            }
            None => join_as_new(&community, &request, &code, &body).await?,
        };
        Ok(Outcome::new(
            json!({ "account": account, "space": space }),
            community.first_page(account, space).await?,
        ))
    }
    .await;
    match done {
        Err(error) if wants == Wants::Page => {
            let form = Form::refused("join", &body, &error, lang);
            let signed_in = viewer.is_some_and(|viewer| !viewer.is_guest);
            let page = join_page(&community, lang, signed_in, code, form).await?;
            Ok(show_error_in(page, &error))
        }
        done => Ok(request.with_cookie(answer(wants, done).await?)),
    }
}

async fn join_as_new(
    community: &Community,
    request: &SignInRequest,
    code: &str,
    body: &Bytes,
) -> Result<(AccountId, SpaceId)> {
    let JoinForm {
        name,
        email,
        password,
    } = decode_form(body)?;
    let invitation = community.invites.find(code).await?;
    if invitation.is_some_and(|invitation| invitation.is_for_guests()) {
        let joined = community.join_as_guest(code, &name, request.address);
        let (account, space) = joined.await?;
        SecurityEvent::InviteUsed.record(account, request.address, "guest");
        request.sign_in(community, account, "guest").await?;
        return Ok((account, space));
    }
    let new = NewAccount {
        name,
        email,
        password,
    };
    let (account, space) = {
        let invites = &community.invites;
        invites.join_as_new(code, new, request.address).await?
    };
    SecurityEvent::AccountCreated.record(account, request.address, "invite");
    SecurityEvent::InviteUsed.record(account, request.address, "new_account");
    request.sign_in(community, account, "joined").await?;
    Ok((account, space))
}
