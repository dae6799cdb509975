//! `todo.add`: adds an item at the end.

use serde::Deserialize;
use serde_json::json;
use tidepool::base::error::Result;
use tidepool::base::ids::SpaceId;
use tidepool::engine::actions::Outcome;
use tidepool::engine::bus::Origin;
use tidepool::engine::viewer::Viewer;

use crate::topics::ItemAdded;
use crate::{FEED, Todo, model, pages, store};

#[derive(Deserialize)]
pub struct AddInput {
    space: SpaceId,
    title: String,
    /// Idempotency key chosen by the client: the same key and title add one item.
    #[serde(default)]
    key: String,
}

pub async fn add(todo: Todo, viewer: Viewer, input: AddInput) -> Result<Outcome> {
    let AddInput { space, key, .. } = input;
    let title = model::checked_title(&input.title, &key)?;
    let engine = todo.community.engine();
    let (bus, author) = (engine.bus.clone(), viewer.account);
    let write = todo.write(&viewer, space, async move |tx| {
        let (item, is_new) = store::add(tx, (space, author), &key, &title).await?;
        if is_new {
            let event = ItemAdded {
                space,
                item: item.clone(),
            };
            let (feed, origin) = (FEED.name(space), Origin::new(author, Some(space)));
            bus.publish_on(tx, &[feed], origin, event).await?;
        }
        Ok(item)
    });
    let item = write.await?;
    Ok(Outcome::new(json!({ "item": item }), pages::address(space)))
}
