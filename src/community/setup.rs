//! The first evening: what the setup page makes, once: the owner, the first space and its room.

use super::accounts::{self, NewAccount};
use super::{Community, Role, names, rooms, spaces};
use crate::base::clock::Micros;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, SpaceId};

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
