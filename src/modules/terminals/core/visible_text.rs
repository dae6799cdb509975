//! Output as the screen takes it, in which a cell has one character: what has no cell of its own,
//! such as the marks that join a letter, is left out.

use std::borrow::Cow;

use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;

/// Shown nowhere, but printed by the screen.
const DELETE: char = '\x7f';
/// A format character that has a cell.
const SOFT_HYPHEN: char = '\u{ad}';

/// The same text without what has no cell. Of a letter that is written with marks the letter is left.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return match text.contains(DELETE) {
            true => Cow::Owned(text.replace(DELETE, "")),
            false => Cow::Borrowed(text),
        };
    }
    match text.chars().all(has_cell) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.chars().filter(|letter| has_cell(*letter)).collect()),
    }
}

fn has_cell(letter: char) -> bool {
    use GeneralCategory::{EnclosingMark, Format, NonspacingMark};
    let category = CodePointMapData::<GeneralCategory>::new().get(letter);
    match category {
        NonspacingMark | EnclosingMark => false,
        Format => letter == SOFT_HYPHEN,
        _ => letter != DELETE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_cell_is_left_out() {
        assert_eq!(visible("e\u{301}\u{200d}\u{fe0f}x"), "ex");
        assert_eq!(visible("éx"), "éx");
        assert_eq!(visible("द\u{94d}द"), "दद");
        assert_eq!(visible("a\x7fb\x1b[1m"), "ab\x1b[1m");
        assert_eq!(visible("潮\x7f🌊"), "潮🌊");
    }
}
