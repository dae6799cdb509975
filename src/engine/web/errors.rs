//! Errors in words: a page, a fragment or JSON, by what was asked for.

use std::time::Duration;

use askama::Template;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;

use super::pages::{Head, Html, Pages};
use super::wants::{Wants, is_navigation};
use crate::base::error::{Allowance, Error};
use crate::base::locale::Lang;
use crate::engine::problem::{problem, retry_after, seconds, words_of};

impl Error {
    /// The HTTP status of this kind of error.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::SignInFirst => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge(..) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Full(_) => StatusCode::INSUFFICIENT_STORAGE,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// A handler's error is only marked here; [`Asked::worded`] words it, knowing the request.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(std::sync::Arc::new(self));
        response
    }
}

/// Tells programs what is left of a limit: `X-RateLimit-Limit`, `-Remaining`, and `-Reset`, the
/// seconds until all of it is there again.
pub fn allowance_headers(left: &Allowance, headers: &mut HeaderMap) {
    headers.insert(
        HeaderName::from_static("x-ratelimit-limit"),
        left.limit.into(),
    );
    headers.insert(
        HeaderName::from_static("x-ratelimit-remaining"),
        left.remaining.into(),
    );
    headers.insert(
        HeaderName::from_static("x-ratelimit-reset"),
        seconds(left.reset).into(),
    );
}

/// Tells when to try again after an error that passes: `Retry-After`, and what is left of a limit.
pub fn retry_headers(error: &Error, headers: &mut HeaderMap) {
    if let Some(seconds) = retry_after(error) {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if let Error::TooMany(left) = error {
        allowance_headers(left, headers);
    }
}

#[derive(Template)]
#[template(path = "engine/error.html")]
struct ErrorPage {
    head: Head,
    status: u16,
    heading: &'static str,
    message: String,
    request: String,
}

#[derive(Template)]
#[template(path = "engine/error_fragment.html")]
struct ErrorFragment<'a> {
    message: &'a str,
    fields: Vec<(&'static str, String)>,
}

/// Marks an answer that says in words what went wrong.
#[derive(Clone, Copy)]
pub(super) struct Worded;

/// Whether an answer says that something went wrong.
pub(super) fn has_failed(response: &Response) -> bool {
    response.status().is_client_error() || response.status().is_server_error()
}

/// Headers of an answer that stay when it is worded.
const BESIDE: [HeaderName; 4] = [
    header::ALLOW,
    header::CONNECTION,
    header::CONTENT_RANGE,
    header::SET_COOKIE,
];

/// How a request asked, as far as it matters to an answer in words.
pub(super) struct Asked {
    lang: Lang,
    navigates: bool,
    wants: Wants,
    is_get: bool,
    uri: Uri,
}

impl Asked {
    /// `lang` is the language of an answer to somebody who is not known.
    pub(super) fn of(request: &Request, lang: Lang) -> Self {
        let navigates = is_navigation(request.headers());
        let wants = if navigates {
            Wants::Page
        } else {
            Wants::of(request.headers())
        };
        Self {
            lang,
            navigates,
            wants,
            is_get: request.method() == Method::GET,
            uri: request.uri().clone(),
        }
    }

    /// Words an error answer, ours or the framework's, in the form that was asked for; `id` names
    /// the request.
    pub(super) fn worded(self, pages: &Pages, id: &str, response: Response) -> Response {
        // A page that shows a refused form is worded, and so may an answer be that follows a
        // protocol.
        if !has_failed(&response)
            || response.headers().contains_key(header::ETAG)
            || response.extensions().get::<Worded>().is_some()
        {
            return response;
        }
        let mut worded = self.word(pages, id, &response);
        worded.extensions_mut().insert(Worded);
        // What is said beside the words: a session that was renewed or has ended, and by protocols,
        // such as which methods there are.
        for (name, value) in response.headers() {
            if BESIDE.contains(name) || name.as_str().starts_with("tus-") {
                worded.headers_mut().append(name, value.clone());
            }
        }
        worded
    }

    fn word(self, pages: &Pages, id: &str, response: &Response) -> Response {
        let Self {
            lang,
            navigates,
            wants,
            is_get,
            uri,
        } = self;
        let lang = response.extensions().get::<Lang>().copied().unwrap_or(lang);
        let error = match response.extensions().get::<std::sync::Arc<Error>>() {
            Some(error) => error.clone(),
            None => std::sync::Arc::new(by_status(response.status())),
        };
        if let Error::Internal(cause) = &*error {
            tracing::error!(request = %id, "{cause:#}");
        }
        // A status of the framework's own (405, 413 …) is more exact than ours.
        let status = if response
            .extensions()
            .get::<std::sync::Arc<Error>>()
            .is_some()
        {
            error.status()
        } else {
            response.status()
        };
        let mut worded = match wants {
            Wants::Page if matches!(*error, Error::SignInFirst) && is_get => {
                let path = uri.path_and_query().map_or("/", |path| path.as_str());
                let door = format!("/sign-in?next={}", form_encode(path));
                // The door is not a part of the page around it: the browser has to go there itself.
                return if navigates {
                    (StatusCode::NO_CONTENT, [("hx-redirect", door)]).into_response()
                } else {
                    Redirect::to(&door).into_response()
                };
            }
            Wants::Page => {
                let heading = lang.t(heading(status));
                let head = pages.head(lang, None, heading);
                let page = ErrorPage {
                    head,
                    status: status.as_u16(),
                    heading,
                    message: words_of(&error, lang),
                    request: id.to_owned(),
                };
                // A template of strings does not fail; if it ever does, the status line still
                // tells.
                (
                    status,
                    axum::response::Html(page.render().unwrap_or_default()),
                )
                    .into_response()
            }
            Wants::Fragment => {
                let problem = problem(&error, lang);
                let fields = match &*error {
                    Error::Invalid(fields) => fields
                        .iter()
                        .map(|f| (f.field, lang.with(f.key, &[("limit", f.limit.into())])))
                        .collect(),
                    _ => Vec::new(),
                };
                match Html::of(
                    &(ErrorFragment {
                        message: &problem.message,
                        fields,
                    }),
                ) {
                    Ok(html) => (status, html).into_response(),
                    Err(_) => status.into_response(),
                }
            }
            Wants::Json => (
                status,
                axum::Json(json!({ "error": problem(&error, lang) })),
            )
                .into_response(),
        };
        retry_headers(&error, worded.headers_mut());
        worded
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        worded
    }
}

/// An error in words for a program, under a status of a protocol's own.
pub fn worded(status: StatusCode, error: &Error, lang: Lang) -> Response {
    let mut response =
        (status, axum::Json(json!({ "error": problem(error, lang) }))).into_response();
    response.extensions_mut().insert(Worded);
    response
}

fn form_encode(path: &str) -> String {
    serde_html_form::to_string([("", path)])
        .unwrap_or_default()
        .trim_start_matches('=')
        .to_owned()
}

fn by_status(status: StatusCode) -> Error {
    match status {
        StatusCode::UNAUTHORIZED => Error::SignInFirst,
        StatusCode::FORBIDDEN => Error::Forbidden("error-other-site"),
        StatusCode::TOO_MANY_REQUESTS => {
            Error::TooMany(Allowance::used_up(1, Duration::from_secs(1)))
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => Error::NotFound,
        StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::REQUEST_TIMEOUT
        | StatusCode::GATEWAY_TIMEOUT => Error::Unavailable,
        StatusCode::PAYLOAD_TOO_LARGE => Error::field("form", "error-too-large"),
        StatusCode::METHOD_NOT_ALLOWED => Error::field("form", "error-method"),
        status if status.is_client_error() => Error::field("form", "error-message-shape"),
        _ => Error::Internal(anyhow::anyhow!("answered {status}")),
    }
}

fn heading(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "error-heading-sign-in",
        403 => "error-heading-forbidden",
        404 => "error-heading-not-found",
        429 => "error-heading-too-many",
        500..=599 => "error-heading-internal",
        _ => "error-heading-invalid",
    }
}
