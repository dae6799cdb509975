//! Whom the tide finds for a letter without an address: by a language that both read and by what
//! both care about, among those who asked for such letters. Pure: the time is given.

use crate::base::clock::Micros;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::base::text::{fold, is_short, normalize_line};

/// Languages that one member reads.
pub const MAX_DRIFT_LANGUAGES: usize = 5;
/// Interests of one member.
pub const MAX_DRIFT_INTERESTS: usize = 10;
/// Characters (graphemes) of an interest.
pub const MAX_INTEREST_CHARS: usize = 30;
/// Letters of one author that drift at a time, with all the experience there is.
pub const MAX_DRIFTING: i64 = 8;
/// Letters that drift at a time, of who begins.
const FIRST_DRIFTING: i64 = 2;
/// Drifting letters that wait unanswered with one finder.
pub const MAX_UNANSWERED_DRIFT: i64 = 3;

/// A day in microseconds.
const DAY: i64 = 86_400_000_000;
/// Two people do not meet again within this time.
pub(super) const PAIR_REST: i64 = 30 * DAY;
/// Until a further letter finds somebody.
pub(super) const FINDER_REST: i64 = DAY;
/// The same for who let one drift on.
pub(super) const DRIFTED_ON_REST: i64 = 3 * DAY;
/// A letter waits so long for somebody who cares about the same.
const PICKY_TIME: i64 = 3 * DAY;
/// Who has a letter so long without an answer loses it to somebody else.
pub(super) const ANSWER_TIME: i64 = 21 * DAY;
/// A letter that nobody answered by then has drifted for long enough.
pub(super) const DRIFT_TIME: i64 = 60 * DAY;

/// Languages by their code, each called as those who read it call it.
pub(super) const LANGUAGES: [(&str, &str); 36] = [
    ("ar", "العربية"),
    ("bn", "বাংলা"),
    ("bg", "Български"),
    ("ca", "Català"),
    ("cs", "Čeština"),
    ("da", "Dansk"),
    ("de", "Deutsch"),
    ("el", "Ελληνικά"),
    ("en", "English"),
    ("eo", "Esperanto"),
    ("es", "Español"),
    ("fa", "فارسی"),
    ("fi", "Suomi"),
    ("fr", "Français"),
    ("he", "עברית"),
    ("hi", "हिन्दी"),
    ("hu", "Magyar"),
    ("id", "Bahasa Indonesia"),
    ("it", "Italiano"),
    ("ja", "日本語"),
    ("ko", "한국어"),
    ("nb", "Norsk"),
    ("nl", "Nederlands"),
    ("pl", "Polski"),
    ("pt", "Português"),
    ("ro", "Română"),
    ("ru", "Русский"),
    ("sv", "Svenska"),
    ("sw", "Kiswahili"),
    ("ta", "தமிழ்"),
    ("th", "ไทย"),
    ("tr", "Türkçe"),
    ("uk", "Українська"),
    ("ur", "اردو"),
    ("vi", "Tiếng Việt"),
    ("zh", "中文"),
];

/// What a member reads and cares about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tastes {
    pub(super) languages: Vec<String>,
    pub(super) interests: Vec<String>,
}

impl Tastes {
    /// As they are stored.
    pub(super) fn parse(languages: &str, interests: &str) -> Self {
        Self {
            languages: languages.split_whitespace().map(str::to_owned).collect(),
            interests: interests.lines().map(str::to_owned).collect(),
        }
    }

    /// What was chosen and typed: interests are parted by commas or lines.
    ///
    /// # Errors
    /// `Invalid` without a language, and past the limits.
    pub(super) fn checked(chosen: &[String], typed: &str) -> Result<Self> {
        let is_chosen = |code: &str| chosen.iter().any(|one| one == code);
        let known = LANGUAGES.iter().map(|(code, _)| *code);
        let languages: Vec<String> = known
            .filter(|code| is_chosen(code))
            .map(str::to_owned)
            .collect();
        if languages.is_empty() || languages.len() > MAX_DRIFT_LANGUAGES {
            return Err(Error::field("languages", "error-drift-languages"));
        }
        let mut interests: Vec<String> = Vec::new();
        for one in typed.split(['\n', ',', '،', '、', '，']) {
            let one = normalize_line(one).to_lowercase();
            if one.is_empty() || interests.iter().any(|known| fold(known) == fold(&one)) {
                continue;
            }
            let is_full = interests.len() == MAX_DRIFT_INTERESTS;
            if is_full || !is_short(&one, MAX_INTEREST_CHARS) {
                return Err(Error::field("interests", "error-drift-interests"));
            }
            interests.push(one);
        }
        Ok(Self {
            languages,
            interests,
        })
    }

    fn shares_language(&self, other: &Self) -> bool {
        let is_shared = |one: &String| other.languages.contains(one);
        self.languages.iter().any(is_shared)
    }

    fn shared_interests(&self, other: &Self) -> usize {
        let is_shared = |one: &&String| other.interests.iter().any(|it| fold(it) == fold(one));
        self.interests.iter().filter(is_shared).count()
    }
}

/// A letter that looks for somebody.
#[derive(Clone, Debug)]
pub(super) struct Seeker {
    pub(super) author: AccountId,
    pub(super) tastes: Tastes,
    pub(super) sealed_at: Micros,
}

/// Somebody whom it may find.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) account: AccountId,
    pub(super) tastes: Tastes,
    /// When a letter last found them.
    pub(super) found_at: Micros,
    pub(super) rests_until: Micros,
    /// Drifting letters that wait for their answer.
    pub(super) unanswered: i64,
    /// When the two last met, whoever wrote.
    pub(super) met_at: Option<Micros>,
    /// Whether this letter was with them already.
    pub(super) had_it: bool,
}

impl Candidate {
    /// Whether a letter may find them now.
    fn is_free_for(&self, seeker: &Seeker, now: Micros) -> bool {
        let met_lately = self.met_at.is_some_and(|at| now.0 - at.0 < PAIR_REST);
        self.account != seeker.author
            && !self.had_it
            && !met_lately
            && self.rests_until <= now
            && self.unanswered < MAX_UNANSWERED_DRIFT
            && self.tastes.shares_language(&seeker.tastes)
    }
}

/// Whom a letter finds: who shares the most interests, and of these who waited longest. In its
/// first days only who shares one, if its author named any.
pub(super) fn choose(seeker: &Seeker, candidates: &[Candidate], now: Micros) -> Option<AccountId> {
    let has_interests = !seeker.tastes.interests.is_empty();
    let is_picky = has_interests && now.0 - seeker.sealed_at.0 < PICKY_TIME;
    let shared = |one: &Candidate| one.tastes.shared_interests(&seeker.tastes);
    let found = candidates
        .iter()
        .filter(|one| one.is_free_for(seeker, now))
        .filter(|one| !is_picky || shared(one) > 0);
    let best = found.min_by_key(|one| (std::cmp::Reverse(shared(one)), one.found_at, one.account));
    best.map(|one| one.account)
}

/// How many letters of an author drift at a time: few at first, one more for each that was
/// answered.
pub(super) fn slots(answered: i64) -> i64 {
    FIRST_DRIFTING
        .saturating_add(answered.max(0))
        .min(MAX_DRIFTING)
}

#[cfg(test)]
#[path = "drift_tests.rs"]
mod tests;
