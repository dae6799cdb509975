//! Types and rules, without I/O.

use serde::{Deserialize, Serialize};
use tidepool::base::error::{Check, Result};

tidepool::id!(
    /// An item of a list.
    ItemId
);

tidepool::id!(
    /// The list of a space, by the space's number: pages that show it depend on it.
    ListId
);

/// Items of a list; one more is refused.
pub const MAX_ITEMS: i64 = 100;

/// Characters of a title.
pub const MAX_TITLE_LENGTH: usize = 200;

/// Characters of a client's key.
pub const MAX_KEY_LENGTH: usize = 64;

/// An item of a space's list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow)]
pub struct Item {
    /// Unique on this server.
    pub id: ItemId,
    /// What is to be done.
    pub title: String,
    /// Position in its list: greater is further down.
    pub position: i64,
    /// Whether it is done.
    pub done: bool,
}

impl Item {
    /// The example shown in the documentation of events.
    pub fn example() -> Self {
        Self {
            id: ItemId(9),
            title: "Water the fern".into(),
            position: 1,
            done: false,
        }
    }
}

/// Where an item moves.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// One position towards the beginning.
    Up,
    /// One position towards the end.
    Down,
}

/// Trims a title and checks it. The key may be any text.
///
/// # Errors
/// `Invalid` when the title is empty or too long, or the key is too long.
pub fn checked_title(title: &str, key: &str) -> Result<String> {
    let title = title.trim();
    let has_length = (1..=MAX_TITLE_LENGTH).contains(&title.chars().count());
    let has_key = key.chars().count() <= MAX_KEY_LENGTH;
    Check::default()
        .that(has_length, "title", "todo-error-title", MAX_TITLE_LENGTH)
        .that(has_key, "key", "todo-error-key", MAX_KEY_LENGTH)
        .done()?;
    Ok(title.to_owned())
}

/// The neighbour that an item is swapped with; `None` at the end of the list.
pub fn neighbour(items: &[Item], item: ItemId, direction: Direction) -> Option<&Item> {
    let index = items.iter().position(|one| one.id == item)?;
    match direction {
        Direction::Up => items.get(index.checked_sub(1)?),
        Direction::Down => items.get(index + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn title_of_spaces_is_refused() {
        assert!(checked_title("  ", "").is_err());
        assert!(checked_title(&"x".repeat(MAX_TITLE_LENGTH + 1), "").is_err());
        assert_eq!(checked_title(" Milk ", "").unwrap(), "Milk");
    }

    #[test]
    fn neighbour_of_first_item_is_below() {
        let item = |id| Item {
            id: ItemId(id),
            ..Item::example()
        };
        let items = [item(1), item(2)];
        let id_of = |item: Option<&Item>| item.map(|item| item.id);
        assert_eq!(id_of(neighbour(&items, ItemId(1), Direction::Up)), None);
        let below = neighbour(&items, ItemId(1), Direction::Down);
        assert_eq!(id_of(below), Some(ItemId(2)));
    }
}
