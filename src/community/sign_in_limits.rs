//! Rate limits of signing in and joining.
//!
//! A login is limited for each network on its own, so that a stranger's wrong tries lock nobody out
//! elsewhere. A wider limit for all networks together bounds a distributed attack; devices on which
//! the account has signed in before pass it and have a limit of their own. Logins are counted as
//! they are written, never by the account that they name: a limit must not tell which name and
//! which address belong to the same account, nor whether there is one.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::base::secrets;
use crate::base::text::fold;
use crate::engine::rate_limit::Rate;
use crate::engine::viewer::Address;

/// Tries for one login from one network, refilled over [`LOGIN_WINDOW`].
const MAX_ATTEMPTS: u32 = 10;
const LOGIN_WINDOW: Duration = Duration::from_secs(900);
/// Tries from one network for all logins: enough for a group behind one router.
const MAX_ATTEMPTS_PER_NETWORK: u32 = 30;
/// Tries for one login from all networks in [`WIDE_WINDOW`]: more than any two networks can make.
const MAX_ATTEMPTS_PER_LOGIN: u32 = 120;
const WIDE_WINDOW: Duration = Duration::from_secs(3600);
/// Joins from one network: enough for a group behind one router.
const MAX_JOINS: u32 = 60;
/// Tries of a signed-in account's password in [`LOGIN_WINDOW`], for what asks for it again.
const MAX_PASSWORD_TRIES: u32 = 10;
/// Tries of codes of one account, of an authenticator or for recovery, in [`LOGIN_WINDOW`].
const MAX_CODE_TRIES: u32 = 5;
/// Accounts that strangers make from one network in [`WIDE_WINDOW`]: a table behind one router.
const MAX_REGISTRATIONS: u32 = 20;
/// Tries of the password of a space by one account in [`LOGIN_WINDOW`].
const MAX_SPACE_PASSWORD_TRIES: u32 = 10;
/// The same by all accounts in [`WIDE_WINDOW`], those who know it among them.
const MAX_TRIES_PER_SPACE: u32 = 600;
/// Links to reset a password that are mailed to one address in [`WIDE_WINDOW`].
const MAX_RESETS: u32 = 3;
/// The same for one network.
const MAX_RESETS_PER_NETWORK: u32 = 20;
/// For networks, devices and joins.
const WINDOW: Duration = Duration::from_secs(180);

/// Counts attempts to sign in and to join.
pub(super) struct SignInLimiter {
    by_login_and_network: Rate<(String, IpAddr)>,
    by_network: Rate<IpAddr>,
    by_login: Rate<String>,
    by_device: Rate<Arc<str>>,
    joins: Rate<IpAddr>,
    passwords: Rate<AccountId>,
    codes: Rate<AccountId>,
    registrations: Rate<IpAddr>,
    space_passwords: Rate<(AccountId, SpaceId)>,
    tries_by_space: Rate<SpaceId>,
    resets: Rate<String>,
    resets_by_network: Rate<IpAddr>,
}

impl Default for SignInLimiter {
    fn default() -> Self {
        Self {
            by_login_and_network: Rate::new(MAX_ATTEMPTS, LOGIN_WINDOW),
            by_network: Rate::new(MAX_ATTEMPTS_PER_NETWORK, WINDOW),
            by_login: Rate::new(MAX_ATTEMPTS_PER_LOGIN, WIDE_WINDOW),
            by_device: Rate::new(MAX_ATTEMPTS, WINDOW),
            joins: Rate::new(MAX_JOINS, WINDOW),
            passwords: Rate::new(MAX_PASSWORD_TRIES, LOGIN_WINDOW),
            codes: Rate::new(MAX_CODE_TRIES, LOGIN_WINDOW),
            registrations: Rate::new(MAX_REGISTRATIONS, WIDE_WINDOW),
            space_passwords: Rate::new(MAX_SPACE_PASSWORD_TRIES, LOGIN_WINDOW),
            tries_by_space: Rate::new(MAX_TRIES_PER_SPACE, WIDE_WINDOW),
            resets: Rate::new(MAX_RESETS, WIDE_WINDOW),
            resets_by_network: Rate::new(MAX_RESETS_PER_NETWORK, WIDE_WINDOW),
        }
    }
}

impl SignInLimiter {
    /// Counts an attempt to sign in: by login and network, or by the device if the account has
    /// signed in on it before.
    ///
    /// # Errors
    /// `TooMany` after 10 attempts for this login from this network (refilled in 15 minutes), 30
    /// from this network in three minutes, 120 for this login in an hour; for a known device only
    /// after 10 attempts in three minutes.
    pub(super) fn check(
        &self,
        login: &str,
        address: IpAddr,
        known_device: Option<&Arc<str>>,
    ) -> Result<()> {
        if let Some(device) = known_device {
            return self.by_device.check(device).map(drop);
        }
        let (login, network) = Self::keys(login, address);
        // In this order: a refused try must not use up what others share.
        self.by_login_and_network.check(&(login.clone(), network))?;
        self.by_network.check(&network)?;
        self.by_login.check(&login).map(drop)
    }

    /// Counts an attempt without a login, as by a passkey.
    ///
    /// # Errors
    /// `TooMany` after 30 attempts from this network in three minutes.
    pub(super) fn check_network(&self, network: IpAddr) -> Result<()> {
        self.by_network.check(&network).map(drop)
    }

    /// What an attempt is counted by: a digest of the login, which bounds the memory of a counter
    /// whatever is sent, and the network.
    pub(super) fn keys(login: &str, address: IpAddr) -> (String, IpAddr) {
        (secrets::digest(&fold(login)), Address(address).network())
    }

    /// Counts an attempt that another instance has let pass, by its [`keys`](Self::keys).
    pub(super) fn count(&self, login: &str, network: IpAddr) {
        let login = login.to_owned();
        // A limit that is reached here is no concern of the other instance.
        drop(self.by_login_and_network.check(&(login.clone(), network)));
        drop(self.by_network.check(&network));
        drop(self.by_login.check(&login));
    }

    /// Counts an attempt to join that another instance has let pass.
    pub(super) fn count_join(&self, network: IpAddr) {
        drop(self.joins.check(&network));
    }

    /// Counts an attempt to join.
    ///
    /// # Errors
    /// `TooMany` after 60 attempts in three minutes from this network.
    pub(super) fn check_join(&self, address: IpAddr) -> Result<()> {
        self.joins.check(&Address(address).network()).map(drop)
    }

    /// Counts an account that a stranger makes.
    ///
    /// # Errors
    /// `TooMany` after 20 accounts from this network, refilled in an hour.
    pub(super) fn check_registration(&self, network: IpAddr) -> Result<()> {
        self.registrations.check(&network).map(drop)
    }

    /// Counts a try of the password of a space.
    ///
    /// # Errors
    /// `TooMany` after 10 tries of this account, refilled in 15 minutes, or 600 of all accounts,
    /// refilled in an hour.
    pub(super) fn check_space_password(&self, account: AccountId, space: SpaceId) -> Result<()> {
        self.space_passwords.check(&(account, space))?;
        self.tries_by_space.check(&space).map(drop)
    }

    /// Counts a try of a signed-in account's password.
    ///
    /// # Errors
    /// `TooMany` after 10 tries, refilled in 15 minutes.
    pub(super) fn check_password(&self, account: AccountId) -> Result<()> {
        self.passwords.check(&account).map(drop)
    }

    /// Counts a try of a code of an account.
    ///
    /// # Errors
    /// `TooMany` after 5 tries, refilled in 15 minutes.
    pub(super) fn check_code(&self, account: AccountId) -> Result<()> {
        self.codes.check(&account).map(drop)
    }

    /// Counts a link to reset a password, by the [`keys`](Self::keys) of the address.
    ///
    /// # Errors
    /// `TooMany` after 3 links for one address or 20 from one network, refilled in an hour. It does
    /// not depend on whether there is an account.
    pub(super) fn check_reset(&self, email: &str, network: IpAddr) -> Result<()> {
        self.resets_by_network.check(&network)?;
        self.resets.check(&email.to_owned()).map(drop)
    }

    /// Drops counters without recent attempts.
    pub(super) fn evict(&self) {
        self.by_login_and_network.evict();
        self.by_network.evict();
        self.by_login.evict();
        self.by_device.evict();
        self.joins.evict();
        self.passwords.evict();
        self.codes.evict();
        self.registrations.evict();
        self.space_passwords.evict();
        self.tries_by_space.evict();
        self.resets.evict();
        self.resets_by_network.evict();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(number: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, number])
    }

    #[test]
    fn one_network_locks_a_login_for_itself_only() {
        let limiter = SignInLimiter::default();
        for _ in 0..100 {
            drop(limiter.check("ann", network(1), None));
        }
        assert!(limiter.check(" ANN ", network(1), None).is_err());
        assert!(limiter.check("bob", network(1), None).is_ok());
        assert!(limiter.check("ann", network(2), None).is_ok());
    }

    #[test]
    fn known_device_passes_a_distributed_attack() {
        let limiter = SignInLimiter::default();
        for attempt in 0..200 {
            drop(limiter.check("ann", network(attempt), None));
        }
        assert!(limiter.check("ann", network(250), None).is_err());
        let device: Arc<str> = "device".into();
        for _ in 0..MAX_ATTEMPTS {
            assert!(limiter.check("ann", network(1), Some(&device)).is_ok());
        }
        assert!(limiter.check("ann", network(1), Some(&device)).is_err());
    }
}
