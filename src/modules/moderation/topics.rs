//! The events moderation publishes.

use crate::base::ids::SpaceId;
use crate::{event, id};

id!(
    /// The rules of a space, as a dependency of their own.
    RuleSet
);

event! {
    /// The rules of a space for what is written in it changed.
    pub struct RulesChanged on "moderation.rules.changed" by space changes(space as RuleSet) {
        /// The space.
        space: SpaceId = SpaceId(3),
    }
}
