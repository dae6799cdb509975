//! Moderation: rules that act by themselves on what members write.

mod rules;
mod topics;

use crate::community::Community;
use crate::community::permissions::{HeldBy, Permission, ScopeKind};
use crate::engine::Engine;
use crate::engine::module::Module;
use rules::Rules;

/// To set the rules of a space.
pub static RULES: Permission = Permission {
    name: "moderation.rules",
    scope: ScopeKind::Space,
    held_by: HeldBy::Moderators,
    adds_content: false,
    about: "Set the rules that act by themselves, and try them",
};

/// To write what the rules would stop.
pub static EXEMPT: Permission = Permission {
    name: "moderation.exempt",
    scope: ScopeKind::Space,
    held_by: HeldBy::Moderators,
    adds_content: false,
    about: "Write whatever the rules that act by themselves say",
};

/// The moderation module. Cheap to clone.
#[derive(Clone)]
pub struct Moderation {
    engine: Engine,
    community: Community,
    rules: Rules,
}

impl Moderation {
    /// Creates the module's state for the spaces of this community.
    pub fn new(community: &Community) -> Self {
        Self {
            engine: community.engine().clone(),
            community: community.clone(),
            rules: Rules::new(community),
        }
    }
}

/// What the module declares to the engine.
pub fn module() -> Module<Moderation> {
    let module = Module::new("moderation")
        .permission(&RULES)
        .permission(&EXEMPT)
        .stylesheet("css/moderation.css");
    rules::declare(module)
}
