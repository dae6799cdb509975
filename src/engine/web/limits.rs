//! How many requests an account or an address may send; refused before they cost anything.

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

/// Who a request counts for: the account, wherever it comes from, or the address while nobody is
/// signed in. People behind one address have an allowance each once they have signed in.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Client {
    Account(AccountId),
    Address(IpAddr),
}

/// Rate limit of all requests but those for assets and health.
pub struct Requests(Rate<Client>);

impl Requests {
    /// So many a minute for each account and for each address; no limit when 0.
    pub fn new(per_minute: u32) -> Option<Arc<Self>> {
        (per_minute > 0).then(|| Arc::new(Self(Rate::new(per_minute, Duration::from_secs(60)))))
    }

    /// Counts a request of an account. Whether it is within the limit.
    pub(super) fn admits(&self, account: AccountId) -> bool {
        self.0.check(&Client::Account(account)).is_ok()
    }

    /// Forgets who has sent nothing lately. Called every minute.
    pub fn evict(&self) {
        self.0.evict();
    }
}

/// Counts a request, or refuses it, once the client is known. Marks failed answers with the
/// client's language, in which they are worded.
pub(super) async fn admit(
    State(requests): State<Option<Arc<Requests>>>,
    request: Request,
    next: Next,
) -> Response {
    let client = match (
        request.extensions().get::<Viewer>(),
        request.extensions().get::<Address>(),
    ) {
        (Some(viewer), _) => Some(Client::Account(viewer.account)),
        (None, Some(address)) => Some(Client::Address(address.network())),
        (None, None) => None,
    };
    let lang = request.extensions().get::<Lang>().copied();
    let refusal = requests
        .zip(client)
        .and_then(|(requests, client)| requests.0.check(&client).err());
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
