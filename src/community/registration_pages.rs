//! The page that strangers make an account on, and the host's page that says whether they may.

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;

use super::Community;
use super::accounts::NewAccount;
use super::redirects::local_path;
use super::shell::{Layout, Shell};
use super::sign_in_request::SignInRequest;
use crate::base::error::{Error, Result};
use crate::base::locale::Lang;
use crate::engine::actions::{Outcome, decode_form};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, Html, PageAnswer, Wants, answer, app_page, show_error_in};

type Here = State<Community>;

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .page(
            Audience::Anyone,
            "/register",
            get(register).post(do_register),
        )
        .page(Audience::SignedIn, "/registration", get(registration))
}

#[derive(Template)]
#[template(path = "community/register.html")]
struct RegisterPage {
    head: Head,
    form: Form,
    next: String,
}

#[derive(Deserialize, Default)]
struct Next {
    #[serde(default)]
    next: String,
}

/// Where a new account goes that did not come from anywhere.
fn next_page(next: &str) -> String {
    match local_path(next) {
        "/" => "/spaces/open".to_owned(),
        next => next.to_owned(),
    }
}

/// `GET /register?next=…`: no such page where strangers may not make accounts.
async fn register(
    State(community): Here,
    lang: Lang,
    viewer: Option<Viewer>,
    Query(Next { next }): Query<Next>,
    form: Form,
) -> Result<Response> {
    let next = next_page(&next);
    if viewer.is_some_and(|viewer| !viewer.is_guest) {
        return Ok(Redirect::to(&next).into_response());
    }
    if !community.is_registration_open().await? {
        return Err(Error::NotFound);
    }
    Ok(page(&community, lang, form, next)?.into_response())
}

fn page(community: &Community, lang: Lang, form: Form, next: String) -> Result<Html> {
    let pages = &community.engine().pages;
    let head = pages.head(lang, None, lang.t("register-title"));
    Html::of(&RegisterPage { head, form, next })
}

#[derive(Deserialize)]
struct RegisterForm {
    name: String,
    email: String,
    password: String,
    #[serde(default)]
    next: String,
}

async fn do_register(
    State(community): Here,
    lang: Lang,
    request: SignInRequest,
    wants: Wants,
    body: Bytes,
) -> Result<Response> {
    let next = decode_form(&body).unwrap_or_else(|_| Next::default()).next;
    let done = async {
        let form: RegisterForm = decode_form(&body)?;
        let new = NewAccount {
            name: form.name,
            email: form.email,
            password: form.password,
        };
        let account = community.register(new, request.address).await?;
        request.sign_in(&community, account, "registered").await?;
        let outcome = json!({ "account": account });
        Ok(Outcome::new(outcome, next_page(&form.next)))
    }
    .await;
    match done {
        Err(error) if wants == Wants::Page => {
            let form = Form::refused("register", &body, &error, lang);
            Ok(show_error_in(
                page(&community, lang, form, next_page(&next))?,
                &error,
            ))
        }
        done => Ok(request.with_cookie(answer(wants, done).await?)),
    }
}

#[derive(Template)]
#[template(path = "community/registration.html", blocks = ["app"])]
struct RegistrationPage {
    head: Head,
    shell: Shell,
    form: Form,
    is_open: bool,
    /// Accounts that strangers made within a day.
    today: i64,
}

/// `GET /registration`: for the host.
async fn registration(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
) -> Result<PageAnswer> {
    let today = community.registered_today(viewer.account).await?;
    let shell = layout.shell(&viewer, None, "/registration").await?;
    app_page!(
        wants,
        RegistrationPage {
            head: community.head(&viewer, viewer.lang.t("registration-title")),
            shell,
            form,
            is_open: community.is_registration_open().await?,
            today,
        }
    )
}
