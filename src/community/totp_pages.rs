//! The page that sets an authenticator up and shows recovery codes, and the second step of a
//! sign-in.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;

use super::Community;
use super::redirects::local_path;
use super::shell::Layout;
use super::sign_in_request::SignInRequest;
use super::totp::{is_secret, new_secret, otpauth, qr_svg};
use super::views::{CodesPage, SecondStepPage, TotpPage};
use crate::base::error::{Error, Result};
use crate::base::locale::Lang;
use crate::base::security_log::SecurityEvent;
use crate::engine::actions::{Outcome, decode_form};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Html, PageAnswer, Wants, answer, app_page, show_error_in};

type Here = State<Community>;

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module
        .page(
            Audience::SignedIn,
            "/account/totp",
            get(set_up).post(turn_on),
        )
        .page(
            Audience::Anyone,
            "/sign-in/code",
            get(second_step).post(do_second_step),
        )
}

async fn set_up(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
) -> Result<PageAnswer> {
    totp_page(&community, &layout, &viewer, wants, Form::default()).await
}

async fn totp_page(
    community: &Community,
    layout: &Layout,
    viewer: &Viewer,
    wants: Wants,
    form: Form,
) -> Result<PageAnswer> {
    let shell = layout.shell(viewer, None, "/account/totp").await?;
    // A form that comes back keeps its secret: the app has it already.
    let secret = match form.value("secret") {
        kept if is_secret(kept) => kept.to_owned(),
        _ => new_secret()?,
    };
    let origin = community.public_origin().await?;
    let server = origin.split_once("://").map_or("", |(_, host)| host);
    let address = otpauth(&secret, server, &viewer.name);
    let groups: Vec<&str> = (0..secret.len())
        .step_by(4)
        .map(|start| &secret[start..secret.len().min(start + 4)])
        .collect();
    let key = groups.join(" ");
    app_page!(
        wants,
        TotpPage {
            head: community.head(viewer, viewer.lang.t("totp-title")),
            shell,
            form,
            is_on: community.totp_state(viewer.account).await?.is_on,
            qr: qr_svg(&address).unwrap_or_default(),
            address,
            key,
            secret,
        }
    )
}

#[derive(Deserialize)]
struct TotpForm {
    secret: String,
    code: String,
    current_password: String,
}

/// Answers with the recovery codes, which are never shown again.
async fn turn_on(
    State(community): Here,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    body: Bytes,
) -> Result<Response> {
    let done = async {
        let TotpForm {
            secret,
            code,
            current_password,
        } = decode_form(&body)?;
        community
            .check_own_password(&viewer, current_password)
            .await?;
        community.turn_totp_on(&viewer, secret, &code).await
    }
    .await;
    match done {
        Ok(codes) if wants == Wants::Json => {
            Ok(axum::Json(json!({ "recovery_codes": codes })).into_response())
        }
        Ok(codes) => {
            let shell = layout.shell(&viewer, None, "/account/totp").await?;
            let head = community.head(&viewer, viewer.lang.t("codes-title"));
            let page: Result<PageAnswer> = app_page!(wants, CodesPage { head, shell, codes });
            Ok(([(header::CACHE_CONTROL, "no-store")], page?).into_response())
        }
        Err(error) if wants == Wants::Page => {
            let form = Form::refused("totp", &body, &error, viewer.lang);
            let page = totp_page(&community, &layout, &viewer, wants, form).await?;
            Ok(show_error_in(page, &error))
        }
        Err(error) => Err(error),
    }
}

async fn second_step(
    State(community): Here,
    lang: Lang,
    request: SignInRequest,
) -> Result<Response> {
    if community.find_second_step(&request).await?.is_none() {
        return Ok(Redirect::to("/").into_response());
    }
    Ok(second_step_page(&community, lang, Form::default())?.into_response())
}

fn second_step_page(community: &Community, lang: Lang, form: Form) -> Result<Html> {
    let pages = &community.engine().pages;
    let head = pages.head(lang, None, lang.t("second-step-title"));
    Html::of(&SecondStepPage { head, form })
}

#[derive(Deserialize)]
struct CodeForm {
    code: String,
}

async fn do_second_step(
    State(community): Here,
    lang: Lang,
    request: SignInRequest,
    wants: Wants,
    body: Bytes,
) -> Result<Response> {
    let found = community.find_second_step(&request).await?;
    let Some((account, next)) = found else {
        return Err(Error::field("form", "error-second-step-over"));
    };
    let done = async {
        let CodeForm { code } = decode_form(&body)?;
        let address = request.address;
        community
            .count_code(account, address)
            .inspect_err(|_| SecurityEvent::SignInRefused.record(account, address, "too_many"))?;
        if !community.use_code(account, &code).await? {
            SecurityEvent::SignInRefused.record(account, address, "wrong_code");
            return Err(Error::field("code", "error-code-wrong"));
        }
        community.end_second_step(&request).await?;
        request.sign_in(&community, account, "code").await?;
        let next = local_path(&next).to_owned();
        Ok(Outcome::new(json!({ "account": account }), next))
    }
    .await;
    match done {
        Err(error) if wants == Wants::Page => {
            let form = Form::refused("code", &body, &error, lang);
            let page = second_step_page(&community, lang, form)?;
            Ok(show_error_in(page, &error))
        }
        done => Ok(request.with_cookie(answer(wants, done).await?)),
    }
}
