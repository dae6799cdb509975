//! The way to the provider and back, and the page that asks for an account's password once.

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;

use super::{Pending, Returned, late};
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::base::locale::Lang;
use crate::base::security_log::SecurityEvent;
use crate::community::Community;
use crate::community::one_time_tokens::{self, Purpose};
use crate::community::redirects::local_path;
use crate::community::shell::Layout;
use crate::community::sign_in_request::SignInRequest;
use crate::community::views::{OidcBeginPage, OidcLinkPage};
use crate::engine::actions::{Outcome, decode_form};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Html, PageAnswer, Wants, answer, app_page, show_error_in};

type Here = State<Community>;

pub(in crate::community) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .page(Audience::Anyone, "/sign-in/oidc", get(begin))
        .page(Audience::Anyone, "/sign-in/oidc/return", get(finish))
        .page(
            Audience::Anyone,
            "/sign-in/oidc/link",
            get(link).post(do_link),
        )
        .page(Audience::SignedIn, "/account/oidc", get(begin_link))
}

fn redirect(location: &str, cookie: Option<HeaderValue>) -> Response {
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    let mut response = (no_store, Redirect::to(location)).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

fn is_from_other_site(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    site.is_some_and(|site| site == "cross-site" || site == "same-site")
}

#[derive(Deserialize)]
struct Begin {
    #[serde(default)]
    next: String,
    /// Token of [`Community::begin_link`].
    #[serde(default)]
    link: String,
}

async fn begin(
    State(community): Here,
    viewer: Option<Viewer>,
    request: SignInRequest,
    Query(Begin { next, link }): Query<Begin>,
) -> Result<Response> {
    community.oidc_provider()?;
    let next = local_path(&next);
    if is_from_other_site(&request.headers) {
        // A link elsewhere must not sign somebody in who is known to the provider.
        return Ok(redirect("/sign-in", None));
    }
    let account = match viewer {
        Some(viewer) if !link.is_empty() => {
            let taken = community.take_oidc(Purpose::OidcBegin, link).await?;
            let account = taken.and_then(|(account, _)| account);
            Some(
                account
                    .filter(|id| *id == viewer.account)
                    .ok_or_else(late)?,
            )
        }
        Some(_) => return Ok(redirect(next, None)),
        None => None,
    };
    // The same limit: it is a write that a stranger asks for, too.
    community.count_passkey(request.address)?;
    let (address, cookie) = community.begin_oidc(account, next).await?;
    Ok(redirect(&address, Some(cookie)))
}

#[derive(Deserialize)]
struct Return {
    #[serde(default)]
    state: String,
    code: Option<String>,
}

async fn finish(
    State(community): Here,
    lang: Lang,
    viewer: Option<Viewer>,
    request: SignInRequest,
    Query(Return { state, code }): Query<Return>,
) -> Result<Response> {
    let returned = community
        .finish_oidc(&request, &state, code.as_deref())
        .await
        .inspect_err(|_| SecurityEvent::SignInRefused.record(None, request.address, "oidc"))?;
    let Returned {
        claims,
        account,
        next,
    } = returned;
    let issuer = &community.oidc_provider()?.issuer;
    if let Some(account) = account {
        if viewer.is_none_or(|viewer| viewer.account != account) {
            return Err(late());
        }
        let identity = (&**issuer, &*claims.subject);
        community.link_identity(account, identity, lang).await?;
        SecurityEvent::CredentialChanged.record(account, request.address, "identity_linked");
        return Ok(redirect("/account/security?done=linked", None));
    }
    if let Some(account) = community.find_identity(issuer, &claims.subject).await? {
        return sign_in(&community, &request, account, &next).await;
    }
    let owner = match &claims.email {
        Some(email) => community.find_by_email(email).await?,
        None => None,
    };
    if owner.is_some() {
        let subject = claims.subject;
        let pending = Pending { subject, next };
        let stored = community.store_oidc(Purpose::OidcLink, owner, &pending);
        return Ok(redirect("/sign-in/oidc/link", Some(stored.await?)));
    }
    if !community.engine().settings.oidc_create_accounts {
        SecurityEvent::SignInRefused.record(None, request.address, "unknown_identity");
        return Err(Error::Conflict("error-oidc-unknown"));
    }
    let account = community.create_for_identity(issuer, &claims).await?;
    SecurityEvent::AccountCreated.record(account, request.address, "oidc");
    sign_in(&community, &request, account, &next).await
}

/// Signs in, or leads to the second step where the account has one.
async fn sign_in(
    community: &Community,
    request: &SignInRequest,
    account: AccountId,
    next: &str,
) -> Result<Response> {
    if community.totp_state(account).await?.is_on {
        let cookie = community.begin_second_step(account, next).await?;
        return Ok(redirect("/sign-in/code", Some(cookie)));
    }
    request.sign_in(community, account, "oidc").await?;
    Ok(request.with_cookie(redirect(local_path(next), None)))
}

async fn link(State(community): Here, lang: Lang, request: SignInRequest) -> Result<Response> {
    community.oidc_provider()?;
    let token = community.oidc_token(&request);
    let db = &community.engine().db;
    match one_time_tokens::find(db, Purpose::OidcLink, &token).await? {
        None => Ok(redirect("/sign-in", None)),
        Some((account, _)) => {
            let page = link_page(&community, lang, account, Form::default());
            Ok(page.await?.into_response())
        }
    }
}

async fn link_page(
    community: &Community,
    lang: Lang,
    account: AccountId,
    form: Form,
) -> Result<Html> {
    let pages = &community.engine().pages;
    let name = community.oidc_name().unwrap_or_default();
    Html::of(&OidcLinkPage {
        head: pages.head(lang, None, lang.t("oidc-link-title")),
        form,
        name,
        email: community.accounts.get(account).await?.email.clone(),
    })
}

#[derive(Deserialize)]
struct LinkForm {
    password: String,
}

async fn do_link(
    State(community): Here,
    lang: Lang,
    request: SignInRequest,
    wants: Wants,
    body: Bytes,
) -> Result<Response> {
    let issuer = &community.oidc_provider()?.issuer;
    let token = community.oidc_token(&request);
    let db = &community.engine().db;
    let found = one_time_tokens::find(db, Purpose::OidcLink, &token).await?;
    let (account, data) = found.ok_or_else(late)?;
    let Pending { subject, next } = serde_json::from_str(&data).map_err(|_| late())?;
    let done = async {
        let LinkForm { password } = decode_form(&body)?;
        let email = community.accounts.get(account).await?.email.clone();
        let known = community.authenticate(&email, password, &request).await?;
        if known != Some(account) {
            return Err(Error::field("password", "error-password-wrong"));
        }
        let taken = community.take_oidc(Purpose::OidcLink, token).await?;
        taken.ok_or_else(late)?;
        community
            .link_identity(account, (issuer, &subject), lang)
            .await?;
        let address = request.address;
        SecurityEvent::CredentialChanged.record(account, address, "identity_linked");
        sign_in(&community, &request, account, &next).await
    }
    .await;
    match done {
        Err(error) if wants == Wants::Page => {
            let form = Form::refused("oidc-link", &body, &error, lang);
            let page = link_page(&community, lang, account, form).await?;
            Ok(show_error_in(page, &error))
        }
        Ok(response) if wants == Wants::Json => {
            let location = response.headers().get(header::LOCATION);
            let location = location.and_then(|location| location.to_str().ok());
            let outcome = Outcome::new(json!({ "account": account }), location.unwrap_or("/"));
            let mut json = answer(wants, Ok(outcome)).await?;
            for cookie in response.headers().get_all(header::SET_COOKIE) {
                let headers = json.headers_mut();
                headers.append(header::SET_COOKIE, cookie.clone());
            }
            Ok(json)
        }
        done => done,
    }
}

#[derive(Deserialize, Default)]
struct Token {
    #[serde(default)]
    token: String,
}

/// A page with a link to the provider: forms may not lead away from this server, not even by a
/// redirect.
async fn begin_link(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Query(Token { token }): Query<Token>,
) -> Result<PageAnswer> {
    let name = community.oidc_name().ok_or(Error::NotFound)?;
    let shell = layout.shell(&viewer, None, "/account/oidc").await?;
    let head = community.head(&viewer, viewer.lang.t("oidc-title"));
    app_page!(
        wants,
        OidcBeginPage {
            head,
            shell,
            name,
            token,
        }
    )
}
