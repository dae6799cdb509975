//! `todo.set-done`: marks an item as done or not done. Idempotent.

use serde::Deserialize;
use serde_json::json;
use tidepool::base::error::Result;
use tidepool::engine::actions::Outcome;
use tidepool::engine::bus::Origin;
use tidepool::engine::viewer::Viewer;

use crate::model::ItemId;
use crate::topics::ItemMarked;
use crate::{FEED, Todo, pages, store};

#[derive(Deserialize)]
pub struct SetDoneInput {
    item: ItemId,
    done: bool,
}

pub async fn set_done(todo: Todo, viewer: Viewer, input: SetDoneInput) -> Result<Outcome> {
    let SetDoneInput { item, done } = input;
    let engine = todo.community.engine();
    let space = store::space_of(&engine.db, item).await?;
    let bus = engine.bus.clone();
    let origin = Origin::new(viewer.account, Some(space));
    let write = todo.write(&viewer, space, async move |tx| {
        if let Some(item) = store::set_done(tx, item, done).await? {
            let (feed, marked) = (FEED.name(space), ItemMarked { space, item });
            bus.publish_on(tx, &[feed], origin, marked).await?;
        }
        Ok(())
    });
    write.await?;
    Ok(Outcome::new(json!({ "done": done }), pages::address(space)))
}
