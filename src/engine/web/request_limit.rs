//! The rate limit of requests, by account or address. `admission.rs` asks it for each request.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::request_context::RequestContext;
use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::engine::rate_limit::Rate;

/// Whom a request counts for: the account, from whatever address, or the network while nobody is
/// signed in. People behind one address have an allowance each once they have signed in.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Client {
    Account(AccountId),
    Address(IpAddr),
}

impl Client {
    pub(super) fn of(context: &RequestContext) -> Self {
        match context.viewer() {
            Some(viewer) => Self::Account(viewer.account),
            None => Self::Address(context.address().network()),
        }
    }
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

    /// Counts a request.
    ///
    /// # Errors
    /// `TooMany` past the limit.
    pub(super) fn check(&self, client: &Client) -> Result<()> {
        self.0.check(client).map(drop)
    }

    /// Drops the counters of clients that sent nothing lately. Called every minute.
    pub fn evict(&self) {
        self.0.evict();
    }
}
