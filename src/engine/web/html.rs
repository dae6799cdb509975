//! Answers of HTML, and how templates become one.

use std::hash::{DefaultHasher, Hasher};

use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::part::has_parts;
use crate::base::error::{Error, Result};

/// HTML as an answer: a page or a fragment without parts, with an entity tag of its bytes.
///
/// Under a status that says that something failed, an error is rendered in its place; a page that
/// shows an error itself is answered by [`show_error_in`](super::show_error_in).
pub struct Html(pub String);

impl Html {
    /// A rendered template.
    ///
    /// # Errors
    /// `Internal` when the template fails, which only a failing value in it can cause, or when it
    /// places a part.
    pub fn of(template: &impl Template) -> Result<Self> {
        let html = render(template)?;
        if has_parts(&html) {
            return Err(Error::Internal(anyhow::anyhow!(
                "a template that places parts has to be answered as PageAnswer"
            )));
        }
        Ok(Self(html))
    }
}

impl IntoResponse for Html {
    fn into_response(self) -> Response {
        let mut hasher = DefaultHasher::new();
        hasher.write(self.0.as_bytes());
        // Weak: the same HTML is sent in several content codings.
        let etag = format!("W/\"{:016x}\"", hasher.finish());
        let mut response = axum::response::Html(self.0).into_response();
        let headers = response.headers_mut();
        if let Ok(etag) = HeaderValue::from_str(&etag) {
            headers.insert(header::ETAG, etag);
        }
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("private, no-cache"),
        );
        headers.insert(
            header::VARY,
            HeaderValue::from_static("accept-language, cookie, hx-request"),
        );
        response
    }
}

/// The text of a template.
///
/// # Errors
/// `Internal` when the template fails, which only a failing value in it can cause.
pub(super) fn render(template: &impl Template) -> Result<String> {
    template
        .render()
        .map_err(|error| Error::Internal(anyhow::Error::new(error).context("a template failed")))
}

/// Renders a page inside the shell: whole, or only its `app` block when htmx asks for it.
macro_rules! app_page {
    ($wants:expr, $view:expr) => {{
        let view = $view;
        match $wants {
            $crate::engine::web::Wants::Fragment => {
                $crate::engine::web::PageAnswer::of(&view.as_app(), &view.shell.parts)
            }
            _ => $crate::engine::web::PageAnswer::of(&view, &view.shell.parts),
        }
    }};
}
pub(crate) use app_page;
