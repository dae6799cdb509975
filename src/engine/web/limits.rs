//! How much may be asked at once, and how often: what is refused before it costs anything.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::base::ids::AccountId;
use crate::base::locale::Lang;
use crate::base::telemetry::refused;
use crate::engine::rate_limit::Rate;
use crate::engine::viewer::{Address, Viewer};

/// Whose request it is: an account's, wherever it comes from, or an address's while nobody is
/// signed in. A household shares an address, but not its members' allowances.
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
    pub fn evict(&self) {
        self.0.evict();
    }
}

/// Counts a request, or refuses it, once it is known who asks. An answer that failed is to be
/// worded in that person's language.
pub(super) async fn admit(
    State(requests): State<Option<Arc<Requests>>>,
    request: Request,
    next: Next,
) -> Response {
    let asker = match (
        request.extensions().get::<Viewer>(),
        request.extensions().get::<Address>(),
    ) {
        (Some(viewer), _) => Some(Asker::Account(viewer.account)),
        (None, Some(address)) => Some(Asker::Address(address.network())),
        (None, None) => None,
    };
    let lang = request.extensions().get::<Lang>().copied();
    let refusal = requests
        .zip(asker)
        .and_then(|(requests, asker)| requests.0.check(&asker).err());
    let mut response = match refusal {
        None => next.run(request).await,
        Some(error) => {
            refused("requests");
            error.into_response()
        }
    };
    let status = response.status();
    if let (true, Some(lang)) = (status.is_client_error() || status.is_server_error(), lang) {
        response.extensions_mut().insert(lang);
    }
    response
}
