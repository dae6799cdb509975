//! `POST /act/<name>`: every declared action over HTTP, as a form or as JSON.

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

use super::confirmation::confirmation;
use super::errors::insert_allowance_headers;
use super::finish::show_error_in;
use super::head::Pages;
use super::html::Html;
use super::request_context::RequestContext;
use super::wants::Wants;
use crate::base::error::{Error, Result};
use crate::base::telemetry::refused;
use crate::engine::actions::{Action, Actions, Outcome};
use crate::engine::files::{Transfers, take_form};
use crate::engine::forms::{Form, MAX_FORM_BYTES};
use crate::engine::viewer::Viewer;

/// For the handler of a request, which begins when its form has arrived.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// A longer form is not shown again: escaped, its values take up to six times as many bytes. The
/// longest message fits, with every byte percent-encoded.
const MAX_REDISPLAYED_BYTES: usize = 64 << 10;

struct Act {
    actions: Actions,
    transfers: Transfers,
    /// The modules' routes, to show the page of a refused form again.
    pages: Router,
    heads: Pages,
}

pub(super) fn routes(
    actions: Actions,
    transfers: Transfers,
    pages: Router,
    heads: Pages,
) -> Router {
    Router::new()
        .route("/act/{action}", post(act))
        .with_state(Arc::new(Act {
            actions,
            transfers,
            pages,
            heads,
        }))
}

async fn act(
    State(state): State<Arc<Act>>,
    Path(name): Path<String>,
    context: RequestContext,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    let viewer = context.viewer().ok_or(Error::SignInFirst)?;
    let is = |kind: &[u8]| {
        headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|given| given.as_bytes().starts_with(kind))
    };
    let json = is(b"application/json");
    let wants = if json {
        Wants::Json
    } else {
        Wants::from_headers(&headers)
    };
    let referer = headers
        .get(header::REFERER)
        .and_then(|referer| path_of(referer.to_str().ok()?, &headers));
    let mut fields = Vec::new();
    let (left, result) = match state.actions.admit(viewer, &name) {
        Err(error) => (None, Err(error)),
        Ok((action, left)) => {
            let body = match (action.files(), is(b"multipart/form-data")) {
                (Some(kind), true) => {
                    take_form(&state.transfers, viewer, kind, &headers, body).await
                }
                // Its body streams, and nothing would bound the time that it takes.
                (None, true) => {
                    refused("form_without_files");
                    Err(Error::field("form", "error-message-shape"))
                }
                (_, false) => read_body(body).await,
            };
            let result = match body {
                Ok(body) => {
                    fields = body;
                    if wants == Wants::Page
                        && let Some(page) =
                            confirmation(&state.heads, viewer, &name, &fields, referer.clone())?
                    {
                        return Ok(page.into_response());
                    }
                    let run = run(action, viewer, json, &fields);
                    timeout(REQUEST_TIMEOUT, run)
                        .await
                        .unwrap_or(Err(Error::Unavailable))
                }
                Err(error) => Err(error),
            };
            (Some(left), result)
        }
    };
    let error = match answer(wants, result).await {
        Ok(mut response) => {
            if let Some(left) = left {
                insert_allowance_headers(&left, response.headers_mut());
            }
            return Ok(response);
        }
        Err(error) => error,
    };
    let page = referer
        .filter(|_| wants == Wants::Page && has_remedy(&error))
        .filter(|_| fields.len() <= MAX_REDISPLAYED_BYTES);
    match page {
        Some(path) => {
            let form = Form::refused(&name, &fields, &error, viewer.lang);
            let pages = state.pages.clone();
            redisplay(pages, &path, &headers, context.with_form(form), &error).await
        }
        None => Err(error),
    }
}

/// Whether the person can do something about an error on the form's own page: correct a field, or
/// send the form again later.
fn has_remedy(error: &Error) -> bool {
    matches!(
        error,
        Error::Invalid(_)
            | Error::Conflict(_)
            | Error::TooMany(_)
            | Error::Unavailable
            | Error::TooLarge(..)
            | Error::Full(_)
    )
}

/// The body of a form without files, or of JSON. It was read before the request was admitted.
async fn read_body(body: Body) -> Result<Vec<u8>> {
    let read = to_bytes(body, MAX_FORM_BYTES).await;
    let read = read.map_err(|_| Error::TooLarge("error-form-large", MAX_FORM_BYTES as u64))?;
    Ok(read.into())
}

async fn run(action: &Action, viewer: &Viewer, json: bool, fields: &[u8]) -> Result<Outcome> {
    match json {
        true => action.run_json(viewer, fields).await,
        false => action.run_form(viewer, fields).await,
    }
}

/// The answer to a successful action: JSON, a fragment, or a redirect to the next page.
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

/// The path of the page that the form is on, by its `Referer`; none if it is another host's.
fn path_of(referer: &str, headers: &HeaderMap) -> Option<String> {
    let (_, rest) = referer.split_once("://")?;
    let (authority, path) = rest.split_once('/')?;
    let host = headers.get(header::HOST)?.to_str().ok()?;
    (authority == host && !path.starts_with("act/")).then(|| format!("/{path}"))
}

/// Shows the page of a refused form again, under the error's status.
///
/// # Errors
/// `NotFound` when `path` is no address.
async fn redisplay(
    pages: Router,
    path: &str,
    headers: &HeaderMap,
    context: RequestContext,
    error: &Error,
) -> Result<Response> {
    let mut request = Request::get(path)
        .body(Body::empty())
        .map_err(|_| Error::NotFound)?;
    if let Some(language) = headers.get(header::ACCEPT_LANGUAGE) {
        request
            .headers_mut()
            .insert(header::ACCEPT_LANGUAGE, language.clone());
    }
    request.extensions_mut().insert(context);
    let Ok(response) = pages.oneshot(request).await;
    Ok(if response.status().is_success() {
        show_error_in(response, error)
    } else {
        response
    })
}
