//! `POST /act/<name>`: the one way in for every declared action over HTTP.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use tokio::time::timeout;
use tower::ServiceExt;

use super::errors::{allowance_headers, retry_headers};
use super::pages::Html;
use super::wants::Wants;
use crate::base::error::{Error, Result};
use crate::base::locale::Lang;
use crate::engine::actions::{Action, Actions, Outcome};
use crate::engine::files::{Transfers, take_form};
use crate::engine::forms::Form;
use crate::engine::viewer::{Address, Viewer};

/// How long a request may be in work, an action's once everything that was sent is there.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
// Bytes of a form: the largest message, every byte of it escaped.
pub(super) const MAX_FORM_BYTES: usize = 384 << 10;

struct Act {
    actions: Actions,
    transfers: Transfers,
    /// The pages, to show a refused form again.
    pages: Router,
}

pub(super) fn routes(actions: Actions, transfers: Transfers, pages: Router) -> Router {
    Router::new()
        .route("/act/{action}", post(act))
        .with_state(Arc::new(Act {
            actions,
            transfers,
            pages,
        }))
}

async fn act(
    State(state): State<Arc<Act>>,
    Path(name): Path<String>,
    viewer: Viewer,
    address: Address,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let is = |kind: &[u8]| {
        headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|given| given.as_bytes().starts_with(kind))
    };
    let json = is(b"application/json");
    let mut fields = Vec::new();
    let (left, result) = match state.actions.admit(&viewer, &name) {
        Err(error) => (None, Err(error)),
        Ok((action, left)) => {
            let came = match action.files() {
                Some(kind) if is(b"multipart/form-data") => {
                    take_form(&state.transfers, &viewer, kind, &headers, body).await
                }
                _ => whole(body).await,
            };
            let result = match came {
                Ok(came) => {
                    fields = came;
                    let run = run(action, &viewer, json, &fields);
                    timeout(REQUEST_TIMEOUT, run)
                        .await
                        .unwrap_or(Err(Error::Unavailable))
                }
                Err(error) => Err(error),
            };
            (Some(left), result)
        }
    };
    let lang = viewer.lang;
    let wants = if json {
        Wants::Json
    } else {
        Wants::of(&headers)
    };
    match answer(wants, result).await {
        Ok(mut response) => {
            if let Some(left) = left {
                allowance_headers(&left, response.headers_mut());
            }
            response
        }
        Err(error) if wants == Wants::Page => {
            let form = Form::refused(&name, &fields, &error, lang);
            match headers
                .get(header::REFERER)
                .and_then(|referer| path_of(referer.to_str().ok()?, &headers))
            {
                Some(path)
                    if matches!(
                        error,
                        Error::Invalid(_)
                            | Error::Conflict(_)
                            | Error::TooMany(_)
                            | Error::Unavailable
                            | Error::TooLarge(..)
                            | Error::Full(_)
                    ) =>
                {
                    redisplay(
                        state.pages.clone(),
                        &path,
                        &headers,
                        Some(viewer),
                        address,
                        lang,
                        form,
                        &error,
                    )
                    .await
                }
                _ => error.into_response(),
            }
        }
        Err(error) => error.into_response(),
    }
}

/// A form or JSON, as it came.
async fn whole(body: Body) -> Result<Vec<u8>> {
    let came = timeout(REQUEST_TIMEOUT, to_bytes(body, MAX_FORM_BYTES))
        .await
        .map_err(|_| Error::Unavailable)?;
    Ok(came
        .map_err(|_| Error::TooLarge("error-form-large", MAX_FORM_BYTES as u64))?
        .into())
}

async fn run(action: &Action, viewer: &Viewer, json: bool, fields: &[u8]) -> Result<Outcome> {
    match json {
        true => match serde_json::from_slice(fields) {
            Ok(fields) => action.run_json(viewer, fields).await,
            Err(_) => Err(Error::field("form", "error-message-shape")),
        },
        false => action.run_form(viewer, fields.to_vec()).await,
    }
}

/// What a successful action answers: JSON, a fragment, or the way to the next page.
///
/// # Errors
/// The action's own.
pub async fn answer(wants: Wants, result: Result<Outcome>) -> Result<Response> {
    let outcome = result?;
    Ok(match wants {
        Wants::Json => axum::Json(outcome.result).into_response(),
        Wants::Page => Redirect::to(&outcome.location).into_response(),
        Wants::Fragment => {
            let location = outcome.location.clone();
            match outcome.into_fragment().await? {
                Some(fragment) => Html(fragment).into_response(),
                None => (StatusCode::NO_CONTENT, [("hx-location", location)]).into_response(),
            }
        }
    })
}

/// The page a form came from, if it is one of ours.
fn path_of(referer: &str, headers: &HeaderMap) -> Option<String> {
    let (_, rest) = referer.split_once("://")?;
    let (authority, path) = rest.split_once('/')?;
    let host = headers.get(header::HOST)?.to_str().ok()?;
    (authority == host && !path.starts_with("act/")).then(|| format!("/{path}"))
}

/// Shows a page again with the form it was refused, under the error's status.
#[allow(
    clippy::too_many_arguments,
    reason = "they are the request, taken apart"
)]
pub async fn redisplay(
    pages: Router,
    path: &str,
    headers: &HeaderMap,
    viewer: Option<Viewer>,
    address: Address,
    lang: Lang,
    form: Form,
    error: &Error,
) -> Response {
    let Ok(mut request) = Request::get(path).body(axum::body::Body::empty()) else {
        return Error::NotFound.into_response();
    };
    if let Some(language) = headers.get(header::ACCEPT_LANGUAGE) {
        request
            .headers_mut()
            .insert(header::ACCEPT_LANGUAGE, language.clone());
    }
    let extensions = request.extensions_mut();
    extensions.insert(form);
    extensions.insert(lang);
    extensions.insert(address);
    if let Some(viewer) = viewer {
        extensions.insert(viewer);
    }
    let Ok(mut response) = pages.oneshot(request).await;
    if response.status().is_success() {
        *response.status_mut() = error.status();
        retry_headers(error, response.headers_mut());
    }
    response
}
