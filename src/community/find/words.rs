//! How a query fits a name: by the beginnings of its words, in any script.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::community::names::name_key;

/// How well a query fits a name; the least fits best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::community) enum Rank {
    /// The name begins with the query.
    Start,
    /// Each word of the query begins a word of the name.
    Word,
    /// Each word of the query is somewhere in the name.
    Part,
}

/// The form in which names and queries are compared: folded as names are, without accents.
pub(super) fn search_key(text: &str) -> String {
    // Before letters that look alike become one, which those with accents are not.
    let plain: String = text.nfd().filter(|c| !is_combining_mark(*c)).collect();
    name_key(&plain)
}

/// The words of a key. Signs such as the hyphen in `garden-plans` separate them.
pub(super) fn words(key: &str) -> impl Iterator<Item = &str> {
    key.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

/// Whether a script is written without spaces between words, so that any character may begin one:
/// Thai, Lao, Khmer, Burmese, Tibetan, Chinese, Japanese, Korean.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{fff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}'
        | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// All that a word of a query may be the beginning of: the word, and what follows each character of
/// a script without spaces.
pub(super) fn starts(word: &str) -> impl Iterator<Item = &str> {
    word.char_indices()
        .filter(|(at, c)| *at == 0 || is_unspaced(*c))
        .map(|(at, _)| &word[at..])
}

/// A query, to be compared with names.
pub(in crate::community) struct Pattern {
    key: String,
}

impl Pattern {
    pub(in crate::community) fn new(query: &str) -> Self {
        let key = search_key(query);
        Self {
            key: key.trim_matches(|c| c == '#' || c == '@').to_owned(),
        }
    }

    /// Whether nothing was asked for, which fits everything.
    pub(super) fn is_blank(&self) -> bool {
        self.key.is_empty()
    }

    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        words(&self.key)
    }

    /// How it fits a name, if it does.
    pub(in crate::community) fn rank(&self, name: &str) -> Option<Rank> {
        self.rank_of_key(&search_key(name))
    }

    /// The same for a name's [`search_key`].
    pub(super) fn rank_of_key(&self, key: &str) -> Option<Rank> {
        let begins = |word: &str| {
            words(key)
                .flat_map(starts)
                .any(|start| start.starts_with(word))
        };
        if key.starts_with(self.key.as_str()) {
            Some(Rank::Start)
        } else if self.words().next().is_none() {
            // Signs alone, such as an emoji, are compared as they are.
            key.contains(&self.key).then_some(Rank::Part)
        } else if self.words().all(begins) {
            Some(Rank::Word)
        } else {
            self.words()
                .all(|word| key.contains(word))
                .then_some(Rank::Part)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_starts_of_words_in_any_script() {
        for (query, name, rank) in [
            ("gar", "garden-plans", Some(Rank::Start)),
            ("#garden", "garden-plans", Some(Rank::Start)),
            ("plan", "garden-plans", Some(Rank::Word)),
            ("oka ann", "Ann Okafor", Some(Rank::Word)),
            ("den", "garden-plans", Some(Rank::Part)),
            ("zoe", "Zoë Ångström", Some(Rank::Start)),
            ("ANG", "Zoë Ångström", Some(Rank::Word)),
            ("ёлк", "Анна Елкина", Some(Rank::Word)),
            ("小明", "王小明", Some(Rank::Word)),
            ("น้ำ", "ปิ่นเกล้า น้ำผึ้ง", Some(Rank::Word)),
            ("عبد", "محمّد عبد الرّحمٰن", Some(Rank::Word)),
            ("🌱", "🌱 seedlings", Some(Rank::Start)),
            ("🌱", "seedlings", None),
            ("", "anything", Some(Rank::Start)),
            ("ann x", "Ann Okafor", None),
            ("bob", "Ann", None),
        ] {
            assert_eq!(Pattern::new(query).rank(name), rank, "{query} in {name}");
        }
    }
}
