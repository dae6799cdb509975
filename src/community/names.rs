//! Names of accounts, spaces and rooms: checked, compared and shortened to initials.

use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;
use unicode_segmentation::UnicodeSegmentation;

use crate::base::error::Check;
use crate::base::text::{check_short_text, fold, is_blank, normalize_line};

pub(super) const MAX_NAME_CHARS: usize = 60; // graphemes

/// Letters of other scripts, after case folding, whose small or capital form looks like that of a
/// Latin one.
#[rustfmt::skip]
const LOOKALIKES: [(char, char); 39] = [
    ('а', 'a'), ('в', 'b'), ('е', 'e'), ('н', 'h'), ('о', 'o'), ('р', 'p'), ('с', 'c'),
    ('т', 't'), ('у', 'y'), ('х', 'x'), ('к', 'k'), ('м', 'm'), ('і', 'i'), ('ј', 'j'),
    ('ѕ', 's'), ('ԁ', 'd'), ('һ', 'h'), ('ԛ', 'q'), ('ԝ', 'w'), ('ӏ', 'l'), ('α', 'a'),
    ('β', 'b'), ('ε', 'e'), ('η', 'n'), ('ι', 'i'), ('κ', 'k'), ('ν', 'v'), ('ο', 'o'),
    ('ρ', 'p'), ('τ', 't'), ('υ', 'u'), ('χ', 'x'), ('օ', 'o'), ('ս', 'u'), ('ո', 'n'),
    ('ց', 'g'), ('ı', 'i'), ('ɑ', 'a'), ('ɡ', 'g'),
];

/// The Latin letter that a letter looks like, which is folded to its small form.
pub fn latin_lookalike(letter: char) -> Option<char> {
    let found = LOOKALIKES.iter().find(|(look, _)| *look == letter);
    found.map(|(_, latin)| *latin)
}

/// The first graphemes of the first two words, in upper case.
pub(super) fn initials(name: &str) -> String {
    name.split_whitespace()
        .filter_map(|word| word.graphemes(true).next())
        .take(2)
        .map(str::to_uppercase)
        .collect()
}

/// The key by which names are compared: that of [`fold`], with Latin letters for those that look
/// like them, so that nobody can take a name that reads as somebody else's.
pub fn name_key(name: &str) -> String {
    let key = fold(name);
    key.chars()
        .map(|c| latin_lookalike(c).unwrap_or(c))
        .collect()
}

/// What a name looks like: its skeleton by Unicode TR 39, in lower case. Names that differ, but have
/// one skeleton, cannot be told apart by reading.
pub(super) fn name_skeleton(name: &str) -> String {
    // Compatibility forms first, such as wide letters. Case after the skeleton: a capital I looks
    // like a small L, a small i does not.
    let compatible: String = name.nfkc().collect();
    fold(&skeleton(&compatible).collect::<String>())
}

/// Normalizes a name and records under `field` if nothing of it can be seen or it is too long.
pub(super) fn check_name(name: &str, field: &'static str, check: &mut Check) -> String {
    check_name_of(MAX_NAME_CHARS, name, field, check)
}

/// As [`check_name`], with another limit.
pub(super) fn check_name_of(
    max_chars: usize,
    name: &str,
    field: &'static str,
    check: &mut Check,
) -> String {
    let name = normalize_line(name);
    check.that(!is_blank(&name), field, "error-name-missing", 0);
    check_short_text(&name, field, max_chars, check);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalized_and_compared() {
        assert_eq!(normalize_line("  Ann\t\u{202e}  Okafor\n"), "Ann Okafor");
        assert_eq!(initials("ann okafor lind"), "AO");
        assert_eq!(initials("👩‍👩‍👧 family"), "👩‍👩‍👧F");
        assert_eq!(initials(""), "");
        assert_eq!(name_key("ANN  Okafor"), "ann okafor");
    }

    #[test]
    fn name_that_reads_as_another_has_its_key() {
        for (lookalike, name) in [("Аnn", "Ann"), ("раvеl", "pavel"), ("Ｂοb", "bob")] {
            assert_eq!(name_key(lookalike), name_key(name), "{lookalike}");
        }
        assert_ne!(name_key("Анна"), name_key("Anna"));
    }

    #[test]
    fn name_that_looks_like_another_has_its_skeleton() {
        for (lookalike, name) in [
            ("Аnn", "Ann"),
            ("lvan", "Ivan"),
            ("b0b", "bob"),
            ("rnary", "mary"),
            ("ВОВ", "BOB"),
            ("Z\u{200b}oe", "Zoe"),
            ("𝐀nn", "ann"),
        ] {
            assert_eq!(name_skeleton(lookalike), name_skeleton(name), "{lookalike}");
        }
        for (one, other) in [("Zoë", "Zoe"), ("Анна", "Anna"), ("Ali", "Ale")] {
            assert_ne!(name_skeleton(one), name_skeleton(other), "{one}");
        }
    }
}
