//! What the community of one instance learns from the others.

use std::net::IpAddr;

use super::Community;
use super::topics::{AccountRenamed, ServerSetUp, SignInTried};
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::bus::{Envelope, Origin, Subscriber};
use crate::engine::viewer::Address;

/// [`SignInTried::kind`].
const SIGN_IN: u64 = 0;
const JOIN: u64 = 1;
const PASSWORD: u64 = 2;
const CODE: u64 = 3;
const RESET: u64 = 4;
const REGISTER: u64 = 5;
const SPACE_PASSWORD: u64 = 6;

pub(super) fn subscriber() -> Subscriber<Community> {
    Subscriber::new("community.instances")
        .on(server_set_up)
        .on(sign_in_tried)
        .on(account_renamed)
}

async fn server_set_up(community: &Community, event: &ServerSetUp, _: &Envelope) -> Result<()> {
    community.engine().hosts.restrict_to(&event.host);
    Ok(())
}

async fn account_renamed(community: &Community, _: &AccountRenamed, _: &Envelope) -> Result<()> {
    community.accounts.count_rename();
    Ok(())
}

async fn sign_in_tried(
    community: &Community,
    event: &SignInTried,
    envelope: &Envelope,
) -> Result<()> {
    let limiter = &community.sign_in_limiter;
    if !envelope.is_remote {
        return Ok(());
    }
    // A limit that is reached here is no concern of the other instance.
    let account = event.login.parse().ok();
    match (event.kind, account) {
        (SIGN_IN, _) => limiter.count(&event.login, event.network),
        (JOIN, _) => limiter.count_join(event.network),
        (PASSWORD, Some(account)) => drop(limiter.check_password(account)),
        (CODE, Some(account)) => drop(limiter.check_code(account)),
        (REGISTER, _) => drop(limiter.check_registration(event.network)),
        (SPACE_PASSWORD, _) => {
            if let Some((account, space)) = account_and_space(&event.login) {
                drop(limiter.check_space_password(account, space));
            }
        }
        (RESET, _) => drop(limiter.check_reset(&event.login, event.network)),
        _ => {}
    }
    Ok(())
}

fn account_and_space(text: &str) -> Option<(AccountId, SpaceId)> {
    let (account, space) = text.split_once(':')?;
    Some((account.parse().ok()?, space.parse().ok()?))
}

impl Community {
    /// Counts an account that a stranger makes, on all instances.
    ///
    /// # Errors
    /// `TooMany` as [`SignInLimiter::check_registration`](super::SignInLimiter::check_registration)
    /// says.
    pub(super) fn count_registration(&self, address: IpAddr) -> Result<()> {
        let network = Address(address).network();
        self.sign_in_limiter.check_registration(network)?;
        self.tell(SignInTried {
            kind: REGISTER,
            login: String::new(),
            network,
        });
        Ok(())
    }

    /// Counts a try of the password of a space, on all instances.
    ///
    /// # Errors
    /// `TooMany` as
    /// [`SignInLimiter::check_space_password`](super::SignInLimiter::check_space_password) says.
    pub(super) fn count_space_password(
        &self,
        account: AccountId,
        space: SpaceId,
        address: IpAddr,
    ) -> Result<()> {
        self.sign_in_limiter.check_space_password(account, space)?;
        self.tell(SignInTried {
            kind: SPACE_PASSWORD,
            login: format!("{account}:{space}"),
            network: Address(address).network(),
        });
        Ok(())
    }

    /// Has other instances count a try to sign in.
    pub(super) fn tell_sign_in(&self, login: &str, address: IpAddr) {
        let (login, network) = super::SignInLimiter::keys(login, address);
        self.tell(SignInTried {
            kind: SIGN_IN,
            login,
            network,
        });
    }

    /// Has other instances count a try to join.
    pub(super) fn tell_join(&self, address: IpAddr) {
        let (_, network) = super::SignInLimiter::keys("", address);
        self.tell(SignInTried {
            kind: JOIN,
            login: String::new(),
            network,
        });
    }

    /// Counts a try of the password of a signed-in account, on all instances.
    ///
    /// # Errors
    /// `TooMany` as [`SignInLimiter::check_password`](super::SignInLimiter::check_password) says.
    pub(super) fn count_password(&self, account: AccountId, address: IpAddr) -> Result<()> {
        self.sign_in_limiter.check_password(account)?;
        self.tell_account(PASSWORD, account, address);
        Ok(())
    }

    /// Counts a try of a code of an account, on all instances.
    ///
    /// # Errors
    /// `TooMany` as [`SignInLimiter::check_code`](super::SignInLimiter::check_code) says.
    pub(super) fn count_code(&self, account: AccountId, address: IpAddr) -> Result<()> {
        self.sign_in_limiter.check_code(account)?;
        self.tell_account(CODE, account, address);
        Ok(())
    }

    /// Counts a challenge that a stranger asks for, which is a write. For the network alone.
    ///
    /// # Errors
    /// `TooMany` past the limit of sign-ins from one network.
    pub(super) fn count_passkey(&self, address: IpAddr) -> Result<()> {
        let network = Address(address).network();
        self.sign_in_limiter.check_network(network)
    }

    /// Counts a wish to reset the password of the account with this address, on all instances.
    ///
    /// # Errors
    /// `TooMany` as [`SignInLimiter::check_reset`](super::SignInLimiter::check_reset) says.
    pub(super) fn count_reset(&self, email: &str, address: IpAddr) -> Result<()> {
        let (login, network) = super::SignInLimiter::keys(email, address);
        self.sign_in_limiter.check_reset(&login, network)?;
        self.tell(SignInTried {
            kind: RESET,
            login,
            network,
        });
        Ok(())
    }

    fn tell_account(&self, kind: u64, account: AccountId, address: IpAddr) {
        self.tell(SignInTried {
            kind,
            login: account.to_string(),
            network: Address(address).network(),
        });
    }

    fn tell(&self, tried: SignInTried) {
        if !self.engine().settings.nats.is_empty() {
            self.engine().bus.publish(Origin::default(), tried);
        }
    }
}
