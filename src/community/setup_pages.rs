//! The setup page, and who may use it: the first visitor must not own a new server over the
//! network.

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;

use super::Community;
use super::accounts::NewAccount;
use super::setup::Setup;
use super::sign_in_request::SignInRequest;
use super::views::SetupPage;
use crate::base::error::{Error, Result};
use crate::base::locale::Lang;
use crate::base::security_log::SecurityEvent;
use crate::engine::actions::{Outcome, decode_form};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::web::{Html, Wants, answer, requested_host, show_error_in};

type Here = State<Community>;

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module.page(Audience::Anyone, "/setup", get(setup).post(set_up))
}

/// The token of the link that the server printed at its start.
#[derive(Deserialize, Default)]
struct Token {
    #[serde(default)]
    token: String,
}

async fn setup(
    State(community): Here,
    lang: Lang,
    request: SignInRequest,
    Query(Token { token }): Query<Token>,
    form: Form,
) -> Result<Html> {
    // Once there is a host, the page does not exist.
    if community.is_set_up().await? {
        return Err(Error::NotFound);
    }
    check_token(&community, &request, &token)?;
    page(&community, lang, form, token)
}

fn page(community: &Community, lang: Lang, form: Form, token: String) -> Result<Html> {
    let pages = &community.engine().pages;
    let head = pages.head(lang, None, lang.t("setup-title"));
    Html::of(&SetupPage { head, form, token })
}

/// Lets a request pass that has the token, or comes from this machine.
///
/// # Errors
/// `Forbidden` for all others.
fn check_token(community: &Community, request: &SignInRequest, token: &str) -> Result<()> {
    let settings = &community.engine().settings;
    // What a proxy on this machine passes on looks as if it came from here.
    let has_proxy = settings.behind_proxy || settings.https;
    if (request.is_from_own_machine && !has_proxy) || community.setup_token.is_equal(token) {
        return Ok(());
    }
    SecurityEvent::RequestRefused.record(None, request.address, "setup_token");
    Err(Error::Forbidden("error-setup-token"))
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
    request: SignInRequest,
    wants: Wants,
    body: Bytes,
) -> Result<Response> {
    let Token { token } = decode_form(&body).unwrap_or_default();
    if !community.is_set_up().await? {
        check_token(&community, &request, &token)?;
    }
    match create_community(&community, &request, &body).await {
        Err(error) if wants == Wants::Page && !matches!(error, Error::Conflict(_)) => {
            let form = Form::refused("setup", &body, &error, lang);
            Ok(show_error_in(page(&community, lang, form, token)?, &error))
        }
        done => Ok(request.with_cookie(answer(wants, done).await?)),
    }
}

async fn create_community(
    community: &Community,
    request: &SignInRequest,
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
    let setup = Setup {
        community: name,
        owner,
        host: requested_host(&request.headers).unwrap_or_default(),
    };
    let (account, space) = community.set_up(setup).await?;
    SecurityEvent::SetUp.record(account, request.address, "setup");
    request.sign_in(community, account, "setup").await?;
    Ok(Outcome::new(
        json!({ "account": account, "space": space }),
        format!("/spaces/{space}/start"),
    ))
}
