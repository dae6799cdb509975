//! Moderation: rules that act by themselves on what members write, what members report, the queue
//! in which moderators review it, and appeals.

mod appeal_pages;
mod appeals;
mod case_store;
mod cases;
mod personal_data;
mod queue;
mod queue_marks;
mod report_pages;
mod reports;
mod rules;
mod topics;

use crate::community::Community;
use crate::community::permissions::{HeldBy, Permission, ScopeKind};
use crate::engine::Engine;
use crate::engine::module::Module;
use rules::Rules;

/// To review reports and appeals.
pub static REVIEW: Permission = Permission {
    name: "moderation.review",
    scope: ScopeKind::Space,
    held_by: HeldBy::Moderators,
    adds_content: false,
    about: "Review what members report, and their appeals",
};

/// To review reports that belong to no space.
pub static REVIEW_SERVER: Permission = Permission {
    name: "moderation.review-server",
    scope: ScopeKind::Server,
    held_by: HeldBy::Host,
    adds_content: false,
    about: "Review reports of people and of messages in direct conversations",
};

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
        .permission(&REVIEW)
        .permission(&REVIEW_SERVER)
        .permission(&RULES)
        .permission(&EXEMPT)
        .stylesheet("css/moderation.css")
        .publishes::<topics::QueueChanged>()
        .publishes::<topics::ReportsResolved>()
        .publishes::<topics::ReportsSeen>()
        .personal_data("reports", personal_data::export, personal_data::erase);
    let parts = [
        report_pages::declare,
        queue::declare,
        queue_marks::declare,
        cases::declare,
        appeals::declare,
        appeal_pages::declare,
        rules::declare,
    ];
    parts
        .into_iter()
        .fold(module, |module, declare| declare(module))
}
