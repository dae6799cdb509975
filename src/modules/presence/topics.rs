//! The events presence publishes.

use serde::{Deserialize, Serialize};

use super::people::State;
use crate::base::ids::{AccountId, SpaceId};
use crate::{event, id};

id!(
    /// The presence of a space's members, as a dependency of its own: it changes far more often
    /// than the space, and must not invalidate pages that do not show it.
    SpacePresence
);

/// One person's new state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PersonState {
    /// The account.
    pub account: AccountId,
    /// Their name.
    pub name: String,
    /// `here`, `idle`, `busy` or `away`.
    pub state: String,
}

event! {
    /// Members of a space became present, idle or away; one event per batch of changes.
    pub struct PeopleChanged on "presence.people.changed" by space
        changes(space as SpacePresence) {
        /// The space.
        space: SpaceId = SpaceId(3),
        /// The changed accounts with their new states.
        people: Vec<PersonState> = vec![PersonState {
            account: AccountId(7),
            name: "Ann".into(),
            state: "idle".into(),
        }],
    }
}

event! {
    /// An instance of the server tells the others who has sockets there.
    pub struct PresenceTold on "presence.people.told" by people changes() {
        /// How many people the event tells of.
        people: u64 = 1,
        /// The name of the instance.
        instance: String = "Zk3xQ9aB".into(),
        /// Whether these are the first of all its people: whom it told of before are gone.
        first: bool = false,
        /// The accounts with their states there.
        states: Vec<(AccountId, State)> = vec![(AccountId(7), State::Here)],
    }
}

event! {
    /// Somebody with sockets on several instances of the server was active on one of them.
    pub struct PersonActive on "presence.person.active" by account changes() {
        /// The account.
        account: AccountId = AccountId(7),
    }
}
