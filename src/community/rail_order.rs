//! The order of spaces in the rail: each member's own.

use super::access::lock_account;
use super::room_order::{Direction, shift};
use super::spaces::rail_order;
use super::topics::SpacesOrdered;
use super::{ACCOUNT_FEED, Spaces};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::bus::Origin;

impl Spaces {
    /// Moves a space one place in the account's own rail. The first one does not move up, nor the
    /// last one down.
    ///
    /// # Errors
    /// `NotFound` for who is no member.
    pub(super) async fn move_in_rail(
        &self,
        account: AccountId,
        space: SpaceId,
        to: Direction,
    ) -> Result<()> {
        let change = move |order: &mut Vec<SpaceId>| match order.contains(&space) {
            true => {
                shift(order, space, to, |_| true);
                Ok(())
            }
            false => Err(Error::NotFound),
        };
        self.write_order(account, change).await
    }

    /// Puts the account's spaces in this order; those that are not named follow as they were, and
    /// those that it does not belong to are passed over.
    pub(super) async fn order_rail(&self, account: AccountId, wanted: Vec<SpaceId>) -> Result<()> {
        let change = move |order: &mut Vec<SpaceId>| {
            let rank = |space: &SpaceId| wanted.iter().position(|one| one == space);
            order.sort_by_key(|space| rank(space).unwrap_or(usize::MAX));
            Ok(())
        };
        self.write_order(account, change).await
    }

    async fn write_order<F>(&self, account: AccountId, change: F) -> Result<()>
    where
        F: FnOnce(&mut Vec<SpaceId>) -> Result<()> + Send + 'static,
    {
        const READ: &str = concat!(
            "SELECT s.id FROM members m JOIN spaces s ON s.id = m.space_id \
             WHERE m.account_id = $1 AND s.deleted_at IS NULL ",
            rail_order!()
        );
        const SET: &str = "UPDATE members SET rail_position = $3 \
            WHERE account_id = $1 AND space_id = $2 AND (rail_position IS NULL \
            OR rail_position <> $3)";
        let bus = self.engine.bus.clone();
        // Of one's own account.
        let write = self.engine.db.write(async move |tx: &mut Tx| {
            lock_account(tx, account).await?;
            let mut order: Vec<SpaceId> = tx.scalars(READ, (account,)).await?;
            change(&mut order)?;
            for (position, space) in (1_i64..).zip(order) {
                tx.execute(SET, (account, space, position)).await?;
            }
            let (feed, origin) = (ACCOUNT_FEED.name(account), Origin::new(account, None));
            let ordered = SpacesOrdered { account };
            bus.publish_on(tx, &[feed], origin, ordered).await
        });
        write.await
    }
}
