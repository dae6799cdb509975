//! How often one may try to sign in or to join: by account, by login and by address.

use std::net::IpAddr;
use std::time::Duration;

use super::names;
use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::engine::rate_limit::Rate;
use crate::engine::viewer::Address;

const MAX_TRIES: u32 = 10;
const WINDOW: Duration = Duration::from_secs(180);
// From one address in the same time: a class that joins together, not a machine.
const MAX_JOINS: u32 = 60;

/// Limits of signing in and joining, by account and by address.
pub(super) struct SignInLimiter {
    by_account: Rate<AccountId>,
    by_login: Rate<String>,
    by_address: Rate<IpAddr>,
    joins: Rate<IpAddr>,
}

impl Default for SignInLimiter {
    fn default() -> Self {
        Self {
            by_account: Rate::new(MAX_TRIES, WINDOW),
            by_login: Rate::new(MAX_TRIES, WINDOW),
            by_address: Rate::new(MAX_TRIES, WINDOW),
            joins: Rate::new(MAX_JOINS, WINDOW),
        }
    }
}

impl SignInLimiter {
    /// Counts a try to sign in: of the account that the login names, or of the login while it names
    /// none.
    ///
    /// # Errors
    /// `TooMany` when this account or this address has had its ten tries in three minutes.
    pub(super) fn check(
        &self,
        login: &str,
        account: Option<AccountId>,
        address: IpAddr,
    ) -> Result<()> {
        self.by_address.check(&Address(address).network())?;
        match account {
            Some(account) => self.by_account.check(&account),
            None => self.by_login.check(&names::key(login)),
        }
        .map(drop)
    }

    /// Counts a try to join.
    ///
    /// # Errors
    /// `TooMany` for an address that joins by the dozen.
    pub(super) fn join(&self, address: IpAddr) -> Result<()> {
        self.joins.check(&Address(address).network()).map(drop)
    }

    pub(super) fn evict(&self) {
        self.by_account.evict();
        self.by_login.evict();
        self.by_address.evict();
        self.joins.evict();
    }
}
