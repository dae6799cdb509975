//! The presenter: turns events into frames for pages and programs.

use tidepool::base::error::Result;
use tidepool::base::ids::SpaceId;
use tidepool::engine::bus::Envelope;
use tidepool::engine::live::Content;
use tidepool::engine::partial::Partial;

use crate::topics::{ItemAdded, ItemMarked, ListCleared, ListReordered};
use crate::views::row;
use crate::{FEED, Todo};

impl Todo {
    fn publish(&self, space: SpaceId, envelope: &Envelope, content: Content) {
        let live = &self.community.engine().live;
        live.publish_at(&FEED.name(space), envelope, content);
    }
}

/// Appends the row, unless the page shows it already.
pub async fn item_added(todo: &Todo, event: &ItemAdded, envelope: &Envelope) -> Result<()> {
    let ItemAdded { space, item } = event.clone();
    let list = format!("#todo-list-{space}:not(:has(#todo-item-{}))", item.id);
    let content = Content::of(event)
        .html(move |lang| Partial::append(list.clone(), &row(&item, lang)).to_string());
    todo.publish(space, envelope, content);
    Ok(())
}

/// Replaces the row.
pub async fn item_marked(todo: &Todo, event: &ItemMarked, envelope: &Envelope) -> Result<()> {
    let ItemMarked { space, item } = event.clone();
    let target = format!("#todo-item-{}", item.id);
    let content = Content::of(event)
        .html(move |lang| Partial::morph(target.clone(), &row(&item, lang)).to_string());
    todo.publish(space, envelope, content);
    Ok(())
}

/// Replaces the whole list, which is short.
pub async fn list_reordered(todo: &Todo, event: &ListReordered, envelope: &Envelope) -> Result<()> {
    let ListReordered { space, items } = event.clone();
    let list = format!("#todo-list-{space}");
    let content = Content::of(event).html(move |lang| {
        let rows: String = items.iter().map(|item| row(item, lang)).collect();
        Partial::inner(list.clone(), &rows).to_string()
    });
    todo.publish(space, envelope, content);
    Ok(())
}

/// Removes the rows.
pub async fn list_cleared(todo: &Todo, event: &ListCleared, envelope: &Envelope) -> Result<()> {
    let ListCleared { space, items } = event.clone();
    let content = Content::of(event).html(move |_| {
        let removed = items.iter();
        removed
            .map(|item| Partial::delete(format!("#todo-item-{item}")).to_string())
            .collect()
    });
    todo.publish(space, envelope, content);
    Ok(())
}

/// After missed events: every page refetches its list.
pub async fn refresh(todo: Todo, _missed: u64) {
    let live = &todo.community.engine().live;
    live.refresh_all(FEED.pattern).await;
}
