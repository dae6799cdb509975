//! A category of rooms. Making and moving them: `room_order.rs`.

use sqlx::FromRow;

use crate::id;

id!(
    /// A heading under which a space lists rooms.
    CategoryId
);

/// A heading of a space's list of rooms.
#[derive(Clone, Debug, FromRow)]
pub struct Category {
    /// Unique on this server.
    pub id: CategoryId,
    /// The name, as shown.
    pub name: String,
}
