//! Setup, which runs once: creates the host's account, the first space and its room.

use super::accounts::{self, NewAccount};
use super::{Community, Role, names, rooms, spaces};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, SpaceId};

/// The form fields of the setup page.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) community: String,
    pub(super) owner: NewAccount,
}

impl Community {
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
        setup.owner.check(&mut check);
        check.done()?;
        let hash = self.accounts.hash_password(&setup.owner).await?;
        let write = self.engine().db.write(async move |tx| {
            check_setup_open(tx).await?;
            let owner = accounts::insert(tx, &setup.owner, &hash).await?;
            const OPEN: &str =
                "INSERT INTO installation (one, owner_id, created_at) VALUES (1, $1, $2)";
            tx.execute(OPEN, (owner, Micros::now())).await?;
            let space = spaces::insert(tx, &setup.community).await?;
            spaces::add_member(tx, space, owner, Role::Owner).await?;
            rooms::insert_in_space(tx, space, "general", "", false).await?;
            Ok((owner, space))
        });
        write.await
    }
}

/// Fails if the server has been set up. Runs in the write transaction: of two concurrent
/// submissions the second sees the first.
async fn check_setup_open(tx: &mut Tx) -> Result<()> {
    const IS_CLOSED: &str = "SELECT EXISTS (SELECT 1 FROM installation)";
    match tx.scalar(IS_CLOSED, ()).await? {
        true => Err(Error::Conflict("error-setup-closed")),
        false => Ok(()),
    }
}
