//! What is known of a request before its handler runs, and the extractors that read it.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};

use axum::extract::{FromRequestParts, OptionalFromRequestParts, Request};
use axum::http::request::Parts;

use crate::base::error::{Error, Result};
use crate::base::locale::Lang;
use crate::engine::forms::Form;
use crate::engine::viewer::{Address, Viewer};

/// What is known of a request before its handler runs: where it comes from, in which language to
/// answer, who is signed in. One extension, which `request_context` (`middleware.rs`) inserts; the
/// sessions add the viewer.
#[derive(Clone)]
pub struct RequestContext {
    address: Address,
    /// By `Accept-Language`.
    browser_lang: Lang,
    viewer: Option<Viewer>,
    /// The form that was refused, when its page is shown again.
    form: Form,
}

impl RequestContext {
    pub(super) fn new(address: Address, browser_lang: Lang) -> Self {
        Self {
            address,
            browser_lang,
            viewer: None,
            form: Form::default(),
        }
    }

    /// Notes who is signed in. Called by the sessions alone, in front of every handler.
    pub fn set_viewer(request: &mut Request, viewer: Viewer) {
        let context: Option<&mut Self> = request.extensions_mut().get_mut();
        if let Some(context) = context {
            context.viewer = Some(viewer);
        }
    }

    /// Where a request came from; unspecified if it did not pass the middleware.
    pub fn address_of(request: &Request) -> IpAddr {
        Self::of(request).map_or(Ipv4Addr::UNSPECIFIED.into(), |context| context.address.0)
    }

    /// That of a request, if it passed the middleware.
    pub(super) fn of(request: &Request) -> Option<&Self> {
        request.extensions().get()
    }

    /// The same request, for the page that shows a refused form again.
    pub(super) fn with_form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    pub(super) fn address(&self) -> Address {
        self.address
    }

    /// The viewer's language, else the browser's.
    pub(super) fn lang(&self) -> Lang {
        self.viewer
            .as_ref()
            .map_or(self.browser_lang, |viewer| viewer.lang)
    }

    pub(super) fn viewer(&self) -> Option<&Viewer> {
        self.viewer.as_ref()
    }
}

fn missing() -> Error {
    Error::Internal(anyhow::anyhow!("the request did not pass the middleware"))
}

impl<S: Sync> FromRequestParts<S> for RequestContext {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        parts.extensions.get().cloned().ok_or_else(missing)
    }
}

/// Refuses requests of people who are not signed in.
impl<S: Sync> FromRequestParts<S> for Viewer {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let context: Option<&RequestContext> = parts.extensions.get();
        context
            .and_then(RequestContext::viewer)
            .cloned()
            .ok_or(Error::SignInFirst)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Viewer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        let context: Option<&RequestContext> = parts.extensions.get();
        Ok(context.and_then(RequestContext::viewer).cloned())
    }
}

impl<S: Sync> FromRequestParts<S> for Address {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let context: Option<&RequestContext> = parts.extensions.get();
        context.map(RequestContext::address).ok_or_else(missing)
    }
}

/// The viewer's language, else the browser's first choice among ours.
impl<S: Sync> FromRequestParts<S> for Lang {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let context: Option<&RequestContext> = parts.extensions.get();
        Ok(context.map(RequestContext::lang).unwrap_or_default())
    }
}

/// Blank, unless the page is shown again because its form was refused.
impl<S: Sync> FromRequestParts<S> for Form {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let context: Option<&RequestContext> = parts.extensions.get();
        Ok(context
            .map(|context| context.form.clone())
            .unwrap_or_default())
    }
}
