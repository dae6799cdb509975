//! The templates of rules.

use askama::Template;

use super::dry_run::DryRun;
use super::form::RuleForm;
use super::model::{KINDS, LinkPolicy, NewcomerPolicy, Rule, RuleAction};
use crate::base::clock::Micros;
use crate::base::ids::SpaceId;
use crate::community::raid_mode::RaidLimits;
use crate::community::{Role, Room, Shell, Tab};
use crate::engine::forms::Form;
use crate::engine::web::Head;

/// Time-outs that the form offers, in minutes.
const TIME_OUTS: [(&str, &str); 5] = [
    ("", "rule-time-out-none"),
    ("5", "time-out-5-minutes"),
    ("60", "time-out-hour"),
    ("1440", "time-out-day"),
    ("10080", "time-out-week"),
];

#[derive(Template)]
#[template(path = "moderation/rules.html", blocks = ["app"])]
pub(super) struct RulesPage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    pub(super) form: Form,
    pub(super) space: SpaceId,
    pub(super) rules: Vec<Rule>,
    pub(super) raid: RaidLimits,
    pub(super) raid_until: Option<Micros>,
    /// Whether the viewer may begin and end raid mode.
    pub(super) may_raid: bool,
}

impl RulesPage {
    fn kinds(&self) -> [&'static str; 4] {
        KINDS
    }

    fn key(&self, prefix: &str, name: &str) -> &'static str {
        self.head.lang.t(&format!("{prefix}-{name}"))
    }
}

#[derive(Template)]
#[template(path = "moderation/rule.html", blocks = ["app"])]
pub(super) struct RulePage {
    pub(super) head: Head,
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    pub(super) form: Form,
    pub(super) space: SpaceId,
    /// The rule as it is stored; `None` for a new one.
    pub(super) rule: Option<Rule>,
    pub(super) current: RuleForm,
    pub(super) roles: Vec<(Role, bool)>,
    pub(super) rooms: Vec<(Room, bool)>,
    pub(super) tried: Option<DryRun>,
}

impl RulePage {
    fn key(&self, prefix: &str, name: &str) -> &'static str {
        self.head.lang.t(&format!("{prefix}-{name}"))
    }

    fn actions(&self) -> Vec<&'static str> {
        let finds_parts = ["words", "links"].contains(&self.current.kind.as_str());
        let all = RuleAction::ALL.into_iter();
        all.filter(|one| finds_parts || *one != RuleAction::Mask)
            .map(RuleAction::as_str)
            .collect()
    }

    fn policies(&self) -> [&'static str; 3] {
        LinkPolicy::ALL.map(LinkPolicy::as_str)
    }

    fn newcomer_policies(&self) -> [&'static str; 4] {
        NewcomerPolicy::ALL.map(NewcomerPolicy::as_str)
    }

    /// The time-outs to choose from, and another one that a program has set.
    fn time_outs(&self, chosen: &str) -> Vec<(String, String)> {
        let lang = self.head.lang;
        let offered = TIME_OUTS.map(|(minutes, key)| (minutes.to_owned(), lang.t(key).to_owned()));
        let mut all = offered.to_vec();
        if !all.iter().any(|(minutes, _)| minutes == chosen) {
            let count = chosen.parse::<u64>().unwrap_or_default();
            let name = lang.with("rule-time-out-minutes", &[("minutes", count.into())]);
            all.push((chosen.to_owned(), name));
        }
        all
    }
}
