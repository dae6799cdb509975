//! Names of accounts, spaces and rooms: normalized, compared and shortened to initials.

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use crate::base::error::Check;

pub(super) const MAX_NAME_CHARS: usize = 60; // graphemes

/// The first graphemes of the first two words, in upper case.
pub(super) fn initials(name: &str) -> String {
    name.split_whitespace()
        .filter_map(|word| word.graphemes(true).next())
        .take(2)
        .map(str::to_uppercase)
        .collect()
}

/// One line without control characters, runs of white space or white space at the ends.
pub(super) fn normalize(text: &str) -> String {
    // Bidirectional overrides would reorder the line that shows the name.
    let plain: String = text
        .chars()
        .filter(|c| !is_reordering(*c) && !matches!(c, '\u{200b}' | '\u{feff}'))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The comparison key of names and addresses: NFKC, lower case, without invisible characters.
pub(super) fn key(text: &str) -> String {
    let visible: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    normalize(&visible.nfkc().collect::<String>()).to_lowercase()
}

/// Bidirectional embeddings, overrides and isolates.
fn is_reordering(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Joiners, direction marks, variation selectors and fillers.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}'
        | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Normalizes a name and records under `field` if it is empty or too long.
pub(super) fn check_name(name: &str, field: &'static str, check: &mut Check) -> String {
    let name = normalize(name);
    let length = name.graphemes(true).count();
    check
        .that(length >= 1, field, "error-name-missing", 0)
        .that(
            length <= MAX_NAME_CHARS,
            field,
            "error-too-long",
            MAX_NAME_CHARS,
        );
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalized_and_compared() {
        assert_eq!(normalize("  Ann\t\u{202e}  Okafor\n"), "Ann Okafor");
        assert_eq!(initials("ann okafor lind"), "AO");
        assert_eq!(initials("👩‍👩‍👧 family"), "👩‍👩‍👧F");
        assert_eq!(initials(""), "");
        assert_eq!(key("ANN  Okafor"), "ann okafor");
        assert_eq!(key("A\u{2060}nn\u{200d}"), "ann");
        assert_eq!(key("Ａｎｎ"), "ann");
    }
}
