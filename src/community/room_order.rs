//! The order of a space's rooms, and the headings (categories) under which they are listed.

use std::sync::Arc;

use serde_json::{Value, json};

use super::access::lock_space;
use super::audit::{self, Act};
use super::names::check_name;
use super::permissions::MANAGE_ROOMS;
use super::room_category::{Category, CategoryId};
use super::room_changes::room_act;
use super::topics::SpaceChanged;
use super::{Rooms, SPACE_FEED, Scope};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::Engine;
use crate::engine::bus::Origin;
use crate::engine::versions::Dependencies;

const MAX_CATEGORIES: i64 = 50; // of one space

/// One place towards the top or the bottom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Up,
    Down,
}

/// Swaps an item with the next one in a direction, of those that `is_seen`; the others keep their
/// place beside it. False when there is none.
pub(super) fn shift<T: Copy + PartialEq>(
    order: &mut Vec<T>,
    item: T,
    to: Direction,
    is_seen: impl Fn(T) -> bool,
) -> bool {
    let Some(from) = order.iter().position(|one| *one == item) else {
        return false;
    };
    let target = match to {
        Direction::Up => order[..from].iter().rposition(|one| is_seen(*one)),
        Direction::Down => {
            let after = order[from + 1..].iter().position(|one| is_seen(*one));
            after.map(|index| from + 1 + index)
        }
    };
    let Some(target) = target else {
        return false;
    };
    let moved = order.remove(from);
    order.insert(target, moved);
    true
}

/// The categories of a space in their order, in a transaction.
pub(super) async fn read_order(tx: &mut Tx, space: SpaceId) -> Result<Vec<CategoryId>> {
    const READ: &str = "SELECT id FROM room_categories WHERE space_id = $1 ORDER BY position, id";
    tx.scalars(READ, (space,)).await
}

/// Checks that a category is one of the space.
///
/// # Errors
/// `NotFound`.
pub(super) async fn check_category(
    tx: &mut Tx,
    space: SpaceId,
    category: Option<CategoryId>,
) -> Result<()> {
    const FIND: &str =
        "SELECT EXISTS (SELECT 1 FROM room_categories WHERE id = $1 AND space_id = $2)";
    let Some(category) = category else {
        return Ok(());
    };
    match tx.scalar(FIND, (category, space)).await? {
        true => Ok(()),
        false => Err(Error::NotFound),
    }
}

/// Has everybody's sidebar refetched after the commit.
pub(super) async fn publish(
    tx: &mut Tx,
    engine: &Engine,
    by: AccountId,
    space: SpaceId,
) -> Result<()> {
    const NAME: &str = "SELECT name FROM spaces WHERE id = $1";
    let name: String = tx.scalar(NAME, (space,)).await?;
    let (feed, origin) = (SPACE_FEED.name(space), Origin::new(by, Some(space)));
    let changed = SpaceChanged { space, name };
    engine.bus.publish_on(tx, &[feed], origin, changed).await?;
    Ok(())
}

pub(super) fn category_act<'a>(
    by: AccountId,
    space: SpaceId,
    act: &'static str,
    name: &'a str,
) -> Act<'a> {
    Act {
        space: Some(space),
        actor: Some(by),
        act,
        subject: None,
        name,
        before: Value::Null,
        after: Value::Null,
    }
}

impl Rooms {
    /// The headings of a space's rooms in their order, at most 50. Adds what they depend on to
    /// `page`.
    ///
    /// # Errors
    /// The database's.
    pub async fn categories(
        &self,
        page: &Dependencies,
        space: SpaceId,
    ) -> Result<Arc<Vec<Category>>> {
        const READ: &str = "SELECT id, name FROM room_categories \
            WHERE space_id = $1 ORDER BY position, id LIMIT $2";
        let load = async |deps: &Dependencies| {
            deps.add(space);
            let all = self.engine.db.all(READ, (space, MAX_CATEGORIES));
            Ok(Arc::new(all.await?))
        };
        self.categories.get_or_load_for(page, space, load).await
    }

    /// Creates a category below the others.
    ///
    /// # Errors
    /// `Conflict` past 50.
    pub(super) async fn create_category(
        &self,
        by: AccountId,
        space: SpaceId,
        name: &str,
    ) -> Result<CategoryId> {
        const INSERT: &str = "INSERT INTO room_categories (id, space_id, name, position, created_at) \
            VALUES ($1, $2, $3, $4, $5)";
        let mut check = Check::default();
        let name = check_name(name, "name", &mut check);
        check.done()?;
        let engine = self.engine.clone();
        let create = async move |tx: &mut Tx| {
            lock_space(tx, space).await?;
            let count = i64::try_from(read_order(tx, space).await?.len()).unwrap_or(i64::MAX);
            if count >= MAX_CATEGORIES {
                return Err(Error::Conflict("error-categories-full"));
            }
            let id = CategoryId::new();
            tx.execute(INSERT, (id, space, &name, count, Micros::now()))
                .await?;
            audit::record(tx, category_act(by, space, "room.category-created", &name)).await?;
            publish(tx, &engine, by, space).await?;
            Ok(id)
        };
        let scope = Scope::Space(space);
        self.access
            .permitted_write(by, &MANAGE_ROOMS, scope, create)
            .await
    }

    /// Renames a category.
    pub(super) async fn rename_category(
        &self,
        by: AccountId,
        space: SpaceId,
        category: CategoryId,
        name: &str,
    ) -> Result<()> {
        const READ: &str = "SELECT name FROM room_categories WHERE id = $1";
        const RENAME: &str = "UPDATE room_categories SET name = $2 WHERE id = $1";
        let mut check = Check::default();
        let name = check_name(name, "name", &mut check);
        check.done()?;
        let engine = self.engine.clone();
        let rename = async move |tx: &mut Tx| {
            lock_space(tx, space).await?;
            check_category(tx, space, Some(category)).await?;
            let before: String = tx.scalar(READ, (category,)).await?;
            tx.execute(RENAME, (category, &name)).await?;
            let act = Act {
                before: json!({ "name": before }),
                after: json!({ "name": name }),
                ..category_act(by, space, "room.category-renamed", &name)
            };
            audit::record(tx, act).await?;
            publish(tx, &engine, by, space).await
        };
        let scope = Scope::Space(space);
        self.access
            .permitted_write(by, &MANAGE_ROOMS, scope, rename)
            .await
    }

    /// Deletes a category; its rooms follow those that stand under none.
    pub(super) async fn delete_category(
        &self,
        by: AccountId,
        space: SpaceId,
        category: CategoryId,
    ) -> Result<()> {
        const DELETE: &str = "DELETE FROM room_categories WHERE id = $1 RETURNING name";
        const LAST: &str = "SELECT COALESCE(MAX(position), 0) FROM rooms \
            WHERE space_id = $1 AND category_id IS NULL";
        const RELEASE: &str = "UPDATE rooms SET category_id = NULL, position = position + $2 \
            WHERE category_id = $1";
        let engine = self.engine.clone();
        let delete = async move |tx: &mut Tx| {
            lock_space(tx, space).await?;
            check_category(tx, space, Some(category)).await?;
            let last: i64 = tx.scalar(LAST, (space,)).await?;
            tx.execute(RELEASE, (category, last)).await?;
            let name: String = tx.scalar(DELETE, (category,)).await?;
            audit::record(tx, category_act(by, space, "room.category-deleted", &name)).await?;
            publish(tx, &engine, by, space).await
        };
        let scope = Scope::Space(space);
        self.access
            .permitted_protective_write(by, &MANAGE_ROOMS, scope, delete)
            .await
    }

    /// Moves a category one place. The first one does not move up, nor the last one down.
    pub(super) async fn move_category(
        &self,
        by: AccountId,
        space: SpaceId,
        category: CategoryId,
        to: Direction,
    ) -> Result<()> {
        const PLACE: &str = "UPDATE room_categories SET position = $2 WHERE id = $1";
        let engine = self.engine.clone();
        let write = async move |tx: &mut Tx| {
            lock_space(tx, space).await?;
            check_category(tx, space, Some(category)).await?;
            let mut order = read_order(tx, space).await?;
            if !shift(&mut order, category, to, |_| true) {
                return Ok(());
            }
            for (position, id) in (0_i64..).zip(order) {
                tx.execute(PLACE, (id, position)).await?;
            }
            audit::record(tx, category_act(by, space, "room.category-moved", "")).await?;
            publish(tx, &engine, by, space).await
        };
        let scope = Scope::Space(space);
        self.access
            .permitted_write(by, &MANAGE_ROOMS, scope, write)
            .await
    }

    /// Moves a room one place among those of its category that the account sees.
    pub(super) async fn move_room(&self, by: AccountId, id: RoomId, to: Direction) -> Result<()> {
        const READ: &str = "SELECT r.id FROM rooms r WHERE r.space_id = $1 \
            AND r.archived_at IS NULL AND r.deleted_at IS NULL AND COALESCE(r.category_id, 0) = \
            (SELECT COALESCE(own.category_id, 0) FROM rooms own WHERE own.id = $2) \
            ORDER BY r.position, r.name";
        const PLACE: &str = "UPDATE rooms SET position = $2 WHERE id = $1";
        let (room, space) = self.permit_to_manage(by, id).await?;
        let deps = self.engine.versions.dependencies();
        let seen = self.open_in(&deps, by, space).await?;
        let engine = self.engine.clone();
        let write = async move |tx: &mut Tx| {
            lock_space(tx, space).await?;
            let mut order: Vec<RoomId> = tx.scalars(READ, (space, id)).await?;
            let is_seen = |one| seen.iter().any(|room| room.id == one);
            if !shift(&mut order, id, to, is_seen) {
                return Ok(());
            }
            for (position, id) in (1_i64..).zip(order) {
                tx.execute(PLACE, (id, position)).await?;
            }
            let private = room.rules.private;
            let act = room_act(by, space, "room.moved", id, &room.name, private);
            audit::record(tx, act).await?;
            publish(tx, &engine, by, space).await
        };
        let scope = Scope::Space(space);
        self.access
            .permitted_write(by, &MANAGE_ROOMS, scope, write)
            .await
    }

    /// Puts a room under a category, below its other rooms; under none when `None`.
    ///
    /// # Errors
    /// `NotFound` for a category of another space.
    pub(super) async fn set_category(
        &self,
        by: AccountId,
        id: RoomId,
        category: Option<CategoryId>,
    ) -> Result<()> {
        const SET: &str = "UPDATE rooms SET category_id = $2, position = \
            (SELECT COALESCE(MAX(other.position), 0) + 1 FROM rooms other \
            WHERE other.space_id = $3 AND COALESCE(other.category_id, 0) = $4) WHERE id = $1";
        let (room, space) = self.permit_to_manage(by, id).await?;
        let engine = self.engine.clone();
        let write = async move |tx: &mut Tx| {
            lock_space(tx, space).await?;
            check_category(tx, space, category).await?;
            let key = category.map_or(0, |category| category.0);
            tx.execute(SET, (id, category, space, key)).await?;
            let private = room.rules.private;
            let act = room_act(by, space, "room.moved", id, &room.name, private);
            audit::record(tx, act).await?;
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
    fn moved_item_passes_the_next_one_seen() {
        let mut order = vec![1, 2, 3, 4];
        assert!(shift(&mut order, 4, Direction::Up, |one| one != 3));
        assert_eq!(order, [1, 4, 2, 3]);
        assert!(shift(&mut order, 1, Direction::Down, |one| one != 4));
        assert_eq!(order, [4, 2, 1, 3]);
        assert!(!shift(&mut order, 4, Direction::Up, |_| true));
        assert!(!shift(&mut order, 3, Direction::Down, |_| true));
        assert!(!shift(&mut order, 9, Direction::Down, |_| true));
    }
}
