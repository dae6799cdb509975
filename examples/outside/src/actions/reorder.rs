//! `todo.reorder`: swaps an item with its neighbour. The input has the position that the client
//! saw, so that a form sent twice moves the item once.

use serde::Deserialize;
use serde_json::json;
use tidepool::base::error::Result;
use tidepool::engine::actions::Outcome;
use tidepool::engine::bus::Origin;
use tidepool::engine::viewer::Viewer;

use crate::model::{Direction, ItemId};
use crate::topics::ListReordered;
use crate::{FEED, Todo, pages, store};

#[derive(Deserialize)]
pub struct ReorderInput {
    item: ItemId,
    position: i64,
    direction: Direction,
}

pub async fn reorder(todo: Todo, viewer: Viewer, input: ReorderInput) -> Result<Outcome> {
    let engine = todo.community.engine();
    let space = store::space_of(&engine.db, input.item).await?;
    let bus = engine.bus.clone();
    let origin = Origin::new(viewer.account, Some(space));
    let write = todo.write(&viewer, space, async move |tx| {
        let from = (input.item, input.position);
        let items = store::reorder(tx, space, from, input.direction).await?;
        let is_moved = items.is_some();
        if let Some(items) = items {
            let (feed, reordered) = (FEED.name(space), ListReordered { space, items });
            bus.publish_on(tx, &[feed], origin, reordered).await?;
        }
        Ok(is_moved)
    });
    let is_moved = write.await?;
    Ok(Outcome::new(
        json!({ "moved": is_moved }),
        pages::address(space),
    ))
}
