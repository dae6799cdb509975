//! The events moderation publishes.

use crate::base::ids::{AccountId, SpaceId};
use crate::{event, id};

id!(
    /// The open cases and appeals of a space, as a dependency of their own; `0`: the host's.
    ModerationQueue
);
id!(
    /// The reports of an account, as a dependency of their own.
    ReportsOfAccount
);

event! {
    /// Something was reported, an appeal was made, or one of these was resolved.
    pub struct QueueChanged on "moderation.queue.changed" by space
        changes(space as ModerationQueue) {
        /// The space; none for the host's queue.
        space: Option<SpaceId> = Some(SpaceId(3)),
    }
}

event! {
    /// What somebody reported was reviewed; published on their own feeds.
    pub struct ReportsResolved on "moderation.reports.resolved" by accounts
        changes(accounts) {
        /// Who reported it.
        accounts: Vec<AccountId> = vec![AccountId(7)],
    }
}

event! {
    /// An account has seen what became of its reports.
    pub struct ReportsSeen on "moderation.reports.seen" by account
        changes(account as ReportsOfAccount) {
        /// The account.
        account: AccountId = AccountId(7),
    }
}

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
