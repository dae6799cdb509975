//! The form of a rule: what is sent, checked, and shown again.

use serde::Deserialize;
use unicode_segmentation::UnicodeSegmentation;

use super::fold::fold_word;
use super::link_policy::normalize_domain;
use super::model::{
    Condition, LinkPolicy, MAX_COUNTED_THINGS, MAX_DOMAINS, MAX_FLOOD_SECONDS, MAX_NAMED,
    MAX_NEWCOMER_HOURS, MAX_PATTERN_CHARS, MAX_PATTERNS, MAX_TIME_OUT, MAX_WORD_CHARS, MAX_WORDS,
    NewcomerPolicy, Rule, RuleAction, RuleId,
};
use super::words::compile;
use crate::base::error::{Check, Result};
use crate::base::ids::{RoomId, SpaceId};
use crate::base::list::List;
use crate::base::locale::Lang;
use crate::base::text::{check_short_text, normalize_line};
use crate::community::RoleId;

/// Graphemes of the name of a rule.
const MAX_NAME_CHARS: usize = 60;

/// A rule as forms and programs send it: numbers are texts, lists have one thing on each line.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RuleForm {
    pub(super) space: Option<SpaceId>,
    /// Which rule is changed; empty: a new one.
    pub(super) rule: String,
    /// One of [`KINDS`](super::model::KINDS).
    pub(super) kind: String,
    pub(super) name: String,
    /// `yes` or nothing.
    pub(super) enabled: String,
    pub(super) action: String,
    /// Minutes.
    pub(super) time_out: String,
    pub(super) words: String,
    pub(super) patterns: String,
    pub(super) policy: String,
    pub(super) domains: String,
    pub(super) messages: String,
    pub(super) seconds: String,
    pub(super) repeats: String,
    pub(super) mentions: String,
    pub(super) links: String,
    pub(super) hours: String,
    pub(super) what: String,
    pub(super) exempt_roles: List<RoleId, MAX_NAMED>,
    /// None: all.
    pub(super) rooms: List<RoomId, MAX_NAMED>,
}

/// The lines of a text that hold something, each once.
fn lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !lines.iter().any(|other| other == line) {
            lines.push(line.to_owned());
        }
    }
    lines
}

/// A number of a form, from 0 (also for an empty field) to `max`.
fn number(text: &str, field: &'static str, max: i64, check: &mut Check) -> i64 {
    let number = match text.trim() {
        "" => Some(0),
        text => text.parse().ok(),
    };
    let number = number.filter(|number| (0..=max).contains(number));
    check.that(number.is_some(), field, "error-between", max as usize);
    number.unwrap_or_default()
}

impl RuleForm {
    /// The rule, under an id that the caller replaces.
    ///
    /// # Errors
    /// `Invalid`.
    pub(super) fn check(&self) -> Result<Rule> {
        let mut check = Check::default();
        let name = normalize_line(&self.name);
        check.that(!name.is_empty(), "name", "error-name-missing", 0);
        check_short_text(&name, "name", MAX_NAME_CHARS, &mut check);
        let condition = match self.kind.as_str() {
            "words" => self.words(&mut check),
            "links" => self.links(&mut check),
            "floods" => self.floods(&mut check),
            "newcomers" => self.newcomers(&mut check),
            _ => {
                check.that(false, "kind", "error-message-shape", 0);
                self.words(&mut Check::default())
            }
        };
        let action = RuleAction::parse(&self.action);
        let fits = action != Some(RuleAction::Mask) || condition.finds_parts();
        check
            .that(action.is_some(), "action", "error-message-shape", 0)
            .that(fits, "action", "error-rule-mask", 0);
        let time_out = number(&self.time_out, "time_out", MAX_TIME_OUT, &mut check);
        check.done()?;
        Ok(Rule {
            id: RuleId(0),
            name,
            enabled: self.enabled == "yes",
            condition,
            action: action.unwrap_or(RuleAction::Hold),
            time_out,
            exempt_roles: self.exempt_roles.to_vec(),
            rooms: self.rooms.to_vec(),
        })
    }

    fn words(&self, check: &mut Check) -> Condition {
        let (words, patterns) = (lines(&self.words), lines(&self.patterns));
        let is_short = |text: &String, max: usize| text.graphemes(true).count() <= max;
        let are_short = words.iter().all(|word| is_short(word, MAX_WORD_CHARS));
        let are_visible = words.iter().all(|word| !fold_word(word).is_empty());
        let fit = patterns
            .iter()
            .all(|text| is_short(text, MAX_PATTERN_CHARS));
        let compiled: Vec<_> = match fit && patterns.len() <= MAX_PATTERNS {
            true => patterns.iter().map(|text| compile(text)).collect(),
            false => Vec::new(),
        };
        let are_patterns = compiled.iter().all(Result::is_ok);
        let mut read = compiled.iter().flatten();
        let find_something = !read.any(|pattern| pattern.is_match(""));
        let is_empty = words.is_empty() && patterns.is_empty();
        check
            .that(!is_empty, "words", "error-rule-nothing", 0)
            .that(are_short, "words", "error-rule-word-long", MAX_WORD_CHARS)
            .that(are_visible, "words", "error-rule-word-blank", 0)
            .that(
                words.len() <= MAX_WORDS,
                "words",
                "error-rule-many-words",
                MAX_WORDS,
            )
            .that(fit, "patterns", "error-too-long", MAX_PATTERN_CHARS)
            .that(
                patterns.len() <= MAX_PATTERNS,
                "patterns",
                "error-rule-many-patterns",
                MAX_PATTERNS,
            )
            .that(are_patterns, "patterns", "error-rule-pattern", 0)
            .that(find_something, "patterns", "error-rule-pattern-empty", 0);
        Condition::Words { words, patterns }
    }

    fn links(&self, check: &mut Check) -> Condition {
        let policy = LinkPolicy::parse(&self.policy);
        let written = lines(&self.domains);
        let domains: Vec<_> = written.iter().map(|text| normalize_domain(text)).collect();
        let needs_some = policy.is_some_and(|policy| policy != LinkPolicy::All);
        check
            .that(policy.is_some(), "policy", "error-message-shape", 0)
            .that(
                domains.iter().all(Option::is_some),
                "domains",
                "error-rule-domain",
                0,
            )
            .that(
                domains.len() <= MAX_DOMAINS,
                "domains",
                "error-rule-many-domains",
                MAX_DOMAINS,
            )
            .that(
                !needs_some || !domains.is_empty(),
                "domains",
                "error-rule-nothing",
                0,
            );
        Condition::Links {
            policy: policy.unwrap_or(LinkPolicy::All),
            domains: domains.into_iter().flatten().collect(),
        }
    }

    fn floods(&self, check: &mut Check) -> Condition {
        let mut counted = |text, field| number(text, field, MAX_COUNTED_THINGS, check);
        let messages = counted(&self.messages, "messages");
        let repeats = counted(&self.repeats, "repeats");
        let mentions = counted(&self.mentions, "mentions");
        let links = counted(&self.links, "links");
        let seconds = number(&self.seconds, "seconds", MAX_FLOOD_SECONDS, check);
        let is_empty = messages + repeats + mentions + links == 0;
        check
            .that(!is_empty, "messages", "error-rule-nothing", 0)
            .that(
                messages == 0 || seconds > 0,
                "seconds",
                "error-rule-seconds",
                0,
            );
        Condition::Floods {
            messages,
            seconds,
            repeats,
            mentions,
            links,
        }
    }

    fn newcomers(&self, check: &mut Check) -> Condition {
        let hours = number(&self.hours, "hours", MAX_NEWCOMER_HOURS, check);
        let what = NewcomerPolicy::parse(&self.what);
        check
            .that(
                hours > 0,
                "hours",
                "error-between",
                MAX_NEWCOMER_HOURS as usize,
            )
            .that(what.is_some(), "what", "error-message-shape", 0);
        Condition::Newcomers {
            hours,
            what: what.unwrap_or(NewcomerPolicy::Links),
        }
    }

    /// The form of a rule that is there, or of a new one with what is usual.
    pub(super) fn of(kind: &str, rule: Option<&Rule>, lang: Lang) -> Self {
        let text = |number: i64| match number {
            0 => String::new(),
            number => number.to_string(),
        };
        let mut form = Self {
            kind: kind.to_owned(),
            enabled: "yes".to_owned(),
            action: "hold".to_owned(),
            policy: "all".to_owned(),
            seconds: "10".to_owned(),
            hours: "24".to_owned(),
            what: "links".to_owned(),
            ..Self::default()
        };
        let Some(rule) = rule else {
            return form;
        };
        form.rule = rule.id.to_string();
        form.name = rule.title(&lang);
        form.enabled = if rule.enabled { "yes" } else { "" }.to_owned();
        form.action = rule.action.as_str().to_owned();
        form.time_out = text(rule.time_out);
        match &rule.condition {
            Condition::Words { words, patterns } => {
                (form.words, form.patterns) = (words.join("\n"), patterns.join("\n"));
            }
            Condition::Links { policy, domains } => {
                form.policy = policy.as_str().to_owned();
                form.domains = domains.join("\n");
            }
            Condition::Floods {
                messages,
                seconds,
                repeats,
                mentions,
                links,
            } => {
                (form.messages, form.seconds) = (text(*messages), text(*seconds));
                form.repeats = text(*repeats);
                (form.mentions, form.links) = (text(*mentions), text(*links));
            }
            Condition::Newcomers { hours, what } => {
                (form.hours, form.what) = (text(*hours), what.as_str().to_owned());
            }
        }
        form
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::Error;

    fn form(kind: &str) -> RuleForm {
        RuleForm {
            name: "A rule".into(),
            ..RuleForm::of(kind, None, Lang::default())
        }
    }

    fn refused(form: &RuleForm) -> Vec<&'static str> {
        match form.check() {
            Err(Error::Invalid(fields)) => fields.iter().map(|field| field.field).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn form_of_a_rule_is_that_rule() {
        for rule in super::super::presets::presets() {
            let form = RuleForm::of(rule.condition.kind(), Some(&rule), Lang::default());
            let checked = form.check().unwrap();
            assert_eq!(
                Rule {
                    id: rule.id,
                    name: String::new(),
                    ..checked
                },
                rule
            );
        }
    }

    #[test]
    fn rule_out_of_bounds_names_its_fields() {
        let mut words = form("words");
        assert_eq!(refused(&words), ["words"]);
        words.words = "\u{200b}".into();
        assert_eq!(refused(&words), ["words"]);
        words.words = "shoes".into();
        assert_eq!(refused(&words), [""; 0]);
        words.patterns = "a*".into();
        assert_eq!(refused(&words), ["patterns"]);
        words.patterns = "(".into();
        assert_eq!(refused(&words), ["patterns"]);
        words.patterns = "a+\na+\nb+\n".into();
        assert_eq!(refused(&words), [""; 0]);
        words.time_out = "99999".into();
        assert_eq!(refused(&words), ["time_out"]);

        let mut floods = form("floods");
        assert_eq!(refused(&floods), ["messages"]);
        floods.messages = "5".into();
        floods.action = "mask".into();
        assert_eq!(refused(&floods), ["action"]);
        let mut links = form("links");
        links.policy = "only".into();
        assert_eq!(refused(&links), ["domains"]);
        links.domains = "example".into();
        assert_eq!(refused(&links), ["domains"]);
        assert_eq!(refused(&form("nonsense")), ["kind"]);
    }
}
