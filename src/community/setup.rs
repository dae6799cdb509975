//! Setup, which runs once: creates the host's account, the first space and its room.

use std::time::Duration;

use super::accounts::{self, NewAccount};
use super::topics::ServerSetUp;
use super::{Community, Role, names, rooms, spaces};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::base::secrets;
use crate::engine::bus::Origin;

/// Between two looks whether another server has been set up.
const SETUP_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The form fields of the setup page.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) community: String,
    pub(super) owner: NewAccount,
    /// The host name of the request, which the server answers to from then on.
    pub(super) host: String,
}

/// The token of the one-time link to the setup page. New at each start, and kept in memory only.
pub(super) struct SetupToken(String);

impl Default for SetupToken {
    fn default() -> Self {
        Self(secrets::token())
    }
}

impl SetupToken {
    pub(super) fn is_equal(&self, given: &str) -> bool {
        secrets::is_equal(given, &self.0)
    }
}

impl Community {
    /// The path of the one-time link that opens the setup page from other machines; `None` once the
    /// server is set up.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn setup_path(&self) -> Result<Option<String>> {
        let is_open = !self.is_set_up().await?;
        Ok(is_open.then(|| format!("/setup?token={}", self.setup_token.0)))
    }

    /// Allows no other hosts than the one of the setup and those of the settings, once the server
    /// is set up: where the database is shared, that may happen at another server.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn restrict_hosts(&self) -> Result<()> {
        let is_restricted = self.try_restrict_hosts().await?;
        if !is_restricted && self.engine().db.is_shared() {
            let community = self.clone();
            tokio::spawn(async move {
                while !matches!(community.try_restrict_hosts().await, Ok(true)) {
                    tokio::time::sleep(SETUP_POLL_INTERVAL).await;
                }
            });
        }
        Ok(())
    }

    /// The same if the server is set up; returns whether it is.
    async fn try_restrict_hosts(&self) -> Result<bool> {
        const READ: &str = "SELECT coalesce(host, '') FROM installation";
        let host: Option<String> = self.engine().db.optional_scalar(READ, ()).await?;
        if let Some(host) = &host {
            self.engine().hosts.restrict_to(host);
        }
        Ok(host.is_some())
    }

    /// Whether the server has a host, which closes the setup.
    pub(super) async fn is_set_up(&self) -> Result<bool> {
        Ok(self.access.host().await?.is_some())
    }

    /// Creates the host's account, the first space and its room `general`, in one transaction.
    ///
    /// # Errors
    /// `Invalid`; `Conflict` when there is a host already, also when another submission was
    /// committed first.
    pub(super) async fn set_up(&self, mut setup: Setup) -> Result<(AccountId, SpaceId)> {
        if self.is_set_up().await? {
            return Err(Error::Conflict("error-setup-closed"));
        }
        let mut check = Check::default();
        setup.community = names::check_name(&setup.community, "community", &mut check);
        setup.owner.check(&setup.community, &mut check);
        check.done()?;
        let (hosts, bus) = (self.engine().hosts.clone(), self.engine().bus.clone());
        let hash = self.accounts.hash_password(&setup.owner).await?;
        let write = self.engine().db.write(async move |tx| {
            check_setup_open(tx).await?;
            let owner = accounts::insert(tx, &setup.owner, &hash).await?;
            const OPEN: &str = "INSERT INTO installation (one, owner_id, created_at, host) \
                VALUES (1, $1, $2, $3)";
            tx.execute(OPEN, (owner, Micros::now(), &setup.host))
                .await?;
            let space = spaces::insert(tx, &setup.community).await?;
            spaces::add_member(tx, space, owner, Role::Owner).await?;
            rooms::insert_in_space(tx, space, "general", "", false).await?;
            let set_up = ServerSetUp {
                owner,
                host: setup.host.clone(),
            };
            tx.after_commit(move || hosts.restrict_to(&setup.host));
            bus.publish_after_commit(tx, Origin::new(owner, None), set_up);
            Ok((owner, space))
        });
        write.await
    }
}

/// Fails if the server has been set up. Runs in the write transaction: of two concurrent
/// submissions the second waits for the first and sees it.
async fn check_setup_open(tx: &mut Tx) -> Result<()> {
    tx.lock_table("LOCK TABLE installation IN SHARE ROW EXCLUSIVE MODE")
        .await?;
    const IS_CLOSED: &str = "SELECT EXISTS (SELECT 1 FROM installation)";
    match tx.scalar(IS_CLOSED, ()).await? {
        true => Err(Error::Conflict("error-setup-closed")),
        false => Ok(()),
    }
}
