//! The rules that every space begins with: protection from floods, and suggestions that are
//! switched off.

use super::model::{Condition, LinkPolicy, NewcomerPolicy, Rule, RuleAction, RuleId};

/// The program's own rules. Their ids are their numbers, from 1 on. They have no names: pages call
/// them by their kind, in the reader's language.
pub(super) fn presets() -> Vec<Rule> {
    let rule = |id, enabled, condition, action| Rule {
        id: RuleId(id),
        name: String::new(),
        enabled,
        condition,
        action,
        time_out: 0,
        exempt_roles: Vec::new(),
        rooms: Vec::new(),
    };
    let floods = Condition::Floods {
        messages: 10,
        seconds: 10,
        repeats: 4,
        mentions: 10,
        links: 10,
    };
    let newcomers = Condition::Newcomers {
        hours: 24,
        what: NewcomerPolicy::Links,
    };
    let links = Condition::Links {
        policy: LinkPolicy::All,
        domains: Vec::new(),
    };
    vec![
        rule(1, true, floods, RuleAction::Refuse),
        rule(2, false, newcomers, RuleAction::Hold),
        rule(3, false, links, RuleAction::Hold),
    ]
}
