//! How much may be asked at once, and how often: what is refused before it costs anything.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use crate::base::error::Error;
use crate::base::ids::AccountId;
use crate::base::telemetry::refused;
use crate::engine::rates::Rate;
use crate::engine::viewer::{Address, Viewer};

/// Whose request it is: an account's, wherever it comes from, or an address's while nobody is signed in. A household
/// shares an address, but not its members' allowances.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Asker {
    Account(AccountId),
    Address(IpAddr),
}

/// How often one may ask for anything but assets and health.
pub struct Requests(Rate<Asker>);

impl Requests {
    /// So many a minute for each account and for each address; none when 0, which means any number.
    pub fn new(per_minute: u32) -> Option<Arc<Self>> {
        (per_minute > 0).then(|| Arc::new(Self(Rate::new(per_minute, Duration::from_secs(60)))))
    }

    /// Counts a request of an account. Whether it may ask.
    pub(super) fn admits(&self, account: AccountId) -> bool {
        self.0.check(&Asker::Account(account)).is_ok()
    }

    /// Forgets who has not asked lately. Called every minute.
    pub fn tidy(&self) {
        self.0.tidy();
    }
}

/// Counts a request, or refuses it. Asked once it is known who asks.
pub(super) async fn limit(State(requests): State<Arc<Requests>>, request: Request, next: Next) -> Response {
    let asker = match (request.extensions().get::<Viewer>(), request.extensions().get::<Address>()) {
        (Some(viewer), _) => Asker::Account(viewer.account),
        (None, Some(address)) => Asker::Address(address.network()),
        (None, None) => return next.run(request).await,
    };
    match requests.0.check(&asker) {
        Ok(_) => next.run(request).await,
        Err(error) => {
            refused("requests");
            error.into_response()
        }
    }
}

/// Refuses at once what would be one request in work too many: waiting for a turn would only make all of them late.
pub(super) async fn shed(State(places): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    let Ok(_place) = places.try_acquire() else {
        refused("busy");
        return Error::Unavailable.into_response();
    };
    next.run(request).await
}
