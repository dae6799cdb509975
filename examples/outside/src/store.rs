//! SQL, one function per query.

use tidepool::base::db::{Db, Tx};
use tidepool::base::error::{Error, Result};
use tidepool::base::ids::{AccountId, SpaceId};

use crate::model::{Direction, Item, ItemId, MAX_ITEMS, neighbour};

/// The schema, as the module declares it.
pub const ITEMS_TABLE: &str = include_str!("../migrations/0001_items.sql");

const LIST: &str = "SELECT id, title, position, done FROM todo_items \
    WHERE space_id = $1 ORDER BY position, id";

/// The items of a space, in order.
pub async fn list(db: &Db, space: SpaceId) -> Result<Vec<Item>> {
    db.all(LIST, (space,)).await
}

/// The space whose list holds an item.
///
/// # Errors
/// `NotFound` when there is no such item.
pub async fn space_of(db: &Db, item: ItemId) -> Result<SpaceId> {
    const SPACE: &str = "SELECT space_id FROM todo_items WHERE id = $1";
    db.scalar(SPACE, (item,)).await
}

/// Adds an item at the end, once per key and title of an author. The flag says whether it is new.
///
/// # Errors
/// `Full` when the list has [`MAX_ITEMS`] items.
pub async fn add(
    tx: &mut Tx,
    (space, author): (SpaceId, AccountId),
    key: &str,
    title: &str,
) -> Result<(Item, bool)> {
    const FIND: &str = "SELECT id, title, position, done FROM todo_items \
        WHERE space_id = $1 AND author_id = $2 AND client_key = $3 AND title = $4";
    // Counted in the inserting statement, so that nothing can be written in between.
    const ADD: &str = "INSERT INTO todo_items \
        (id, space_id, author_id, client_key, title, position, done) \
        SELECT $1, $2, $3, $4, $5, COALESCE(MAX(position), 0) + 1, FALSE \
        FROM todo_items WHERE space_id = $2 HAVING COUNT(*) < $6";
    let known = tx.optional(FIND, (space, author, key, title)).await?;
    if let Some(item) = known {
        return Ok((item, false));
    }
    let values = (ItemId::new(), space, author, key, title, MAX_ITEMS);
    if tx.execute(ADD, values).await? == 0 {
        return Err(Error::Full("todo-error-full"));
    }
    Ok((tx.one(FIND, (space, author, key, title)).await?, true))
}

/// Marks an item. Returns the changed item, or `None` when it had this state already.
pub async fn set_done(tx: &mut Tx, item: ItemId, done: bool) -> Result<Option<Item>> {
    const SET: &str = "UPDATE todo_items SET done = $2 WHERE id = $1 AND done <> $2 \
        RETURNING id, title, position, done";
    tx.optional(SET, (item, done)).await
}

/// Moves an item that is at `position`. Returns the new list, or `None` when the item is not at
/// this position any more or cannot move.
pub async fn reorder(
    tx: &mut Tx,
    space: SpaceId,
    (item, position): (ItemId, i64),
    direction: Direction,
) -> Result<Option<Vec<Item>>> {
    const MOVE: &str = "UPDATE todo_items SET position = $2 WHERE id = $1";
    let items: Vec<Item> = tx.all(LIST, (space,)).await?;
    let is_there = |one: &Item| one.id == item && one.position == position;
    let other = neighbour(&items, item, direction).filter(|_| items.iter().any(is_there));
    let Some(other) = other else {
        return Ok(None);
    };
    tx.execute(MOVE, (item, other.position)).await?;
    tx.execute(MOVE, (other.id, position)).await?;
    tx.all(LIST, (space,)).await.map(Some)
}

/// Removes the items that are done, and returns their ids.
pub async fn clear(tx: &mut Tx, space: SpaceId) -> Result<Vec<ItemId>> {
    const CLEAR: &str = "DELETE FROM todo_items WHERE space_id = $1 AND done RETURNING id";
    tx.scalars(CLEAR, (space,)).await
}
