//! What signing somebody in needs of the request: its session, its device, and where it came from.

use std::net::IpAddr;
use std::sync::OnceLock;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use tower_sessions::Session;

use super::Community;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::base::security_log::SecurityEvent;
use crate::engine::viewer::Address;
use crate::engine::web::names_own_machine;

/// A request that may sign somebody in.
pub(super) struct SignInRequest {
    pub(super) session: Session,
    pub(super) headers: HeaderMap,
    pub(super) address: IpAddr,
    /// Whether it was sent on this machine, to this machine, and not by way of a proxy that says
    /// so.
    pub(super) is_from_own_machine: bool,
    /// The cookie of the known device, once somebody was signed in.
    device_cookie: OnceLock<HeaderValue>,
}

impl<S: Sync + Send> FromRequestParts<S> for SignInRequest {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let Address(address) = Address::from_request_parts(parts, state).await?;
        let session = Session::from_request_parts(parts, state).await;
        let session = session.map_err(|(_, why)| Error::Internal(anyhow::anyhow!(why)))?;
        Ok(Self {
            session,
            headers: parts.headers.clone(),
            address,
            is_from_own_machine: address.to_canonical().is_loopback() && names_own_machine(parts),
            device_cookie: OnceLock::new(),
        })
    }
}

impl SignInRequest {
    /// Starts a session of the account, and remembers the device.
    ///
    /// # Errors
    /// `Forbidden` with the reason when the account is suspended.
    pub(super) async fn sign_in(
        &self,
        community: &Community,
        account: AccountId,
        reason: &'static str,
    ) -> Result<()> {
        let refused = community.check_not_suspended(account).await;
        refused.inspect_err(|_| {
            SecurityEvent::SignInRefused.record(account, self.address, "suspended");
        })?;
        let sessions = &community.sessions;
        sessions
            .start(&self.session, account, &self.headers, self.address)
            .await?;
        SecurityEvent::SignedIn.record(account, self.address, reason);
        // Signing in does not depend on it: the device only stays unknown.
        match community.devices.remember(&self.headers, account).await {
            Ok(cookie) => drop(self.device_cookie.set(cookie)),
            Err(error) => tracing::warn!(%error, "a device was not remembered"),
        }
        // Nor does it depend on this: a ban of the address would not reach the network.
        let sanctions = &community.sanctions;
        if let Err(error) = sanctions.note_network(account, self.address).await {
            tracing::warn!(%error, "the network of an account was not noted");
        }
        Ok(())
    }

    /// The response with the device's cookie, if somebody was signed in.
    pub(super) fn with_cookie(&self, mut response: Response) -> Response {
        if let Some(cookie) = self.device_cookie.get() {
            let headers = response.headers_mut();
            headers.append(header::SET_COOKIE, cookie.clone());
        }
        response
    }
}
