//! Which form of answer a request wants: page, fragment or JSON.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};

/// The form of answer that a request wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// A whole page: a link followed, a form without JavaScript.
    Page,
    /// A piece of a page, for htmx or our own scripts (`HX-Request`).
    Fragment,
    /// JSON, for programs (`Accept: application/json`).
    Json,
}

impl Wants {
    /// By the request's headers.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let accept = headers
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        // Who sends JSON understands it. A socket that is refused wants the status, not a redirect
        // to the sign-in page.
        let sends_json = headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        if accept.starts_with("application/json")
            || sends_json
            || headers.contains_key(header::SEC_WEBSOCKET_KEY)
        {
            Self::Json
        } else if headers.contains_key("hx-request") {
            Self::Fragment
        } else {
            Self::Page
        }
    }
}

/// Whether htmx follows a link or goes back in history: errors are then pages, not fragments.
pub(super) fn is_navigation(headers: &HeaderMap) -> bool {
    headers.contains_key("hx-boosted") || headers.contains_key("hx-history-restore-request")
}

impl<S: Sync> FromRequestParts<S> for Wants {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::from_headers(&parts.headers))
    }
}

/// Whether a page is prefetched or previewed: nobody looks at it yet, so it must not count as
/// visited. Browsers say so in `Sec-Purpose` (older ones in `Purpose` or `X-Moz`); `HEAD` counts,
/// too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IsPrefetch(pub bool);

impl IsPrefetch {
    /// By the request's headers.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let purposes = ["sec-purpose", "purpose", "x-purpose", "x-moz"];
        Self(
            purposes
                .iter()
                .filter_map(|name| headers.get(*name))
                .any(|purpose| {
                    let purpose = purpose.to_str().unwrap_or_default().to_ascii_lowercase();
                    ["prefetch", "prerender", "preview"]
                        .iter()
                        .any(|word| purpose.contains(word))
                }),
        )
    }
}

impl<S: Sync> FromRequestParts<S> for IsPrefetch {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(
            Self::from_headers(&parts.headers).0 || parts.method == Method::HEAD,
        ))
    }
}
