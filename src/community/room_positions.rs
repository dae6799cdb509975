//! Putting a room or a category where it was dragged to: before another one, or at the end.

use super::access::lock_space;
use super::audit;
use super::permissions::MANAGE_ROOMS;
use super::room_category::CategoryId;
use super::room_changes::room_act;
use super::room_order::{category_act, check_category, publish, read_order};
use super::{Rooms, Scope};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};

/// Puts an item before another one; at the end when that one is not there.
fn put_before<T: Copy + PartialEq>(order: &mut Vec<T>, item: T, before: Option<T>) {
    order.retain(|one| *one != item);
    let target = before.and_then(|before| order.iter().position(|one| *one == before));
    order.insert(target.unwrap_or(order.len()), item);
}

impl Rooms {
    /// Puts a room under a category (under none when `None`), before another room there or at its
    /// end. Returns the space.
    ///
    /// # Errors
    /// `NotFound` for a category of another space.
    pub(super) async fn put_room(
        &self,
        by: AccountId,
        id: RoomId,
        category: Option<CategoryId>,
        before: Option<RoomId>,
    ) -> Result<SpaceId> {
        const READ: &str = "SELECT id FROM rooms WHERE space_id = $1 AND archived_at IS NULL \
            AND deleted_at IS NULL AND COALESCE(category_id, 0) = $2 ORDER BY position, name";
        const SET: &str = "UPDATE rooms SET position = $2, category_id = $3 WHERE id = $1";
        let (room, space) = self.permit_to_manage(by, id).await?;
        let engine = self.engine.clone();
        let write = async move |tx: &mut Tx| {
            lock_space(tx, space).await?;
            check_category(tx, space, category).await?;
            let key = category.map_or(0, |category| category.0);
            let mut order: Vec<RoomId> = tx.scalars(READ, (space, key)).await?;
            put_before(&mut order, id, before);
            for (position, room) in (1_i64..).zip(order) {
                tx.execute(SET, (room, position, category)).await?;
            }
            let private = room.rules.private;
            let act = room_act(by, space, "room.moved", id, &room.name, private);
            audit::record(tx, act).await?;
            publish(tx, &engine, by, space).await
        };
        let scope = Scope::Space(space);
        self.access
            .permitted_write(by, &MANAGE_ROOMS, scope, write)
            .await?;
        Ok(space)
    }

    /// Puts a category before another one, or at the end.
    ///
    /// # Errors
    /// `NotFound` for a category of another space.
    pub(super) async fn put_category(
        &self,
        by: AccountId,
        space: SpaceId,
        category: CategoryId,
        before: Option<CategoryId>,
    ) -> Result<()> {
        const SET: &str = "UPDATE room_categories SET position = $2 WHERE id = $1";
        let engine = self.engine.clone();
        let write = async move |tx: &mut Tx| {
            lock_space(tx, space).await?;
            let mut order = read_order(tx, space).await?;
            if !order.contains(&category) {
                return Err(Error::NotFound);
            }
            put_before(&mut order, category, before);
            for (position, id) in (0_i64..).zip(order) {
                tx.execute(SET, (id, position)).await?;
            }
            audit::record(tx, category_act(by, space, "room.category-moved", "")).await?;
            publish(tx, &engine, by, space).await
        };
        let scope = Scope::Space(space);
        self.access
            .permitted_write(by, &MANAGE_ROOMS, scope, write)
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_is_put_before_another_or_at_the_end() {
        let mut order = vec![1, 2, 3];
        put_before(&mut order, 3, Some(1));
        assert_eq!(order, [3, 1, 2]);
        put_before(&mut order, 3, None);
        assert_eq!(order, [1, 2, 3]);
        put_before(&mut order, 9, Some(2));
        assert_eq!(order, [1, 9, 2, 3]);
        put_before(&mut order, 2, Some(7));
        assert_eq!(order, [1, 9, 3, 2]);
        put_before(&mut order, 1, Some(1));
        assert_eq!(order, [9, 3, 2, 1]);
    }
}
