//! Words and patterns in a text.
//!
//! A word is found as a whole: no letter or digit may stand before or after it. In scripts without
//! spaces between words it is found anywhere. Patterns are regular expressions of bounded size,
//! matched in linear time.

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};
use regex::{Regex, RegexBuilder};

use super::fold::{Folded, fold_word};

/// Bytes of the compiled program of one pattern.
const MAX_PROGRAM_BYTES: usize = 64 << 10;
/// Bytes of the cache with which a pattern is matched.
const MAX_DFA_BYTES: usize = 256 << 10;
/// Levels of brackets in a pattern.
const MAX_NESTING: u32 = 20;

/// A compiled list of words and patterns.
pub(super) struct WordList {
    words: Option<AhoCorasick>,
    patterns: Vec<Regex>,
}

/// Compiles a pattern. Case does not matter, unless the pattern says so.
///
/// # Errors
/// When it is no regular expression, or too large.
pub(super) fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern)
        .case_insensitive(true)
        .size_limit(MAX_PROGRAM_BYTES)
        .dfa_size_limit(MAX_DFA_BYTES)
        .nest_limit(MAX_NESTING)
        .build()
}

impl WordList {
    /// What cannot be compiled any more is left out, and logged: it was checked when it was saved.
    pub(super) fn new(words: &[String], patterns: &[String]) -> Self {
        let folded: Vec<String> = words.iter().map(|word| fold_word(word)).collect();
        let folded = folded.into_iter().filter(|word| !word.is_empty());
        let mut folded: Vec<String> = folded.collect();
        folded.sort();
        folded.dedup();
        let words = match folded.is_empty() {
            true => None,
            false => AhoCorasick::builder()
                .match_kind(MatchKind::Standard)
                .build(&folded)
                .inspect_err(|error| tracing::error!(%error, "words were not compiled"))
                .ok(),
        };
        let compiled = patterns.iter().filter_map(|pattern| {
            compile(pattern)
                .inspect_err(|error| tracing::error!(%error, "a pattern was not compiled"))
                .ok()
        });
        Self {
            words,
            patterns: compiled.collect(),
        }
    }

    /// The parts of a text that it finds, in no order; they may overlap.
    pub(super) fn find(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        if let Some(words) = &self.words {
            let folded = Folded::new(text);
            let matches = words.find_overlapping_iter(&folded.text);
            let whole = matches.filter(|one| is_whole(&folded.text, one.range()));
            found.extend(whole.map(|one| folded.original(one.range())));
        }
        for pattern in &self.patterns {
            let matches = pattern.find_iter(text).filter(|one| !one.is_empty());
            found.extend(matches.map(|one| one.range()));
        }
        found
    }
}

/// Whether a match is no part of a longer word.
fn is_whole(text: &str, found: Range<usize>) -> bool {
    let (before, rest) = text.split_at(found.start);
    let (word, after) = rest.split_at(found.len());
    let joins = |one: Option<char>, other: Option<char>| {
        one.is_some_and(is_spaced_letter) && other.is_some_and(is_spaced_letter)
    };
    let (first, last) = (word.chars().next(), word.chars().next_back());
    !joins(before.chars().next_back(), first) && !joins(last, after.chars().next())
}

/// A letter or digit of a script that has spaces between words.
fn is_spaced_letter(letter: char) -> bool {
    let is_unspaced = matches!(letter, '\u{e00}'..='\u{fff}' | '\u{1000}'..='\u{109f}'
        | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{312f}' | '\u{31f0}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}');
    letter.is_alphanumeric() && !is_unspaced
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(words: &[&str], text: &str) -> bool {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        !WordList::new(&words, &[]).find(text).is_empty()
    }

    #[test]
    fn word_is_found_whole_in_every_script() {
        for (word, text) in [
            ("ass", "what an Ass!"),
            ("ass", "ass"),
            ("shoes", "buy SHÖES_now"),
            ("shoes", "buy shоеs"), // with Cyrillic letters
            ("shoes", "s\u{200b}h\u{200b}o\u{200b}e\u{200b}s"),
            ("buy shoes", "Buy\n shoes here"),
            ("дурак", "Ты ДУРАК, да"),
            ("傻瓜", "你这个傻瓜吗"),
            ("ばか", "おまえはばかだ"),
            ("โง่", "คุณโง่มาก"),
            ("أحمق", "يا احمق!"),
            ("कुत्ता", "वह कुत्ता है"),
            ("바보", "바보 야"),
            ("🍆", "look🍆here"),
            ("👩", "👩‍👩‍👧"),
            ("c++", "use c++ now"),
            ("viagra", "语viagra语"),
        ] {
            assert!(finds(&[word], text), "{word} in {text}");
        }
        for (word, text) in [
            ("ass", "a class"),
            ("ass", "assassin"),
            ("дурак", "дураками"),
            ("أحمق", "والأحمقون"),
            ("ass", ""),
            ("com", "corn"),
        ] {
            assert!(!finds(&[word], text), "{word} in {text}");
        }
        // A shorter word in the list does not hide a longer one.
        assert!(finds(&["ass", "assassin"], "an assassin"));
        assert!(!finds(&["", "  "], "anything"));
    }

    #[test]
    fn patterns_are_bounded_and_linear() {
        assert!(compile(r"\bfree\s+\w+\b").is_ok());
        assert!(compile(r"(a{1,100}){1,100}").is_err());
        assert!(compile(&"(".repeat(40)).is_err());
        assert!(compile(&format!("{}a{}", "(".repeat(30), ")".repeat(30))).is_err());
        let list = WordList::new(&[], &[r"(a+)+$".to_owned(), r"[0-9]{4}".to_owned()]);
        let text = format!("{}b 1234", "a".repeat(16 << 10));
        let found = list.find(&text);
        assert_eq!(found, vec![text.len() - 4..text.len()]);
    }
}
