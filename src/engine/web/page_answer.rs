//! Answers of pages in parts.

use std::sync::Arc;

use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::finish::{CacheTag, set_page};
use super::html::render;
use super::page::Page;
use super::part::Part;
use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::engine::versions::Dependencies;

/// A page as an answer. Its body is made on the way out, for the content coding that the client
/// accepts.
pub struct PageAnswer {
    page: Page,
    cache_tag: Option<CacheTag>,
}

impl PageAnswer {
    /// A template that places the parts of `parts`, or some of them.
    ///
    /// # Errors
    /// `Internal` when the template fails, or places a part that is not among these.
    pub fn of(template: &impl Template, parts: &[Arc<Part>]) -> Result<Self> {
        Ok(Self {
            page: Page::new(&render(template)?, parts)?,
            cache_tag: None,
        })
    }

    /// A part alone.
    ///
    /// # Errors
    /// None; the type is that of [`Self::of`].
    pub fn of_part(part: &Arc<Part>) -> Result<Self> {
        Ok(Self {
            page: Page::new(&part.to_string(), std::slice::from_ref(part))?,
            cache_tag: None,
        })
    }

    /// Lets the page cache give this answer to the account again until one of `deps` changes. All
    /// that the page was made from has to be among them, and to have been added before it was read.
    pub fn depends_on(self, deps: &Dependencies, account: AccountId) -> Self {
        Self {
            cache_tag: Some(CacheTag {
                snapshot: deps.snapshot(),
                account,
            }),
            ..self
        }
    }
}

impl IntoResponse for PageAnswer {
    fn into_response(self) -> Response {
        let Self { page, cache_tag } = self;
        let mut response = Response::default();
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CACHE_CONTROL, "private, no-cache"),
            (
                header::VARY,
                "accept-encoding, accept-language, cookie, hx-request",
            ),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert(header::ETAG, page.etag().clone());
        set_page(&mut response, page, cache_tag);
        response
    }
}
