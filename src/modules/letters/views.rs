//! What of letters templates show, in words.

use super::journey::Entry;
use super::letter::{Letter, Role};
use super::model::{Kind, State, Step, Way};
use super::text::paragraphs;
use crate::base::clock::Micros;
use crate::base::ids::AccountId;
use crate::base::locale::Lang;

/// Characters of a letter that a list shows.
const LEAD_CHARS: usize = 90;

/// A letter in a list.
pub(super) struct RowView {
    pub(super) href: String,
    /// Who wrote it, or whom it is to.
    pub(super) who: String,
    /// How it begins; empty where the viewer may not read it yet.
    pub(super) lead: String,
    /// Where it is.
    pub(super) state: &'static str,
    /// Class of the mark of its state.
    pub(super) tone: &'static str,
    pub(super) at: Micros,
    pub(super) is_unread: bool,
}

impl RowView {
    /// A letter as an account sees it in one of its lists.
    pub(super) fn new(letter: &Letter, account: AccountId, lang: Lang) -> Self {
        let is_mine = letter.role(account) == Role::Author;
        let is_draft = letter.state == State::Draft;
        let lead = match letter.is_readable_by(account) {
            true => lead(&letter.body),
            false => String::new(),
        };
        Self {
            href: match is_draft {
                true => format!("/letters/{}/desk", letter.id),
                false => format!("/letters/{}", letter.id),
            },
            who: match is_mine {
                true => letter.recipient_shown(lang),
                false => letter.author_name(lang),
            },
            lead,
            state: state_words(letter.state, lang),
            tone: tone(letter.state),
            at: match (is_mine, letter.delivered_at) {
                (false, Some(at)) => at,
                _ => letter.sealed_at.unwrap_or(letter.created_at),
            },
            is_unread: !is_mine && letter.state == State::Delivered && letter.kind != Kind::Open,
        }
    }
}

/// How a letter begins: its first paragraphs in one line.
fn lead(body: &str) -> String {
    let line = paragraphs(body).join(" ").replace('\n', " ");
    match line.char_indices().nth(LEAD_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Where a letter is, in words.
pub(super) fn state_words(state: State, lang: Lang) -> &'static str {
    match state {
        State::Draft => lang.t("letters-state-draft"),
        State::Sealed => lang.t("letters-state-sealed"),
        State::Posted => lang.t("letters-state-posted"),
        State::InTransit => lang.t("letters-state-in-transit"),
        State::Delivered => lang.t("letters-state-delivered"),
        State::Read => lang.t("letters-state-read"),
        State::Replied => lang.t("letters-state-replied"),
        State::Recalled => lang.t("letters-state-recalled"),
        State::Undeliverable => lang.t("letters-state-undeliverable"),
        State::Returned => lang.t("letters-state-returned"),
        State::Lost => lang.t("letters-state-lost"),
        State::Expired => lang.t("letters-state-expired"),
    }
}

/// The class of the mark of a state.
fn tone(state: State) -> &'static str {
    match state {
        State::Sealed | State::Posted | State::InTransit => "wait",
        State::Delivered | State::Read | State::Replied => "sea",
        State::Undeliverable | State::Lost => "bad",
        State::Draft | State::Recalled | State::Returned | State::Expired => "",
    }
}

/// An entry of a journey.
pub(super) struct EntryView {
    pub(super) words: String,
    pub(super) place: String,
    pub(super) detail: String,
    pub(super) at: Micros,
    /// Whether the letter is here now.
    pub(super) is_last: bool,
}

/// The journey in words.
pub(super) fn journey_views(letter: &Letter, entries: &[Entry], lang: Lang) -> Vec<EntryView> {
    let mut views: Vec<EntryView> = entries
        .iter()
        .map(|entry| EntryView {
            words: step_words(letter.way, entry, lang),
            place: match entry.event {
                Step::Seal => letter.sent_from.clone(),
                _ => entry.place.clone(),
            },
            detail: reason_words(&entry.detail, lang),
            at: entry.at,
            is_last: false,
        })
        .collect();
    if let Some(last) = views.last_mut() {
        last.is_last = true;
    }
    views
}

fn step_words(way: Way, entry: &Entry, lang: Lang) -> String {
    let name = [("name", entry.name.as_str().into())];
    let plain = match (entry.event, way) {
        (Step::Take, Way::Hand) => return lang.with("letters-step-taken-by", &name),
        (Step::HandOver, _) => return lang.with("letters-step-offered-by", &name),
        (Step::Seal, _) => lang.t("letters-step-sealed"),
        (Step::Post, Way::Tide | Way::Drift) => lang.t("letters-step-given"),
        (Step::Post, Way::Hand) => lang.t("letters-step-posted"),
        (Step::Take, Way::Tide | Way::Drift) => lang.t("letters-step-tide"),
        (Step::Deliver, Way::Drift) => lang.t("letters-step-drift-found"),
        (Step::Drift, _) => lang.t("letters-step-drifted-on"),
        (Step::Deliver, _) => lang.t("letters-step-delivered"),
        (Step::Open, _) => lang.t("letters-step-opened"),
        (Step::Answer, _) => lang.t("letters-step-answered"),
        (Step::Recall, _) => lang.t("letters-step-recalled"),
        (Step::Fail, _) => lang.t("letters-step-failed"),
        (Step::Retry, _) => lang.t("letters-step-retried"),
        (Step::Return, _) => lang.t("letters-step-returned"),
        (Step::Lose, _) => lang.t("letters-step-lost"),
        (Step::Find, _) => lang.t("letters-step-found"),
        (Step::Expire, _) => lang.t("letters-step-expired"),
    };
    plain.to_owned()
}

/// Why something failed, of the reasons that couriers choose from.
pub(super) fn reason_words(reason: &str, lang: Lang) -> String {
    match reason {
        "absent" => lang.t("letters-reason-absent"),
        "moved" => lang.t("letters-reason-moved"),
        "refused" => lang.t("letters-reason-refused"),
        "unreadable" => lang.t("letters-reason-unreadable"),
        "damaged" => lang.t("letters-reason-damaged"),
        _ => "",
    }
    .to_owned()
}

/// What a kind of paper is called.
pub(super) fn paper_words(paper: &str, lang: Lang) -> &'static str {
    match paper {
        "lined" => lang.t("letters-paper-lined"),
        "cream" => lang.t("letters-paper-cream"),
        "sea" => lang.t("letters-paper-sea"),
        "night" => lang.t("letters-paper-night"),
        "kraft" => lang.t("letters-paper-kraft"),
        "squared" => lang.t("letters-paper-squared"),
        "rose" => lang.t("letters-paper-rose"),
        _ => lang.t("letters-paper-plain"),
    }
}

/// What a stamp is called.
pub(super) fn stamp_words(stamp: &str, lang: Lang) -> &'static str {
    match stamp {
        "fern" => lang.t("letters-stamp-fern"),
        "lamp" => lang.t("letters-stamp-lamp"),
        _ => lang.t("letters-stamp-comet"),
    }
}
