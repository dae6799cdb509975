//! What a response still needs on its way out: one state in its extensions, [`Finish`], which only
//! the functions of this file set, read and take.
//!
//! A handler answers before it is known in which form, language and content coding the client wants
//! the answer. It leaves a page in parts or an error, which [`finish`] turns into a body, once, in
//! `request_context` (`middleware.rs`). A response without a state is complete, unless its status
//! says that it failed: then it is the framework's (405, 413, a timeout), and an error is rendered
//! for its status.

use std::mem::replace;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::content_coding::Coding;
use super::errors::{ErrorRenderer, error_for_status, insert_retry_headers};
use super::page::Page;
use crate::base::error::Error;
use crate::base::ids::AccountId;
use crate::base::locale::Lang;
use crate::engine::problem::problem;
use crate::engine::versions::Snapshot;

/// The state of a response. `Arc`s, because extensions have to be `Clone`.
#[derive(Clone)]
enum Finish {
    /// A page without its body, which is made for the content coding that the client accepts.
    Page {
        page: Arc<Page>,
        cache_tag: Option<CacheTag>,
    },
    /// An error, to be rendered as a page, a fragment or JSON. `lang` is that of the viewer;
    /// without one, the client's first choice.
    Error {
        error: Arc<Error>,
        lang: Option<Lang>,
    },
    /// Complete, and the page cache may keep it.
    Cacheable(CacheTag),
    /// Complete, also when its status says that it failed.
    Done,
}

/// What a page was made from, and for which account: what the page cache needs to know.
#[derive(Clone)]
pub(super) struct CacheTag {
    pub(super) snapshot: Snapshot,
    pub(super) account: AccountId,
}

/// The status alone: [`finish`] renders the error.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Finish::Error {
            error: Arc::new(self),
            lang: None,
        });
        response
    }
}

/// Leaves a page whose body [`finish`] makes.
pub(super) fn set_page(response: &mut Response, page: Page, cache_tag: Option<CacheTag>) {
    response.extensions_mut().insert(Finish::Page {
        page: Arc::new(page),
        cache_tag,
    });
}

/// Keeps the body of a response, although its status says that it failed. A page whose body is not
/// made yet stays one.
pub(super) fn set_done(response: &mut Response) {
    if !matches!(
        response.extensions().get::<Finish>(),
        Some(Finish::Page { .. })
    ) {
        response.extensions_mut().insert(Finish::Done);
    }
}

/// Sets the language in which the error is rendered, if there will be one.
pub(super) fn set_error_lang(response: &mut Response, viewer_lang: Lang) {
    let status = response.status();
    match response.extensions_mut().get_mut::<Finish>() {
        Some(Finish::Error { lang, .. }) => *lang = Some(viewer_lang),
        Some(_) => {}
        None if has_failed(status) => {
            response.extensions_mut().insert(Finish::Error {
                error: Arc::new(error_for_status(status)),
                lang: Some(viewer_lang),
            });
        }
        None => {}
    }
}

/// Makes what a response lacks: the body of a page, or of an error.
pub(super) fn finish(
    mut response: Response,
    coding: Coding,
    renderer: ErrorRenderer<'_>,
) -> Response {
    let status = response.status();
    let Some(state) = response.extensions_mut().get_mut::<Finish>() else {
        return match has_failed(status) {
            true => renderer.render(&error_for_status(status), None, &response),
            false => response,
        };
    };
    match replace(state, Finish::Done) {
        Finish::Page { page, cache_tag } => {
            if let (Some(cache_tag), StatusCode::OK) = (cache_tag, status) {
                *state = Finish::Cacheable(cache_tag);
            }
            if let Some(name) = coding.name() {
                response
                    .headers_mut()
                    .insert(header::CONTENT_ENCODING, name);
            }
            let body = page.body(coding);
            // The router has set it already, for the empty body.
            response
                .headers_mut()
                .insert(header::CONTENT_LENGTH, body.len().into());
            *response.body_mut() = Body::from(body);
            response
        }
        Finish::Error { error, lang } => renderer.render(&error, lang, &response),
        Finish::Cacheable(_) | Finish::Done => response,
    }
}

/// Takes the state of a finished response that may be kept.
pub(super) fn take_cache_tag(response: &mut Response) -> Option<CacheTag> {
    match response.extensions_mut().remove::<Finish>() {
        Some(Finish::Cacheable(cache_tag)) => Some(cache_tag),
        _ => None,
    }
}

/// Answers an error with a page that shows it, such as the form that was refused: its body is kept,
/// under the error's status and with `Retry-After` where the same request may succeed later.
pub fn show_error_in(page: impl IntoResponse, error: &Error) -> Response {
    let mut response = page.into_response();
    *response.status_mut() = error.status();
    insert_retry_headers(error, response.headers_mut());
    set_done(&mut response);
    response
}

/// An error as JSON, whatever the client asked for, under a status that a protocol defines.
pub fn problem_response(status: StatusCode, error: &Error, lang: Lang) -> Response {
    let mut response =
        (status, axum::Json(json!({ "error": problem(error, lang) }))).into_response();
    set_done(&mut response);
    response
}

fn has_failed(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::extract::Request;

    use super::*;
    use crate::engine::versions::Versions;
    use crate::engine::web::{Html, Pages};

    fn finished(response: impl IntoResponse) -> Response {
        let (pages, request) = (Pages::default(), Request::default());
        let renderer = ErrorRenderer::new(&pages, "id", &request, Lang::default());
        finish(response.into_response(), Coding::Identity, renderer)
    }

    async fn text(response: Response) -> String {
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn page_that_shows_an_error_keeps_its_body() {
        let error = Error::field("form", "error-sign-in");
        let html = show_error_in(Html("the form".into()), &error);
        let page = show_error_in(page("the form"), &error);
        for shown in [html, page] {
            let response = finished(shown);
            assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
            assert_eq!(text(response).await, "the form");
        }
    }

    #[tokio::test]
    async fn failed_status_is_rendered_whatever_its_headers() {
        let failed = (StatusCode::NOT_FOUND, [(header::ETAG, "\"1\"")], "plain");
        let response = finished(failed);
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        let heading = Lang::default().t("error-heading-not-found");
        assert!(text(response).await.contains(heading));
    }

    #[test]
    fn only_pages_that_succeed_are_cacheable() {
        assert!(take_cache_tag(&mut finished(page("page"))).is_some());
        let mut failed = finished(show_error_in(page("page"), &Error::Unavailable));
        assert!(take_cache_tag(&mut failed).is_none());
    }

    fn page(html: &str) -> Response {
        let deps = Versions::default().dependencies();
        let cache_tag = CacheTag {
            snapshot: deps.snapshot(),
            account: AccountId(1),
        };
        let mut response = Response::default();
        set_page(
            &mut response,
            Page::new(html, &[]).unwrap(),
            Some(cache_tag),
        );
        response
    }
}
