//! The first evening: the page that makes the owner, the first space and its room, and closes for
//! ever. And the door's patience: how often one may try to sign in.

use std::net::IpAddr;
use std::time::Duration;

use super::accounts::{self, NewAccount};
use super::{Community, Role, names, rooms, spaces};
use crate::base::clock::Micros;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, SpaceId};
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

/// What the setup page asks.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) community: String,
    pub(super) owner: NewAccount,
}

impl Community {
    /// Whether the server has an owner, and setup is closed.
    pub(super) async fn is_set_up(&self) -> Result<bool> {
        Ok(self.server_owner().await?.is_some())
    }

    /// Who set the server up. Read once: an owner stays.
    pub(super) async fn server_owner(&self) -> Result<Option<AccountId>> {
        if let Some(owner) = self.0.owner.get() {
            return Ok(Some(*owner));
        }
        let read: Option<AccountId> = self
            .0
            .engine
            .db
            .optional_scalar("SELECT owner_id FROM installation", ())
            .await?;
        if let Some(owner) = read {
            let _ = self.0.owner.set(owner);
        }
        Ok(read)
    }

    /// Makes the owner, the first space and its room `general`, all or nothing.
    ///
    /// # Errors
    /// `Invalid`; `Conflict` when there is an owner already, also when another submission was
    /// faster.
    pub(super) async fn set_up(&self, mut setup: Setup) -> Result<(AccountId, SpaceId)> {
        if self.is_set_up().await? {
            return Err(Error::Conflict("error-setup-closed"));
        }
        let mut check = Check::default();
        setup.community = names::check_name(&setup.community, "community", &mut check);
        setup.owner.check(&mut check);
        check.done()?;
        let hash = self.0.passwords.hash(setup.owner.password.clone()).await?;
        self.0
            .engine
            .db
            .write(async move |tx| {
                // Inside the one writer: of two submissions at once the second finds the first.
                let closed: bool = tx
                    .scalar("SELECT EXISTS (SELECT 1 FROM installation)", ())
                    .await?;
                if closed {
                    return Err(Error::Conflict("error-setup-closed"));
                }
                let owner = accounts::insert(tx, &setup.owner, &hash).await?;
                const OPEN: &str =
                    "INSERT INTO installation (one, owner_id, created_at) VALUES (1, $1, $2)";
                tx.execute(OPEN, (owner, Micros::now())).await?;
                let space = spaces::insert(tx, &setup.community).await?;
                spaces::add_member(tx, space, owner, Role::Owner).await?;
                rooms::insert_in_space(tx, space, "general", "", false).await?;
                Ok((owner, space))
            })
            .await
    }
}
