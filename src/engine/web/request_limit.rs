//! The rate limit of requests, by account or address, asked before the handler runs.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::finish::set_error_lang;
use super::request_context::RequestContext;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::base::security_log::SecurityEvent;
use crate::base::telemetry::refused;
use crate::engine::rate_limit::Rate;

/// Whom a request counts for: the account, from whatever address, or the network while nobody is
/// signed in. People behind one address have an allowance each once they have signed in.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Client {
    Account(AccountId),
    Address(IpAddr),
}

/// Rate limit of all requests but those for assets and health.
pub struct RequestLimiter(Rate<Client>);

impl RequestLimiter {
    /// `per_minute` for each account and for each network; none when 0: no limit.
    pub fn new(per_minute: u32) -> Option<Arc<Self>> {
        (per_minute > 0).then(|| Arc::new(Self(Rate::new(per_minute, Duration::from_secs(60)))))
    }

    /// Counts a request of an account; whether it is within the limit.
    pub(super) fn admits(&self, account: AccountId) -> bool {
        self.0.check(&Client::Account(account)).is_ok()
    }

    /// Drops the counters of clients that sent nothing lately. Called every minute.
    pub fn evict(&self) {
        self.0.evict();
    }
}

/// What [`admit`] asks. Cheap to clone.
#[derive(Clone)]
pub(super) struct Admission {
    requests: Option<Arc<RequestLimiter>>,
    /// Requests of people who are not signed in, in work: half of all places, so that they cannot
    /// take those of members.
    strangers: Arc<Semaphore>,
}

impl Admission {
    pub(super) fn new(requests: Option<Arc<RequestLimiter>>, max_requests: usize) -> Self {
        Self {
            requests,
            strangers: Arc::new(Semaphore::new(max_requests.div_ceil(2))),
        }
    }

    /// A place for a request: members share all, strangers half of them.
    fn place(&self, client: Option<Client>) -> Result<Option<SemaphorePermit<'_>>> {
        if let Some(Client::Account(_)) = client {
            return Ok(None);
        }
        self.strangers.try_acquire().map(Some).map_err(|_| {
            refused("busy");
            Error::Unavailable
        })
    }

    fn count(&self, client: Option<Client>) -> Result<()> {
        let Some((requests, client)) = self.requests.as_ref().zip(client) else {
            return Ok(());
        };
        let counted = requests.0.check(&client).map(drop);
        counted.inspect_err(|_| refused("requests"))
    }
}

/// Counts a request, or refuses it. Inside of the sessions, because it needs the viewer: so it also
/// sets the language in which errors are rendered.
pub(super) async fn admit(
    State(admission): State<Admission>,
    request: Request,
    next: Next,
) -> Response {
    let context = RequestContext::of(&request);
    let account = context.and_then(|context| Some(context.viewer()?.account));
    let address = RequestContext::address_of(&request);
    let client = context.map(|context| match context.viewer() {
        Some(viewer) => Client::Account(viewer.account),
        None => Client::Address(context.address().network()),
    });
    let lang = context.map(RequestContext::lang);
    let admitted = admission
        .count(client)
        .inspect_err(|_| SecurityEvent::LimitReached.record(account, address, "requests"))
        .and_then(|()| admission.place(client));
    let mut response = match admitted {
        Ok(_place) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    if let Some(lang) = lang {
        set_error_lang(&mut response, lang);
    }
    response
}
