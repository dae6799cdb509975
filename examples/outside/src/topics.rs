//! The events the module publishes.

use tidepool::base::ids::SpaceId;
use tidepool::event;

use crate::model::{Item, ItemId, ListId};

event! {
    /// An item was added at the end of a list.
    pub struct ItemAdded on "todo.item.added" by space changes(space as ListId) {
        /// The space whose list it is.
        space: SpaceId = SpaceId(3),
        /// The item.
        item: Item = Item::example(),
    }
}

event! {
    /// An item was marked as done, or as not done.
    pub struct ItemMarked on "todo.item.marked" by space changes(space as ListId) {
        /// The space whose list it is.
        space: SpaceId = SpaceId(3),
        /// The item as it is now.
        item: Item = Item::example(),
    }
}

event! {
    /// A list was reordered.
    pub struct ListReordered on "todo.list.reordered" by space changes(space as ListId) {
        /// The space whose list it is.
        space: SpaceId = SpaceId(3),
        /// All its items, in order.
        items: Vec<Item> = vec![Item::example()],
    }
}

event! {
    /// The items that were done were removed from a list.
    pub struct ListCleared on "todo.list.cleared" by space changes(space as ListId) {
        /// The space whose list it is.
        space: SpaceId = SpaceId(3),
        /// The removed items.
        items: Vec<ItemId> = vec![ItemId(9)],
    }
}
