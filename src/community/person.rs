//! Someone as lists of people show them.

use sqlx::FromRow;

use super::{Face, Role};
use crate::base::ids::AccountId;

/// People a list shows at most.
pub(super) const MAX_LISTED: i64 = 500;

/// Someone in a space or room.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Person {
    /// The account.
    pub id: AccountId,
    /// Its name.
    pub name: String,
    /// The role as stored; empty where it does not matter.
    #[sqlx(default)]
    pub role: String,
}

impl Person {
    /// How they are drawn.
    pub fn face(&self) -> Face {
        Face::of(self.id, &self.name)
    }

    /// Whether they own the space.
    pub fn is_owner(&self) -> bool {
        Role::of(&self.role) == Role::Owner
    }
}
