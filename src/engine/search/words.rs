//! The words of a text, for the index and for queries alike, in any script.
//!
//! A word is a run of letters and digits: compatible forms made one (NFKC), folded to one case,
//! without the accents of Latin, Greek and Cyrillic letters, the vowel points of Arabic and Hebrew,
//! and the tatweel. Marks of other scripts belong to the letters and stay. An emoji is a word,
//! whatever its skin tone. Scripts without spaces between words (Han, kana, Hangul, Thai, Lao,
//! Khmer, Burmese) become overlapping pairs of characters, so that any part of a text is found.

use std::ops::Range;

use caseless::Caseless;
use icu_properties::props::{EmojiPresentation, ExtendedPictographic};
use icu_properties::{CodePointSetData, CodePointSetDataBorrowed};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

/// Bytes of a word that are kept: more is no word that anybody looks for.
pub const MAX_WORD_BYTES: usize = 64;
/// Words of a text that are indexed.
pub const MAX_WORDS: usize = 8_000;

static PICTOGRAPHS: CodePointSetDataBorrowed<'static> =
    CodePointSetData::new::<ExtendedPictographic>();
static COLOURED: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<EmojiPresentation>();

/// A word, and where it is in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// As it is compared.
    pub text: String,
    /// The bytes of the text that it was made from.
    pub range: Range<usize>,
}

/// The words of a text in their order, at most [`MAX_WORDS`].
pub fn words(text: &str) -> Vec<Word> {
    let mut splitter = Splitter::default();
    for (start, cluster) in text.grapheme_indices(true) {
        if splitter.words.len() >= MAX_WORDS {
            break;
        }
        splitter.add(start, cluster);
    }
    splitter.end_word();
    splitter.end_run();
    splitter.words.truncate(MAX_WORDS);
    splitter.words
}

/// The words that end a run of a script without spaces, each once: the index has them in addition,
/// so that a single character is found wherever it stands.
pub fn last_characters(words: &[Word]) -> Vec<String> {
    let mut found = Vec::new();
    let mut pairs = words.iter().peekable();
    while let Some(word) = pairs.next() {
        let mut characters = word.text.chars();
        let (Some(first), Some(last)) = (characters.next(), characters.next_back()) else {
            continue;
        };
        let goes_on = pairs
            .peek()
            .is_some_and(|next| next.range.start < word.range.end);
        let last = last.to_string();
        if is_unspaced(first) && !goes_on && !found.contains(&last) {
            found.push(last);
        }
    }
    found
}

/// Whether a script is written without spaces between words.
pub fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}'
        | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}'
        | '\u{3040}'..='\u{318f}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{9fff}'
        | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

#[derive(Default)]
struct Splitter {
    words: Vec<Word>,
    /// The word that is being read.
    word: String,
    range: Range<usize>,
    /// The characters of a script without spaces that are being read.
    run: Vec<(char, Range<usize>)>,
}

impl Splitter {
    fn add(&mut self, start: usize, cluster: &str) {
        let range = start..start + cluster.len();
        if let [byte] = cluster.as_bytes() {
            return match byte.is_ascii_alphanumeric() {
                true => self.add_letter(char::from(byte.to_ascii_lowercase()), &range),
                false => self.separate(),
            };
        }
        if let Some(emoji) = emoji(cluster) {
            self.separate();
            return self.words.push(Word { text: emoji, range });
        }
        let folded = cluster
            .nfkd()
            .filter(|c| !is_dropped(*c))
            .default_case_fold();
        let folded: String = folded.nfkd().filter(|c| !is_dropped(*c)).nfc().collect();
        for c in folded.chars() {
            if is_unspaced(c) && (c.is_alphanumeric() || is_combining_mark(c)) {
                self.end_word();
                self.run.push((c, range.clone()));
            } else if c.is_alphanumeric() || is_combining_mark(c) {
                self.add_letter(c, &range);
            } else if !is_joiner(c) {
                self.separate();
            }
        }
    }

    fn add_letter(&mut self, c: char, range: &Range<usize>) {
        self.end_run();
        if self.word.is_empty() {
            self.range = range.clone();
        }
        self.range.end = range.end;
        if self.word.len() + c.len_utf8() <= MAX_WORD_BYTES {
            self.word.push(c);
        }
    }

    fn separate(&mut self) {
        self.end_word();
        self.end_run();
    }

    fn end_word(&mut self) {
        if !self.word.is_empty() {
            let (text, range) = (std::mem::take(&mut self.word), self.range.clone());
            self.words.push(Word { text, range });
        }
    }

    fn end_run(&mut self) {
        if let [(c, range)] = self.run.as_slice() {
            let (text, range) = (c.to_string(), range.clone());
            self.words.push(Word { text, range });
        }
        for pair in self.run.windows(2) {
            let [(first, start), (second, end)] = pair else {
                continue;
            };
            let text = [first, second].into_iter().collect();
            let range = start.start..end.end;
            self.words.push(Word { text, range });
        }
        self.run.clear();
    }
}

/// An emoji as a word, without its skin tone and the choice between colour and text.
fn emoji(cluster: &str) -> Option<String> {
    let first = cluster.chars().next()?;
    let is_flag = matches!(first, '\u{1f1e6}'..='\u{1f1ff}');
    let is_coloured = COLOURED.contains(first) || cluster.contains('\u{fe0f}');
    let is_emoji = is_flag || (PICTOGRAPHS.contains(first) && is_coloured);
    let is_plain = |c: &char| !matches!(c, '\u{fe0e}' | '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}');
    is_emoji.then(|| cluster.chars().filter(is_plain).take(16).collect())
}

/// Marks that people leave out: accents of Latin, Greek and Cyrillic letters, but for the one that
/// makes another letter of и; vowel points of Arabic and Hebrew; the tatweel.
fn is_dropped(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}'
        | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e4}' | '\u{6e7}'..='\u{6e8}'
        | '\u{6ea}'..='\u{6ed}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}'..='\u{5c7}')
}

/// Characters within a word that are not seen.
fn is_joiner(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{fe0e}' | '\u{fe0f}'
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn words_of_any_script_are_folded() {
        for (text, expected) in [
            ("The frost, early!", "the frost early"),
            ("Straße ÉCOLE Ångström", "strasse ecole angstrom"),
            ("don't foo_bar v1.5", "don t foo bar v1 5"),
            ("Ёлка Βιβλίο", "елка βιβλιο"),
            ("مُحَمَّد كتـــاب", "محمد كتاب"),
            ("שָׁלוֹם", "שלום"),
            ("हिन्दी में", "हिन्दी में"),
            ("東京都", "東京 京都"),
            ("ｶﾞｷﾞ ﬁne ２０", "ガギ fine 20"),
            ("서울시", "서울 울시"),
            ("字", "字"),
            ("東京2024年", "東京 2024 年"),
            ("go 👍🏽 now ❤️", "go 👍 now ❤"),
            ("👩‍👩‍👧🇩🇪", "👩‍👩‍👧 🇩🇪"),
            ("می‌خواهم", "میخواهم"),
            ("", ""),
            ("…!?", ""),
        ] {
            assert_eq!(texts(text).join(" "), expected, "{text}");
        }
        assert_eq!(texts("น้ำแข็ง").len(), "น้ำแข็ง".nfkd().count() - 1);
    }

    #[test]
    fn ranges_name_the_text_that_words_were_made_from() {
        let text = "Ein Stück 東京都 👍🏽";
        let found: Vec<_> = words(text)
            .iter()
            .map(|word| &text[word.range.clone()])
            .collect();
        assert_eq!(found, ["Ein", "Stück", "東京", "京都", "👍🏽"]);
    }

    #[test]
    fn last_characters_are_those_that_no_pair_begins_with() {
        assert_eq!(
            last_characters(&words("東京都 大阪, 字 hello")),
            ["都", "阪"]
        );
    }

    #[test]
    fn long_words_are_cut() {
        assert_eq!(texts(&"x".repeat(9_999)), ["x".repeat(MAX_WORD_BYTES)]);
        assert_eq!(words(&"字".repeat(20_000)).len(), MAX_WORDS);
    }

    proptest! {
        #[test]
        fn words_are_their_own_words(text in "\\PC{0,40}") {
            for word in words(&text) {
                prop_assert!(word.text.len() <= MAX_WORD_BYTES.max(16 * 4));
                prop_assert!(!word.text.contains([' ', '"', '\'', '=', '\\', '*']));
                prop_assert!(text.get(word.range.clone()).is_some());
                if !word.text.chars().any(is_unspaced) {
                    let again = texts(&word.text);
                    prop_assert_eq!(again.concat(), word.text);
                }
            }
        }
    }
}
