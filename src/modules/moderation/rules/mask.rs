//! Masking parts of a text: a dot for each grapheme.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::base::text::is_blank;

/// What stands for a grapheme. It means nothing in Markdown.
const DOT: char = '•';

/// The text with these parts masked, which may overlap. White space stays, and so does everything
/// else.
pub(super) fn mask(text: &str, mut parts: Vec<Range<usize>>) -> String {
    parts.sort_by_key(|part| part.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for part in parts {
        let start = part.start.max(at);
        let (Some(before), Some(masked)) = (text.get(at..start), text.get(start..part.end)) else {
            continue; // lies in the one before
        };
        out.push_str(before);
        for grapheme in masked.graphemes(true) {
            match is_blank(grapheme) {
                true => out.push_str(grapheme),
                false => out.push(DOT),
            }
        }
        at = part.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::words::WordList;
    use super::*;

    fn first(bytes: usize) -> Vec<Range<usize>> {
        std::iter::once(0..bytes).collect()
    }

    #[test]
    fn masked_parts_may_overlap_and_keep_their_spaces() {
        assert_eq!(
            mask("buy cheap shoes", vec![4..15, 4..9]),
            "buy ••••• •••••"
        );
        assert_eq!(mask("👩‍👩‍👧 ok", first(18)), "• ok");
        assert_eq!(mask("plain", vec![]), "plain");
    }

    proptest! {
        /// Whatever is written around a word, only the word is masked.
        #[test]
        fn masking_changes_nothing_else(
            before in "\\PC{0,40}", after in "\\PC{0,40}",
            word in prop::sample::select(vec!["shoes", "дурак", "傻瓜", "أحمق", "🍆"]),
        ) {
            let words = WordList::new(&[word.to_owned()], &[]);
            let text = format!("{before} {word} {after}");
            let masked = mask(&text, words.find(&text));
            let dots = mask(word, first(word.len()));
            prop_assert!(masked.contains(&dots), "{masked}");
            if words.find(&before).is_empty() && words.find(&after).is_empty() {
                let expected = format!("{before} {dots} {after}");
                // What combines with the space before or after belongs to no word.
                prop_assert_eq!(masked, expected);
            }
        }

        #[test]
        fn any_text_and_any_pattern_is_masked_without_a_panic(
            text in "\\PC{0,60}", words in prop::collection::vec("\\PC{0,8}", 0..5),
            pattern in "[a-z.*+?\\[\\]()|]{0,12}",
        ) {
            let list = WordList::new(&words, &[pattern]);
            let masked = mask(&text, list.find(&text));
            // What is left of the text is a subsequence of it.
            let mut rest = text.chars();
            for letter in masked.chars().filter(|letter| *letter != DOT) {
                prop_assert!(rest.any(|one| one == letter));
            }
        }
    }
}
