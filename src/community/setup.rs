//! The first evening: what the setup page makes, once: the owner, the first space and its room.

use super::accounts::{self, NewAccount};
use super::{Community, Role, names, rooms, spaces};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, SpaceId};

/// What the setup page asks.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) community: String,
    pub(super) owner: NewAccount,
}

impl Community {
    /// Whether the server has a host, and setup is closed.
    pub(super) async fn is_set_up(&self) -> Result<bool> {
        Ok(self.access.host().await?.is_some())
    }

    /// Makes the host, the first space and its room `general`, all or nothing.
    ///
    /// # Errors
    /// `Invalid`; `Conflict` when there is a host already, also when another submission was
    /// faster.
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

/// Refuses when somebody was faster. Asked by the one writer, so of two submissions at once the
/// second finds the first.
async fn check_setup_open(tx: &mut Tx) -> Result<()> {
    const IS_CLOSED: &str = "SELECT EXISTS (SELECT 1 FROM installation)";
    match tx.scalar(IS_CLOSED, ()).await? {
        true => Err(Error::Conflict("error-setup-closed")),
        false => Ok(()),
    }
}
