//! Setup, which runs once: creates the host's account, the first space and its room.

use std::sync::OnceLock;

use super::accounts::{self, NewAccount};
use super::topics::ServerSetUp;
use super::{Community, names, rooms, spaces};
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::base::secrets;
use crate::engine::bus::Origin;

/// The form fields of the setup page.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) community: String,
    pub(super) owner: NewAccount,
    /// The host name of the request, which the server answers to from then on.
    pub(super) host: String,
}

/// The token of the one-time link to the setup page. Of a server with a database of its own it is
/// new at each start and only in memory; servers that share a database have one in common.
#[derive(Default)]
pub(super) struct SetupToken(OnceLock<String>);

impl SetupToken {
    /// False before [`Community::setup_path`], which sets the token before anything is served.
    pub(super) fn is_equal(&self, given: &str) -> bool {
        let token = self.0.get();
        token.is_some_and(|token| secrets::is_equal(given, token))
    }
}

impl Community {
    /// The path of the one-time link that opens the setup page from other machines; `None` once the
    /// server is set up.
    ///
    /// # Errors
    /// When the database cannot be read, or does not take the token.
    pub async fn setup_path(&self) -> Result<Option<String>> {
        if self.is_set_up().await? {
            return Ok(None);
        }
        let token = match self.engine().db.is_shared() {
            true => self.shared_setup_token().await?,
            false => Some(secrets::token()),
        };
        let path = |token| format!("/setup?token={}", self.setup_token.0.get_or_init(|| token));
        Ok(token.map(path))
    }

    /// The token that all servers on the database print. The first of them makes it; `None` when
    /// the setup was meanwhile done at another one.
    async fn shared_setup_token(&self) -> Result<Option<String>> {
        const KEEP: &str = "INSERT INTO setup_tokens (one, token) VALUES (1, $1) \
            ON CONFLICT (one) DO NOTHING";
        const READ: &str = "SELECT token FROM setup_tokens";
        let keep = self.engine().db.write(async move |tx| {
            match check_setup_open(tx).await {
                Err(Error::Conflict(_)) => return Ok(None),
                open => open?,
            }
            tx.execute(KEEP, (secrets::token(),)).await?;
            tx.scalar(READ, ()).await.map(Some)
        });
        keep.await
    }

    /// Allows no other hosts than the one of the setup and those of the settings, once the server
    /// is set up: where the database is shared, that may happen at another server.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn restrict_hosts(&self) -> Result<()> {
        let engine = self.engine();
        let (db, hosts) = (&engine.db, &engine.hosts);
        match read_host(db).await? {
            Some(host) => hosts.restrict_to(&host),
            None if db.is_shared() => {
                let db = db.clone();
                hosts.restrict_when_found(Box::new(move || {
                    let db = db.clone();
                    Box::pin(async move { read_host(&db).await })
                }));
            }
            None => {}
        }
        Ok(())
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
        let hash = self.accounts.hash_password(&setup.owner.password).await?;
        let write = self.engine().db.write(async move |tx| {
            check_setup_open(tx).await?;
            let owner = accounts::insert(tx, &setup.owner, &hash).await?;
            const OPEN: &str = "INSERT INTO installation (one, owner_id, created_at, host) \
                VALUES (1, $1, $2, $3)";
            tx.execute(OPEN, (owner, Micros::now(), &setup.host))
                .await?;
            tx.execute("DELETE FROM setup_tokens", ()).await?;
            let space = spaces::insert(tx, &setup.community).await?;
            spaces::add_owner(tx, space, owner).await?;
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

/// The host name of the setup; `None` before it.
pub(super) async fn read_host(db: &Db) -> Result<Option<String>> {
    const READ: &str = "SELECT coalesce(host, '') FROM installation";
    db.optional_scalar(READ, ()).await
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
