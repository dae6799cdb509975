//! The events presence publishes.

use crate::base::ids::AccountId;
use crate::event;

event! {
    /// Someone came, became idle or went away.
    pub struct StateChanged on "presence.state.changed" by account {
        /// Who.
        account: AccountId = AccountId(7),
        /// `here`, `idle` or `away`.
        state: String = "idle".into(),
    }
}

impl StateChanged {
    pub(super) const NAME: &str = "presence.state.changed";
}
