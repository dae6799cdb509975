//! Names, as people type them and as they are compared and drawn.

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use crate::base::error::Check;

pub(super) const MAX_NAME_CHARS: usize = 60; // characters as a person counts them

/// The first letters of the first two words.
pub(super) fn initials(name: &str) -> String {
    name.split_whitespace()
        .filter_map(|word| word.graphemes(true).next())
        .take(2)
        .map(str::to_uppercase)
        .collect()
}

/// One line of text as people mean it: no control characters, single spaces, nothing around it.
pub(super) fn normalize(text: &str) -> String {
    // Bidirectional overrides would let a name rewrite the line it stands in.
    let plain: String = text
        .chars()
        .filter(|c| !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}' | '\u{feff}'))
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A name or address as it is compared: without case, and without what cannot be seen.
pub(super) fn key(text: &str) -> String {
    let seen: String = text.chars().filter(|c| !is_unseen(*c)).collect();
    normalize(&seen.nfkc().collect::<String>()).to_lowercase()
}

/// Characters that show nothing by themselves: joiners, direction and shape marks, fillers.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

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
