//! Errors as answers: a page, a fragment or JSON, by what the client asked for.

use std::time::Duration;

use askama::Template;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde_json::json;

use super::head::{Head, Pages};
use super::wants::{Wants, is_navigation};
use crate::base::error::{Allowance, Error};
use crate::base::locale::Lang;
use crate::engine::forms::MAX_FORM_BYTES;
use crate::engine::problem::{problem, retry_after, seconds, words_of};

impl Error {
    /// The HTTP status of this kind of error.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::SignInFirst => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) | Self::ForbiddenWith(..) => StatusCode::FORBIDDEN,
            Self::WrongHost => StatusCode::MISDIRECTED_REQUEST,
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

/// Inserts what is left of a rate limit: `X-RateLimit-Limit`, `-Remaining`, and `-Reset`, the
/// seconds until all of it is available again.
pub(super) fn insert_allowance_headers(left: &Allowance, headers: &mut HeaderMap) {
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

/// Inserts when the same request may succeed: `Retry-After` in seconds, and the rate limit's
/// headers where one was reached.
pub(super) fn insert_retry_headers(error: &Error, headers: &mut HeaderMap) {
    if let Some(seconds) = retry_after(error) {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if let Error::TooMany(left) = error {
        insert_allowance_headers(left, headers);
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
struct ErrorFragment {
    message: String,
    fields: Vec<(&'static str, String)>,
}

/// Headers of the response that stay when an error is rendered for it; so do those of tus
/// (`tus-…`).
const KEPT_HEADERS: [HeaderName; 4] = [
    header::ALLOW,
    header::CONNECTION,
    header::CONTENT_RANGE,
    header::SET_COOKIE,
];

/// Renders errors as the client of one request wants them. Made before the handler takes the
/// request.
pub(super) struct ErrorRenderer<'a> {
    pages: &'a Pages,
    /// Names the request on error pages and in the log.
    request_id: &'a str,
    /// Used where the viewer's language is not known.
    lang: Lang,
    is_navigation: bool,
    wants: Wants,
    is_get: bool,
    uri: Uri,
}

impl<'a> ErrorRenderer<'a> {
    pub(super) fn new(
        pages: &'a Pages,
        request_id: &'a str,
        request: &Request,
        lang: Lang,
    ) -> Self {
        let is_navigation = is_navigation(request.headers());
        let wants = if is_navigation {
            Wants::Page
        } else {
            Wants::from_headers(request.headers())
        };
        Self {
            pages,
            request_id,
            lang,
            is_navigation,
            wants,
            is_get: request.method() == Method::GET,
            uri: request.uri().clone(),
        }
    }

    /// The answer to `error` in the viewer's language, in place of `response`, which only has its
    /// status and its headers.
    pub(super) fn render(
        self,
        error: &Error,
        viewer_lang: Option<Lang>,
        response: &Response,
    ) -> Response {
        if let Error::Internal(cause) = error {
            tracing::error!(request = %self.request_id, "{cause:#}");
        }
        let is_sign_in_needed =
            matches!(error, Error::SignInFirst) && self.wants == Wants::Page && self.is_get;
        let mut rendered = if is_sign_in_needed {
            self.redirect_to_sign_in()
        } else {
            let lang = viewer_lang.unwrap_or(self.lang);
            let mut rendered = self.render_body(error, response.status(), lang);
            let headers = rendered.headers_mut();
            insert_retry_headers(error, headers);
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            rendered
        };
        for (name, value) in response.headers() {
            if KEPT_HEADERS.contains(name) || name.as_str().starts_with("tus-") {
                rendered.headers_mut().append(name, value.clone());
            }
        }
        rendered
    }

    fn redirect_to_sign_in(&self) -> Response {
        let path = self.uri.path_and_query().map_or("/", |path| path.as_str());
        let sign_in = format!("/sign-in?next={}", form_encode(path));
        // htmx would follow a redirect and swap the sign-in page into a part of this one. With
        // `hx-redirect` the browser goes there itself.
        if self.is_navigation {
            (StatusCode::NO_CONTENT, [("hx-redirect", sign_in)]).into_response()
        } else {
            Redirect::to(&sign_in).into_response()
        }
    }

    fn render_body(&self, error: &Error, status: StatusCode, lang: Lang) -> Response {
        // Templates of strings do not fail; if one ever does, the status is left.
        match self.wants {
            Wants::Page => {
                let heading = lang.t(heading(status));
                let page = ErrorPage {
                    head: self.pages.head(lang, None, heading),
                    status: status.as_u16(),
                    heading,
                    message: words_of(error, lang),
                    request: self.request_id.to_owned(),
                };
                (status, Html(page.render().unwrap_or_default())).into_response()
            }
            Wants::Fragment => {
                let fields = match error {
                    Error::Invalid(fields) => fields
                        .iter()
                        .map(|f| (f.field, lang.with(f.key, &[("limit", f.limit.into())])))
                        .collect(),
                    _ => Vec::new(),
                };
                let fragment = ErrorFragment {
                    message: words_of(error, lang),
                    fields,
                };
                (status, Html(fragment.render().unwrap_or_default())).into_response()
            }
            Wants::Json => {
                let body = json!({ "error": problem(error, lang) });
                (status, axum::Json(body)).into_response()
            }
        }
    }
}

fn form_encode(path: &str) -> String {
    serde_html_form::to_string([("", path)])
        .unwrap_or_default()
        .trim_start_matches('=')
        .to_owned()
}

/// The error of a response that failed without one: the framework's own.
pub(super) fn error_for_status(status: StatusCode) -> Error {
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
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge("error-form-large", MAX_FORM_BYTES as u64),
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
        421 => "error-heading-wrong-host",
        429 => "error-heading-too-many",
        500..=599 => "error-heading-internal",
        _ => "error-heading-invalid",
    }
}
