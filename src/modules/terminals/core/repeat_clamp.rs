//! Bounds how often a program has its terminal repeat a character (`CSI n b`, REP): the screen
//! prints it that many times, up to 65,535 for eight bytes of output.

use std::borrow::Cow;
use std::fmt::Write;

/// The most that one sequence repeats a character.
const MAX_REPEATS: u32 = 9_999;

#[derive(Clone, Copy, Default, PartialEq)]
enum State {
    #[default]
    Ground,
    Escape,
    /// In a control sequence of nothing but numbers.
    Numbers,
    /// In another control sequence, which is no REP.
    Other,
}

/// Follows the output of a program, in pieces that end anywhere. It holds nothing back: a sequence
/// that repeats too often is cancelled before its last letter, and written again with less.
#[derive(Default)]
pub(super) struct RepeatClamp {
    state: State,
    /// The first number of the sequence, as far as it came.
    number: u32,
    has_first: bool,
}

impl RepeatClamp {
    /// The same text, in which nothing is repeated more than `cells` times, which are those of the
    /// screen, and never more than 9,999 times.
    pub(super) fn clamp<'a>(&mut self, text: &'a str, cells: u32) -> Cow<'a, str> {
        let most = cells.min(MAX_REPEATS);
        let (mut out, mut copied) = (String::new(), 0);
        for (at, letter) in text.char_indices() {
            if self.ends_repeat(letter) && self.number > most {
                out.push_str(&text[copied..at]);
                // Writing into a string does not fail.
                let _ = write!(out, "\x18\x1b[{most}b");
                copied = at + letter.len_utf8();
            }
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        out.push_str(&text[copied..]);
        Cow::Owned(out)
    }

    /// Takes a character. Whether it is the last of a REP, whose number is `self.number`.
    fn ends_repeat(&mut self, letter: char) -> bool {
        let (state, ends) = match (self.state, letter) {
            (_, '\x1b') => (State::Escape, false),
            (_, '\u{9b}') | (State::Escape, '[') => {
                (self.number, self.has_first) = (0, false);
                (State::Numbers, false)
            }
            (_, '\x18' | '\x1a' | '\u{80}'..='\u{9f}') => (State::Ground, false),
            // Controls within a sequence, and what is ignored there.
            (before, '\0'..='\x1f' | '\x7f') => (before, false),
            (State::Numbers, '0'..='9') => {
                if !self.has_first {
                    let digit = letter as u32 - '0' as u32;
                    self.number = self.number.saturating_mul(10).saturating_add(digit);
                }
                (State::Numbers, false)
            }
            (State::Numbers, ';' | ':') => {
                self.has_first = true;
                (State::Numbers, false)
            }
            (State::Numbers | State::Other, '\x20'..='\x3f') => (State::Other, false),
            (State::Numbers, 'b') => (State::Ground, true),
            _ => (State::Ground, false),
        };
        self.state = state;
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of pieces, for a screen of 100 cells.
    fn clamped(pieces: &[&str]) -> String {
        let mut clamp = RepeatClamp::default();
        let clamped = pieces.iter().map(|piece| clamp.clamp(piece, 100));
        clamped.collect()
    }

    #[test]
    fn too_many_repetitions_are_clamped_across_pieces() {
        assert_eq!(clamped(&["x\x1b[101b"]), "x\x1b[101\x18\x1b[100b");
        assert_eq!(
            clamped(&["x\x1b", "[65", "", "535", "by"]),
            "x\x1b[65535\x18\x1b[100by"
        );
        assert_eq!(
            clamped(&["\u{9b}99999999999;1b\x1b[7b"]),
            "\u{9b}99999999999;1\x18\x1b[100b\x1b[7b"
        );
        assert_eq!(clamped(&["\x1b[0000\n900b"]), "\x1b[0000\n900\x18\x1b[100b");
    }

    #[test]
    fn other_output_stays_as_it_is() {
        for text in [
            "999b",
            "\x1b[100b",
            "\x1b[b",
            "\x1b[999;999H",
            "\x1b[?999b",
            "\x1b[999 b",
            "\x1b[999\x18b",
            "\x1b[999\x1b[5b",
            "\x1b[1;999b",
            "世\x1b[9999C界",
        ] {
            assert_eq!(clamped(&[text]), text);
        }
    }

    #[test]
    fn large_screen_has_a_bound_of_its_own() {
        let mut clamp = RepeatClamp::default();
        assert_eq!(
            clamp.clamp("x\x1b[10000b", 200_000),
            "x\x1b[10000\x18\x1b[9999b"
        );
    }
}
