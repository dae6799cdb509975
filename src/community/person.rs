//! An account as an entry in a list of people.

use sqlx::FromRow;

use super::{Face, Membership};
use crate::base::ids::AccountId;

/// People that a list shows at most.
pub(super) const MAX_LISTED: i64 = 500;

/// A member of a space or room.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Person {
    /// The account.
    pub id: AccountId,
    /// The account's name.
    pub name: String,
    /// The role in the space; `None` where it does not matter.
    #[sqlx(default)]
    pub role: Option<Membership>,
}

impl Person {
    /// Initials, colour and picture.
    pub fn face(&self) -> Face {
        Face::of(self.id, &self.name)
    }

    /// Whether they own the space.
    pub fn is_owner(&self) -> bool {
        self.role == Some(Membership::Owner)
    }
}
