//! The events presence publishes.

use serde::{Deserialize, Serialize};

use crate::base::ids::{AccountId, SpaceId};
use crate::{event, id};

id!(
    /// The presence of a space's members: it changes far more often than the space, and what does
    /// not show it must not be made anew.
    SpacePresence
);

/// One person's new state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PersonState {
    /// Who.
    pub account: AccountId,
    /// Their name.
    pub name: String,
    /// `here`, `idle` or `away`.
    pub state: String,
}

event! {
    /// People of a space came, became idle or went away; all who did so at about the same time.
    pub struct PeopleChanged on "presence.people.changed" by space
        changes(space as SpacePresence) {
        /// The space.
        space: SpaceId = SpaceId(3),
        /// Who, and what they are now.
        people: Vec<PersonState> = vec![PersonState {
            account: AccountId(7),
            name: "Ann".into(),
            state: "idle".into(),
        }],
    }
}
