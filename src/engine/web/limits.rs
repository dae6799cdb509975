//! The rate limit of requests, by account or address, asked before the handler runs.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::finish::set_error_lang;
use super::request_context::RequestContext;
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
pub struct Requests(Rate<Client>);

impl Requests {
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

/// Counts a request, or refuses it. Inside of the sessions, because it needs the viewer: so it also
/// sets the language in which errors are rendered.
pub(super) async fn admit(
    State(requests): State<Option<Arc<Requests>>>,
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
    let refusal = requests
        .zip(client)
        .and_then(|(requests, client)| requests.0.check(&client).err());
    let mut response = match refusal {
        None => next.run(request).await,
        Some(error) => {
            refused("requests");
            SecurityEvent::LimitReached.record(account, address, "requests");
            error.into_response()
        }
    };
    if let Some(lang) = lang {
        set_error_lang(&mut response, lang);
    }
    response
}
