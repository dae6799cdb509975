//! Admission: what a request passes before its handler runs. Its client is counted, its body read,
//! and a place taken among the requests in work.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::bodies::Bodies;
use super::finish::set_error_lang;
use super::request_context::RequestContext;
use super::request_limit::{Client, RequestLimiter};
use crate::base::error::{Error, Result};
use crate::base::security_log::SecurityEvent;
use crate::base::telemetry::refused;

/// What [`admit`] asks. Cheap to clone.
#[derive(Clone)]
pub(super) struct Admission(Arc<Inner>);

struct Inner {
    requests: Option<Arc<RequestLimiter>>,
    bodies: Bodies,
    /// One for each request in work (setting `max_requests`).
    places: Semaphore,
    /// Half of all: people who are not signed in cannot take the places of members.
    places_of_strangers: Semaphore,
}

impl Admission {
    pub(super) fn new(requests: Option<Arc<RequestLimiter>>, max_requests: usize) -> Self {
        Self(Arc::new(Inner {
            requests,
            bodies: Bodies::default(),
            places: Semaphore::new(max_requests),
            places_of_strangers: Semaphore::new(max_requests.div_ceil(2)),
        }))
    }
}

type Place<'a> = (SemaphorePermit<'a>, Option<SemaphorePermit<'a>>);

impl Inner {
    fn count(&self, client: &Client, context: &RequestContext) -> Result<()> {
        let Some(requests) = &self.requests else {
            return Ok(());
        };
        requests.check(client).inspect_err(|_| {
            refused("requests");
            let account = context.viewer().map(|viewer| viewer.account);
            SecurityEvent::LimitReached.record(account, context.address().0, "requests");
        })
    }

    /// A place, or a refusal at once: a queue would make every request late and end no sooner.
    fn take_place(&self, client: &Client) -> Result<Place<'_>> {
        let take = || {
            let of_strangers = match client {
                Client::Account(_) => None,
                Client::Address(_) => Some(self.places_of_strangers.try_acquire().ok()?),
            };
            Some((self.places.try_acquire().ok()?, of_strangers))
        };
        take().ok_or_else(|| {
            refused("busy");
            Error::Unavailable
        })
    }

    async fn handle(&self, request: Request, next: Next) -> Result<Response> {
        let context = RequestContext::of(&request).cloned();
        let context = context.ok_or_else(|| anyhow::anyhow!("a request without its context"))?;
        let client = Client::of(&context);
        self.count(&client, &context)?;
        let (request, _held) = self.bodies.read(request, client).await?;
        let _place = self.take_place(&client)?;
        Ok(next.run(request).await)
    }
}

/// Admits a request, or refuses it. Inside of the sessions, because it needs the viewer: so it also
/// sets the language in which errors are rendered.
pub(super) async fn admit(
    State(admission): State<Admission>,
    request: Request,
    next: Next,
) -> Response {
    let lang = RequestContext::of(&request).map(RequestContext::lang);
    let handled = admission.0.handle(request, next).await;
    let mut response = handled.unwrap_or_else(IntoResponse::into_response);
    if let Some(lang) = lang {
        set_error_lang(&mut response, lang);
    }
    response
}
