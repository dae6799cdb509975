//! Judging a text by the rules of a space. Pure: what has to be counted in the database is left in
//! the judgement.

use std::time::Duration;

use sha2::{Digest, Sha256};

use super::author::Author;
use super::fold::Folded;
use super::link_policy::{is_found, outside, written_links};
use super::mask::mask;
use super::model::{Condition, NewcomerPolicy, Rule, RuleAction};
use super::words::WordList;
use crate::base::clock::Micros;
use crate::base::ids::RoomId;
use crate::engine::screening::{Count, FindLinks, Finding, Judgement, Verdict};
use crate::engine::web::Hosts;

/// The time in which messages of the same text are counted.
pub(super) const REPEAT_WINDOW: Duration = Duration::from_secs(300);

/// A text to judge.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) room: RoomId,
    pub(super) text: &'a str,
    pub(super) links: FindLinks,
    pub(super) files: usize,
    pub(super) is_edit: bool,
    /// When it is written.
    pub(super) at: Micros,
}

struct CompiledRule {
    rule: Rule,
    words: WordList,
}

/// The rules of a space that are switched on.
pub(super) struct CompiledRules {
    rules: Vec<CompiledRule>,
    hosts: Hosts,
}

impl CompiledRules {
    pub(super) fn new(rules: Vec<Rule>, hosts: Hosts) -> Self {
        let compile = |rule: Rule| {
            let words = match &rule.condition {
                Condition::Words { words, patterns } => WordList::new(words, patterns),
                _ => WordList::new(&[], &[]),
            };
            CompiledRule { rule, words }
        };
        Self {
            rules: rules.into_iter().map(compile).collect(),
            hosts,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Roughly how much memory it takes, in words: a compiled pattern is up to 64 KiB.
    pub(super) fn weight(&self) -> usize {
        let weight = |rule: &CompiledRule| match &rule.rule.condition {
            Condition::Words { words, patterns } => words.len() * 8 + patterns.len() * 2048,
            _ => 8,
        };
        self.rules.iter().map(weight).sum()
    }

    /// Whether some rule asks when the author came.
    pub(super) fn asks_when(&self) -> bool {
        let asks = |rule: &CompiledRule| matches!(rule.rule.condition, Condition::Newcomers { .. });
        self.rules.iter().any(asks)
    }

    /// Judges a text by all rules.
    pub(super) fn judge(&self, text: Text<'_>, author: &Author) -> Judgement {
        let mut judgement = Judgement::default();
        if author.is_exempt {
            return judgement;
        }
        let (mut parts, mut masked_by) = (Vec::new(), Finding::default());
        for compiled in self.rules.iter().filter(|one| one.acts_on(text, author)) {
            match compiled.find(text, author, &self.hosts) {
                Found::Nothing => {}
                Found::Counts(counts) => judgement.counts.extend(counts),
                Found::Parts(found, why) if compiled.rule.action == RuleAction::Mask => {
                    if !found.is_empty() {
                        parts.extend(found);
                        masked_by.add(compiled.finding(Verdict::Mask(String::new())));
                    } else {
                        // It is there, and cannot be masked.
                        let refused = compiled.finding(Verdict::Refuse(why));
                        judgement.finding.add(refused);
                    }
                }
                Found::Parts(_, why) | Found::Whole(why) => {
                    judgement
                        .finding
                        .add(compiled.finding(compiled.verdict(why)));
                }
            }
        }
        if !parts.is_empty() {
            let masked = mask(text.text, parts);
            masked_by.verdict = match self.still_links(text, author, &masked) {
                true => Verdict::Refuse("error-rule-links"),
                false => Verdict::Mask(masked),
            };
            judgement.finding.add(masked_by);
        }
        judgement
    }

    /// Whether a link that was to be masked is still one.
    fn still_links(&self, text: Text<'_>, author: &Author, masked: &str) -> bool {
        let again = Text {
            text: masked,
            ..text
        };
        let masks_links = self.rules.iter().filter(|one| {
            let is_link = matches!(one.rule.condition, Condition::Links { .. });
            is_link && one.rule.action == RuleAction::Mask && one.acts_on(text, author)
        });
        let mut masks_links = masks_links;
        masks_links.any(|one| !matches!(one.find(again, author, &self.hosts), Found::Nothing))
    }
}

/// What a rule finds in a text, and the key of the words that say so.
enum Found {
    Nothing,
    /// Parts of it; none if they cannot be told.
    Parts(Vec<std::ops::Range<usize>>, &'static str),
    /// All of it.
    Whole(&'static str),
    Counts(Vec<Count>),
}

impl CompiledRule {
    fn acts_on(&self, text: Text<'_>, author: &Author) -> bool {
        let Rule {
            rooms,
            exempt_roles,
            ..
        } = &self.rule;
        (rooms.is_empty() || rooms.contains(&text.room))
            && !exempt_roles.iter().any(|role| author.roles.contains(role))
    }

    fn finding(&self, verdict: Verdict) -> Finding {
        Finding {
            verdict,
            rule: self.rule.name.clone(),
            time_out: self.rule.time_out.unsigned_abs(),
        }
    }

    fn verdict(&self, why: &'static str) -> Verdict {
        match self.rule.action {
            RuleAction::Hold => Verdict::Hold,
            RuleAction::Mask | RuleAction::Refuse => Verdict::Refuse(why),
        }
    }

    fn find(&self, text: Text<'_>, author: &Author, hosts: &Hosts) -> Found {
        let links = || outside((text.links)(text.text), hosts);
        match &self.rule.condition {
            Condition::Words { .. } => match self.words.find(text.text) {
                found if found.is_empty() => Found::Nothing,
                found => Found::Parts(found, "error-rule-words"),
            },
            Condition::Links { policy, domains } => {
                let is_found = |url| is_found(*policy, domains, url);
                match links().iter().any(is_found) {
                    true => {
                        let written = written_links(*policy, domains, hosts, text.text);
                        Found::Parts(written, "error-rule-links")
                    }
                    false => Found::Nothing,
                }
            }
            Condition::Newcomers { hours, what } => {
                let length = Duration::from_secs(hours.unsigned_abs() * 3600);
                let is_new = author.new_at.plus(length) > text.at;
                let has_links = || !links().is_empty();
                let is_found = match what {
                    NewcomerPolicy::Links => has_links(),
                    NewcomerPolicy::Files => text.files > 0,
                    NewcomerPolicy::LinksAndFiles => text.files > 0 || has_links(),
                    NewcomerPolicy::Anything => true,
                };
                match is_new && is_found {
                    true => Found::Whole("error-rule-newcomer"),
                    false => Found::Nothing,
                }
            }
            Condition::Floods {
                messages,
                seconds,
                repeats,
                mentions,
                links: max_links,
            } => {
                let exceeds = |count: usize, max: i64| max > 0 && count as i64 > max;
                if exceeds(count_mentions(text.text), *mentions) {
                    return Found::Whole("error-rule-mentions");
                }
                if *max_links > 0 && exceeds(links().len(), *max_links) {
                    return Found::Whole("error-rule-many-links");
                }
                match text.is_edit {
                    true => Found::Nothing,
                    false => Found::Counts(self.counts(text, *messages, *seconds, *repeats)),
                }
            }
        }
    }

    fn counts(&self, text: Text<'_>, messages: i64, seconds: i64, repeats: i64) -> Vec<Count> {
        let mut counts = Vec::new();
        let window = Duration::from_secs(seconds.unsigned_abs());
        let count = |topic, max, window, verdict| Count {
            rule: self.rule.id.0,
            topic,
            max,
            window,
            then: self.finding(verdict),
        };
        let is_held = self.rule.action == RuleAction::Hold;
        let verdict = |refused| if is_held { Verdict::Hold } else { refused };
        if messages > 0 {
            let then = verdict(Verdict::Wait(window));
            counts.push(count(0, messages, window, then));
        }
        if repeats > 0 && !text.text.is_empty() {
            let then = verdict(Verdict::Refuse("error-rule-repeated"));
            counts.push(count(digest(text.text), repeats, REPEAT_WINDOW, then));
        }
        counts
    }
}

/// A number for a text as it is compared; never 0.
fn digest(text: &str) -> i64 {
    let digest = Sha256::digest(Folded::new(text).text.trim().as_bytes());
    let bytes = digest.first_chunk().copied().unwrap_or_default();
    (i64::from_be_bytes(bytes) & i64::MAX).max(1)
}

/// How many words begin with an @ and a name.
fn count_mentions(text: &str) -> usize {
    let mut before = ' ';
    let mut count = 0;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let names = letters.peek().is_some_and(|next| next.is_alphanumeric());
        if letter == '@' && names && !before.is_alphanumeric() {
            count += 1;
        }
        before = letter;
    }
    count
}

#[cfg(test)]
#[path = "judge/tests.rs"]
mod tests;
