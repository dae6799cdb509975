//! Checking a login and its password, within the limits of tries.

use std::sync::Arc;

use super::Community;
use super::passwords::Sender;
use super::sign_in_request::SignInRequest;
use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::base::security_log::SecurityEvent;

impl Community {
    /// The account with this name or address, if the password is right. What a stranger sees and
    /// how long it takes does not depend on whether there is such an account.
    ///
    /// # Errors
    /// `TooMany` as [`SignInLimiter::check`](super::SignInLimiter::check) says.
    pub(super) async fn authenticate(
        &self,
        login: &str,
        password: String,
        request: &SignInRequest,
    ) -> Result<Option<AccountId>> {
        let (account, hash) = self.accounts.find_by_login(login).await?.unzip();
        let refuse = |reason| SecurityEvent::SignInRefused.record(account, request.address, reason);
        let device = self.known_device(account, request).await?;
        self.sign_in_limiter
            .check(login, request.address, device.as_ref())
            .inspect_err(|_| refuse("too_many"))?;
        if device.is_none() {
            self.tell_sign_in(login, request.address);
        }
        let sender = device.map_or(Sender::Stranger, |_| Sender::KnownDevice);
        let is_right = self.accounts.verify(sender, password, hash).await?;
        if !is_right {
            refuse(account.map_or("unknown_login", |_| "wrong_password"));
        }
        Ok(account.filter(|_| is_right))
    }

    async fn known_device(
        &self,
        account: Option<AccountId>,
        request: &SignInRequest,
    ) -> Result<Option<Arc<str>>> {
        // Also asked for nobody: the time must not tell whether there is an account.
        let account = account.unwrap_or(AccountId(0));
        self.devices.find(&request.headers, account).await
    }
}
