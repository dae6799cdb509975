//! Polls: a message whose readers choose between answers. Pure.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::reactions::MAX_NAMED_IN_TITLE;
use crate::base::clock::Micros;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::AccountId;
use crate::base::text::{has_excess_marks, is_short, normalize_optional_line};

/// Answers of a poll.
pub const MAX_ANSWERS: usize = 10;
/// Graphemes of an answer.
pub const MAX_ANSWER_CHARS: usize = 100;
/// People named with each answer, the first ones; others are only counted. A page shows which
/// answers the reader chose by these.
pub const MAX_VOTERS_NAMED: usize = 100;
/// The longest time that a poll is open, if it ends at all.
pub const MAX_POLL_DURATION: Duration = Duration::from_secs(31 * 86_400);

/// One answer of a poll.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Answer {
    /// As its author wrote it: one line of plain text.
    pub text: String,
    /// How many people chose it.
    pub count: i64,
    /// Who, in the order in which they did; at most [`MAX_VOTERS_NAMED`].
    pub by: Vec<AccountId>,
}

impl Answer {
    /// The people as an attribute, by which the page of each knows its own choice.
    pub(super) fn by_attribute(&self) -> String {
        let ids: Vec<_> = self.by.iter().map(ToString::to_string).collect();
        ids.join(" ")
    }
}

/// A poll with what was chosen so far. The question is the text of its message. Without answers it
/// is no poll.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Poll {
    /// At most [`MAX_ANSWERS`], in order.
    pub answers: Vec<Answer>,
    /// Whether one may choose several.
    pub is_multiple: bool,
    /// How many people chose anything.
    pub voters: i64,
    /// When it ends by itself.
    pub ends_at: Option<Micros>,
    /// Whether it has ended.
    pub is_ended: bool,
}

impl Poll {
    /// A poll of these answers, of which empty ones are left out.
    ///
    /// # Errors
    /// `Invalid` for fewer than two answers, more than [`MAX_ANSWERS`], the same one twice, and one
    /// of more than [`MAX_ANSWER_CHARS`].
    pub(super) fn new(
        answers: impl IntoIterator<Item = impl AsRef<str>>,
        is_multiple: bool,
        duration: Option<Duration>,
    ) -> Result<Self> {
        let lines = answers
            .into_iter()
            .map(|one| normalize_optional_line(one.as_ref()));
        let texts: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
        let mut sorted: Vec<_> = texts.iter().map(|text| text.to_lowercase()).collect();
        sorted.sort_unstable();
        let is_repeated = sorted.windows(2).any(|pair| pair[0] == pair[1]);
        let fits = |text: &String| is_short(text, MAX_ANSWER_CHARS) && !has_excess_marks(text);
        let length = texts.len();
        Check::default()
            .that(length >= 2, "answers", "error-poll-few", 0)
            .that(
                length <= MAX_ANSWERS,
                "answers",
                "error-poll-many",
                MAX_ANSWERS,
            )
            .that(!is_repeated, "answers", "error-poll-repeated", 0)
            .that(
                texts.iter().all(fits),
                "answers",
                "error-poll-long",
                MAX_ANSWER_CHARS,
            )
            .done()?;
        if duration.is_some_and(|duration| duration > MAX_POLL_DURATION) {
            return Err(Error::field("duration", "error-message-shape"));
        }
        let answers = texts.into_iter().map(|text| Answer {
            text,
            count: 0,
            by: Vec::new(),
        });
        Ok(Self {
            answers: answers.collect(),
            is_multiple,
            voters: 0,
            ends_at: duration.map(|duration| Micros::now().plus(duration)),
            is_ended: false,
        })
    }

    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        self.answers.is_empty()
    }

    /// The key of the words for what a reader can do.
    pub(super) fn state(&self) -> &'static str {
        match (self.is_ended, self.is_multiple) {
            (true, _) => "poll-ended",
            (false, true) => "poll-several",
            (false, false) => "poll-one",
        }
    }

    /// The answers, one on each line.
    pub(super) fn lines(&self) -> String {
        let texts: Vec<_> = self.answers.iter().map(|one| one.text.as_str()).collect();
        texts.join("\n")
    }

    /// The people whom the message names: the first few of each answer.
    pub(super) fn named(&self) -> impl Iterator<Item = AccountId> {
        let first = |one: &Answer| one.by.iter().take(MAX_NAMED_IN_TITLE).copied().collect();
        self.answers
            .iter()
            .flat_map(move |one| -> Vec<_> { first(one) })
    }
}

/// As stored: JSON, or nothing.
impl fmt::Display for Poll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() {
            return Ok(());
        }
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl TryFrom<String> for Poll {
    type Error = serde_json::Error;

    fn try_from(stored: String) -> std::result::Result<Self, Self::Error> {
        match stored.is_empty() {
            true => Ok(Self::default()),
            false => serde_json::from_str(&stored),
        }
    }
}

/// What stands after `/poll`: a question and its answers, between `|` or on lines of their own.
///
/// # Errors
/// `Invalid` when there is no question, or answers do not fit.
pub(super) fn parse(text: &str) -> Result<(String, Poll)> {
    let mark = match text.contains('\n') {
        true => '\n',
        false => '|',
    };
    let mut parts = text.split(mark);
    let question = parts.next().unwrap_or_default().trim();
    if question.is_empty() {
        return Err(Error::field("body", "error-poll-usage"));
    }
    let poll = Poll::new(parts, false, None).map_err(|error| match error {
        // The composer has one field.
        Error::Invalid(mut errors) => {
            errors.iter_mut().for_each(|error| error.field = "body");
            Error::Invalid(errors)
        }
        other => other,
    })?;
    Ok((question.to_owned(), poll))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(poll: &Poll) -> Vec<&str> {
        poll.answers.iter().map(|one| one.text.as_str()).collect()
    }

    #[test]
    fn command_is_split_at_bars_or_lines() {
        let (question, poll) = parse("Tea? | 緑茶 |  شاي  | ").unwrap();
        assert_eq!(
            (question.as_str(), answers(&poll)),
            ("Tea?", vec!["緑茶", "شاي"])
        );
        let (question, poll) = parse("a | b?\nyes\n\nno | never").unwrap();
        assert_eq!(
            (question.as_str(), answers(&poll)),
            ("a | b?", vec!["yes", "no | never"])
        );
        for wrong in ["", "Tea?", "Tea? | one", "| a | b", "Tea? | A | a"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        let many: Vec<_> = (0..=MAX_ANSWERS).map(|n| n.to_string()).collect();
        assert!(Poll::new(&many, false, None).is_err());
        assert!(Poll::new(["a".repeat(101), "b".into()], false, None).is_err());
        assert!(Poll::new(["🏳️‍🌈".repeat(100), "b".into()], false, None).is_ok());
    }

    #[test]
    fn stored_poll_is_read_back() {
        let (_, poll) = parse("Tea? | a | b").unwrap();
        assert_eq!(Poll::try_from(poll.to_string()).unwrap(), poll);
        assert_eq!(Poll::default().to_string(), "");
        assert!(Poll::try_from(String::new()).unwrap().is_none());
    }
}
