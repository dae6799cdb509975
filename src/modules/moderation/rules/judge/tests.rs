//! Each kind of rule on texts, and several at once.

use super::super::model::{LinkPolicy, RuleId};
use super::*;
use crate::base::settings::{Profile, Settings};
use crate::community::RoleId;

fn hosts() -> Hosts {
    Hosts::new(&Settings::of(
        Profile::Production,
        std::path::Path::new("data"),
    ))
}

fn rule(condition: Condition, action: RuleAction) -> Rule {
    Rule {
        id: RuleId(7),
        name: action.as_str().to_owned(),
        enabled: true,
        condition,
        action,
        time_out: 0,
        exempt_roles: Vec::new(),
        rooms: Vec::new(),
    }
}

fn words(word: &str) -> Condition {
    Condition::Words {
        words: vec![word.to_owned()],
        patterns: Vec::new(),
    }
}

fn author() -> Author {
    Author {
        is_exempt: false,
        roles: vec![RoleId(3)],
        new_at: Micros(0),
    }
}

/// Words with a scheme count as links.
fn links(text: &str) -> Vec<String> {
    let words = text.split_whitespace();
    words
        .filter(|word| word.contains("://"))
        .map(str::to_owned)
        .collect()
}

fn text(text: &str) -> Text<'_> {
    Text {
        room: RoomId(12),
        text,
        links,
        files: 0,
        is_edit: false,
        at: Micros(10 * 3_600_000_000),
    }
}

fn verdict(rules: Vec<Rule>, written: &str) -> Verdict {
    let rules = CompiledRules::new(rules, hosts());
    rules.judge(text(written), &author()).finding.verdict
}

#[test]
fn masks_of_several_rules_add_up_and_the_severest_acts() {
    let mask = |word| rule(words(word), RuleAction::Mask);
    let both = vec![mask("shoes"), mask("bags")];
    let masked = verdict(both.clone(), "shoes and bags");
    assert_eq!(masked, Verdict::Mask("••••• and ••••".into()));
    let hold = rule(words("casino"), RuleAction::Hold);
    let with_hold = [both.clone(), vec![hold.clone()]].concat();
    assert_eq!(verdict(with_hold.clone(), "shoes, casino"), Verdict::Hold);
    let refuse = rule(words("bags"), RuleAction::Refuse);
    let all = [with_hold, vec![refuse]].concat();
    assert_eq!(
        verdict(all, "bags, casino"),
        Verdict::Refuse("error-rule-words")
    );
    assert_eq!(verdict(vec![hold], "nothing"), Verdict::Pass);
}

#[test]
fn exempt_roles_and_other_rooms_pass() {
    let mut exempt = rule(words("shoes"), RuleAction::Refuse);
    exempt.exempt_roles = vec![RoleId(3)];
    assert_eq!(verdict(vec![exempt], "shoes"), Verdict::Pass);
    let mut elsewhere = rule(words("shoes"), RuleAction::Refuse);
    elsewhere.rooms = vec![RoomId(13)];
    assert_eq!(verdict(vec![elsewhere.clone()], "shoes"), Verdict::Pass);
    elsewhere.rooms.push(RoomId(12));
    assert_ne!(verdict(vec![elsewhere], "shoes"), Verdict::Pass);
}

#[test]
fn link_that_cannot_be_masked_is_refused() {
    let condition = Condition::Links {
        policy: LinkPolicy::Only,
        domains: vec!["evil.example".into()],
    };
    let mask = || vec![rule(condition.clone(), RuleAction::Mask)];
    let Verdict::Mask(masked) = verdict(mask(), "x https://evil.example y") else {
        panic!("not masked");
    };
    assert!(
        masked.starts_with("x ••") && masked.ends_with("• y"),
        "{masked}"
    );
    assert_eq!(
        verdict(mask(), "ftp://evil.example"),
        Verdict::Refuse("error-rule-links")
    );
    assert_eq!(verdict(mask(), "https://good.example"), Verdict::Pass);
}

#[test]
fn floods_leave_what_is_counted_and_newcomers_are_told_by_their_time() {
    let floods = Condition::Floods {
        messages: 5,
        seconds: 10,
        repeats: 2,
        mentions: 1,
        links: 0,
    };
    let rules = CompiledRules::new(vec![rule(floods, RuleAction::Hold)], hosts());
    let judgement = rules.judge(text("hi @ann"), &author());
    assert_eq!(judgement.counts.len(), 2);
    assert_eq!(judgement.counts[0].then.verdict, Verdict::Hold);
    assert_eq!(judgement.counts[1].topic, digest("HI  @ann"));
    let texts = [
        "one", "two", "three", "four", "five", "six", "seven", "eight",
    ];
    let digests: std::collections::HashSet<_> = texts.map(digest).into();
    assert_eq!(digests.len(), texts.len());
    let many = rules.judge(text("@ann @bob"), &author());
    assert_eq!(many.finding.verdict, Verdict::Hold);
    let edit = Text {
        is_edit: true,
        ..text("hi")
    };
    assert!(rules.judge(edit, &author()).is_empty());
    assert_eq!(count_mentions("@a a@b (@c) @ @@d"), 3);

    let new = Condition::Newcomers {
        hours: 9,
        what: NewcomerPolicy::Anything,
    };
    assert_eq!(
        verdict(vec![rule(new, RuleAction::Hold)], "hi"),
        Verdict::Pass
    );
    let new = Condition::Newcomers {
        hours: 11,
        what: NewcomerPolicy::Links,
    };
    let hold = || vec![rule(new.clone(), RuleAction::Hold)];
    assert_eq!(verdict(hold(), "hi"), Verdict::Pass);
    assert_eq!(verdict(hold(), "http://a.example"), Verdict::Hold);
}
