//! Rate limits of signing in and joining: by account, by login and by IP address.

use std::net::IpAddr;
use std::time::Duration;

use super::names;
use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::engine::rate_limit::Rate;
use crate::engine::viewer::Address;

const MAX_ATTEMPTS: u32 = 10;
const WINDOW: Duration = Duration::from_secs(180);
/// Joins from one address in the same time: enough for a group behind one router.
const MAX_JOINS: u32 = 60;

/// Counts attempts to sign in and to join.
pub(super) struct SignInLimiter {
    by_account: Rate<AccountId>,
    by_login: Rate<String>,
    by_address: Rate<IpAddr>,
    joins: Rate<IpAddr>,
}

impl Default for SignInLimiter {
    fn default() -> Self {
        Self {
            by_account: Rate::new(MAX_ATTEMPTS, WINDOW),
            by_login: Rate::new(MAX_ATTEMPTS, WINDOW),
            by_address: Rate::new(MAX_ATTEMPTS, WINDOW),
            joins: Rate::new(MAX_JOINS, WINDOW),
        }
    }
}

impl SignInLimiter {
    /// Counts an attempt to sign in, by the account that the login names, or by the login if it
    /// names none.
    ///
    /// # Errors
    /// `TooMany` after ten attempts in three minutes for this account or this address.
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

    /// Counts an attempt to join.
    ///
    /// # Errors
    /// `TooMany` after 60 attempts in three minutes from this address.
    pub(super) fn check_join(&self, address: IpAddr) -> Result<()> {
        self.joins.check(&Address(address).network()).map(drop)
    }

    /// Drops counters without recent attempts.
    pub(super) fn evict(&self) {
        self.by_account.evict();
        self.by_login.evict();
        self.by_address.evict();
        self.joins.evict();
    }
}
