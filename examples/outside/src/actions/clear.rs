//! `todo.clear`: removes the items that are done.

use serde::Deserialize;
use serde_json::json;
use tidepool::base::error::Result;
use tidepool::base::ids::SpaceId;
use tidepool::engine::actions::Outcome;
use tidepool::engine::bus::Origin;
use tidepool::engine::viewer::Viewer;

use crate::topics::ListCleared;
use crate::{FEED, Todo, pages, store};

#[derive(Deserialize)]
pub struct ClearInput {
    space: SpaceId,
}

pub async fn clear(todo: Todo, viewer: Viewer, input: ClearInput) -> Result<Outcome> {
    let ClearInput { space } = input;
    let engine = todo.community.engine();
    let bus = engine.bus.clone();
    let origin = Origin::new(viewer.account, Some(space));
    let write = todo.write(&viewer, space, async move |tx| {
        let items = store::clear(tx, space).await?;
        let removed = items.len();
        if removed > 0 {
            let (feed, cleared) = (FEED.name(space), ListCleared { space, items });
            bus.publish_on(tx, &[feed], origin, cleared).await?;
        }
        Ok(removed)
    });
    let removed = write.await?;
    Ok(Outcome::new(
        json!({ "removed": removed }),
        pages::address(space),
    ))
}
