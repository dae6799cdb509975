//! Reactions to a message, as they are stored with it and shown.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::community::EmojiSet;

/// Different emoji on one message.
pub const MAX_REACTIONS: usize = 20;
/// People named with each reaction, the first ones; others are only counted. A page shows which
/// reactions are the reader's own by these.
pub const MAX_NAMED: usize = 100;
/// People named with a reaction where a pointer rests on it; others are counted there.
pub(super) const MAX_NAMED_IN_TITLE: usize = 10;
/// Bytes of an emoji: the longest name of a space's own is shorter, as is a family of four.
const MAX_EMOJI_BYTES: usize = 64;

/// One emoji on a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reaction {
    /// A character, or `:name:` of a space's own.
    pub emoji: String,
    /// How many people chose it.
    pub count: i64,
    /// Who, in the order in which they did; at most [`MAX_NAMED`].
    pub by: Vec<AccountId>,
}

impl Reaction {
    /// The people as an attribute, by which the page of each knows its own reaction.
    pub(super) fn by_attribute(&self) -> String {
        let ids: Vec<_> = self.by.iter().map(ToString::to_string).collect();
        ids.join(" ")
    }
}

/// The reactions to a message, in the order in which each emoji came first; at most
/// [`MAX_REACTIONS`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reactions(pub(super) Vec<Reaction>);

impl Reactions {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The people whom the message names: the first few of each reaction.
    pub(super) fn named(&self) -> impl Iterator<Item = AccountId> {
        let all = self.0.iter();
        all.flat_map(|one| one.by.iter().take(MAX_NAMED_IN_TITLE).copied())
    }
}

/// As stored: JSON, or nothing.
impl fmt::Display for Reactions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return Ok(());
        }
        f.write_str(&serde_json::to_string(&self.0).map_err(|_| fmt::Error)?)
    }
}

impl TryFrom<String> for Reactions {
    type Error = serde_json::Error;

    fn try_from(stored: String) -> std::result::Result<Self, Self::Error> {
        match stored.is_empty() {
            true => Ok(Self::default()),
            false => serde_json::from_str(&stored).map(Self),
        }
    }
}

/// What a reaction is stored as: the character of a standard emoji, given as one or by its
/// `:name:`, or `:name:` of one of the space's own.
///
/// # Errors
/// `Invalid` for anything else.
pub(super) fn normalize_emoji(given: &str, own: &EmojiSet) -> Result<String> {
    let given = given.trim();
    let unknown = || Error::field("emoji", "error-no-emoji");
    if given.len() > MAX_EMOJI_BYTES {
        return Err(unknown());
    }
    if let Some(name) = given
        .strip_prefix(':')
        .and_then(|rest| rest.strip_suffix(':'))
    {
        if own.get(name).is_some() {
            return Ok(given.to_owned());
        }
        let standard = emojis::get_by_shortcode(name);
        return standard
            .map(|emoji| emoji.as_str().to_owned())
            .ok_or_else(unknown);
    }
    // One spelling for each: with and without the selector of its look are the same reaction.
    if given.graphemes(true).count() == 1
        && let Some(emoji) = emojis::get(given)
    {
        return Ok(emoji.as_str().to_owned());
    }
    Err(unknown())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::files::FileId;

    #[test]
    fn emoji_have_one_spelling() {
        let own: EmojiSet = [("tide".to_owned(), FileId(7))].into_iter().collect();
        for (given, stored) in [
            ("👍", "👍"),
            (" ❤ ", "❤️"),
            ("❤️", "❤️"),
            (":wave:", "👋"),
            (":tide:", ":tide:"),
            ("👍🏽", "👍🏽"),
            ("👩‍👩‍👧‍👦", "👩‍👩‍👧‍👦"),
            ("🇩🇪", "🇩🇪"),
        ] {
            assert_eq!(normalize_emoji(given, &own).unwrap(), stored, "{given}");
        }
        for given in ["", "a", "👍👍", ":none:", "::", "<b>", "👍 ok", ":tide"] {
            assert!(normalize_emoji(given, &own).is_err(), "{given}");
        }
        assert!(normalize_emoji(&"👍".repeat(50), &own).is_err());
    }

    #[test]
    fn stored_reactions_are_read_back() {
        let reaction = Reaction {
            emoji: "👍".into(),
            count: 2,
            by: vec![AccountId(7), AccountId(8)],
        };
        assert_eq!(reaction.by_attribute(), "7 8");
        let reactions = Reactions(vec![reaction]);
        assert_eq!(
            Reactions::try_from(reactions.to_string()).unwrap(),
            reactions
        );
        assert_eq!(Reactions::default().to_string(), "");
    }
}
