//! Rules: what they look for, and what happens then. Pure.

use serde::{Deserialize, Serialize};

use crate::base::ids::RoomId;
use crate::base::locale::Lang;
use crate::community::RoleId;
use crate::{id, text_enum};

id!(
    /// A rule. The program's own have the numbers of their presets until somebody changes the
    /// rules of the space.
    RuleId
);

/// Rules of one space.
pub(super) const MAX_RULES: usize = 50;
/// Words of one rule.
pub(super) const MAX_WORDS: usize = 500;
/// Patterns of one rule.
pub(super) const MAX_PATTERNS: usize = 10;
/// Patterns of all rules of a space: each reads every message.
pub(super) const MAX_SPACE_PATTERNS: usize = 30;
/// Graphemes of a word or domain.
pub(super) const MAX_WORD_CHARS: usize = 60;
/// Graphemes of a pattern.
pub(super) const MAX_PATTERN_CHARS: usize = 300;
/// Domains of one rule.
pub(super) const MAX_DOMAINS: usize = 200;
/// Of what a rule counts in a time, or in one message.
pub(super) const MAX_COUNTED_THINGS: i64 = 1000;
/// Seconds in which messages are counted: an hour.
pub(super) const MAX_FLOOD_SECONDS: i64 = 3600;
/// Hours for which somebody is new: thirty days.
pub(super) const MAX_NEWCOMER_HOURS: i64 = 30 * 24;
/// Minutes of the longest time-out that a rule imposes: a week.
pub(super) const MAX_TIME_OUT: i64 = 7 * 24 * 60;
/// Rooms, and exempt roles, that one rule names.
pub(super) const MAX_NAMED: usize = 100;

/// What a rule does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RuleAction {
    /// Makes what it found unreadable.
    Mask,
    /// Has it wait for a moderator.
    Hold,
    /// Does not let it be posted.
    Refuse,
}

text_enum!(RuleAction {
    Mask = "mask",
    Hold = "hold",
    Refuse = "refuse",
});

impl RuleAction {
    /// All of them, from the mildest on.
    pub(super) const ALL: [Self; 3] = [Self::Mask, Self::Hold, Self::Refuse];

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// Which links a rule finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum LinkPolicy {
    /// All.
    All,
    /// All but those to the listed domains.
    AllBut,
    /// Those to the listed domains.
    Only,
}

impl LinkPolicy {
    pub(super) const ALL: [Self; 3] = [Self::All, Self::AllBut, Self::Only];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::AllBut => "all-but",
            Self::Only => "only",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// What of a newcomer's a rule finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum NewcomerPolicy {
    /// Messages with links.
    Links,
    /// Messages with files.
    Files,
    /// Messages with either.
    LinksAndFiles,
    /// Every message.
    Anything,
}

impl NewcomerPolicy {
    pub(super) const ALL: [Self; 4] = [
        Self::Links,
        Self::Files,
        Self::LinksAndFiles,
        Self::Anything,
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Links => "links",
            Self::Files => "files",
            Self::LinksAndFiles => "links-and-files",
            Self::Anything => "anything",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// What a rule looks for. Of numbers zero means: not at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(super) enum Condition {
    /// Words, and patterns that are regular expressions.
    Words {
        words: Vec<String>,
        patterns: Vec<String>,
    },
    /// Links.
    Links {
        policy: LinkPolicy,
        /// As they are resolved: lower case, in ASCII.
        domains: Vec<String>,
    },
    /// More than this of one member's, or in one message.
    Floods {
        /// Messages in `seconds`.
        messages: i64,
        seconds: i64,
        /// Messages of the same text in five minutes.
        repeats: i64,
        /// Mentions in one message.
        mentions: i64,
        /// Links in one message.
        links: i64,
    },
    /// What members write who joined, or whose account was made, less than `hours` ago.
    Newcomers { hours: i64, what: NewcomerPolicy },
}

/// The kinds of conditions, as forms and pages name them.
pub(super) const KINDS: [&str; 4] = ["words", "links", "floods", "newcomers"];

impl Condition {
    /// One of [`KINDS`].
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Words { .. } => "words",
            Self::Links { .. } => "links",
            Self::Floods { .. } => "floods",
            Self::Newcomers { .. } => "newcomers",
        }
    }

    /// Whether it finds parts of a text, which can be masked.
    pub(super) fn finds_parts(&self) -> bool {
        matches!(self, Self::Words { .. } | Self::Links { .. })
    }

    pub(super) fn patterns(&self) -> usize {
        match self {
            Self::Words { patterns, .. } => patterns.len(),
            _ => 0,
        }
    }
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) id: RuleId,
    /// Empty for one of the program's own that nobody has named.
    pub(super) name: String,
    pub(super) enabled: bool,
    pub(super) condition: Condition,
    pub(super) action: RuleAction,
    /// Minutes for which the author only reads then; zero: none.
    pub(super) time_out: i64,
    /// Who has one of these roles is exempt.
    pub(super) exempt_roles: Vec<RoleId>,
    /// Where it acts; empty: everywhere in the space.
    pub(super) rooms: Vec<RoomId>,
}

impl Rule {
    /// What pages call it.
    pub(super) fn title(&self, lang: &Lang) -> String {
        match self.name.is_empty() {
            true => lang
                .t(&format!("rule-kind-{}", self.condition.kind()))
                .to_owned(),
            false => self.name.clone(),
        }
    }
}
