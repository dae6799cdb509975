//! Changes of rights: which sockets have to be checked again, on every instance.

use std::sync::OnceLock;

use super::hub::Hub;
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::AccountId;

/// Carries no frames. Each change of somebody's rights takes its next position, so that an instance
/// that was not told of one can find that out.
pub(in crate::engine) const RIGHTS_FEED: &str = "server/rights";

/// Tells other instances, with the position of the change. `None`: everybody is to be checked.
type Forward = Box<dyn Fn(u64, Option<&[AccountId]>) + Send + Sync>;

/// Where changes of rights go besides this instance.
#[derive(Default)]
pub(super) struct Rechecks(OnceLock<Forward>);

impl Hub {
    /// Has every change of rights told to other instances from now on.
    pub(in crate::engine) fn forward_rechecks(
        &self,
        forward: impl Fn(u64, Option<&[AccountId]>) + Send + Sync + 'static,
    ) {
        drop(self.rechecks().0.set(Box::new(forward)));
    }

    /// After the commit, has every socket of these accounts check its rights again before it gets
    /// another frame: no frame of a later commit passes unchecked. To be called after the event
    /// that ends what is cached of the rights.
    ///
    /// # Errors
    /// The database's.
    pub async fn recheck_after_commit(&self, tx: &mut Tx, accounts: Vec<AccountId>) -> Result<()> {
        if accounts.is_empty() {
            return Ok(());
        }
        let position = tx.next_position(RIGHTS_FEED).await?.cast_unsigned();
        let hub = self.clone();
        tx.after_commit(move || {
            accounts.iter().for_each(|account| hub.recheck(*account));
            if let Some(forward) = hub.rechecks().0.get() {
                forward(position, Some(&accounts));
            }
        });
        Ok(())
    }

    /// The same for everybody, when a change touches too many to name.
    ///
    /// # Errors
    /// The database's.
    pub async fn recheck_all_after_commit(&self, tx: &mut Tx) -> Result<()> {
        let position = tx.next_position(RIGHTS_FEED).await?.cast_unsigned();
        let hub = self.clone();
        tx.after_commit(move || {
            hub.recheck_all();
            if let Some(forward) = hub.rechecks().0.get() {
                forward(position, None);
            }
        });
        Ok(())
    }
}
