//! Texts as words are compared: without case, accents and invisible characters, with Latin letters
//! for those that look like them. Each folded part knows which part of the text it stands for.

use std::ops::Range;

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::confusable_detection::skeleton;
use unicode_segmentation::UnicodeSegmentation;

use crate::base::text::is_visible;
use crate::community::latin_lookalike;

/// A folded text.
pub(super) struct Folded {
    pub(super) text: String,
    /// Of each grapheme that left something: where that begins in `text`, and where it stands in
    /// the original.
    parts: Vec<(usize, Range<usize>)>,
}

impl Folded {
    pub(super) fn new(original: &str) -> Self {
        let (mut text, mut parts) = (String::with_capacity(original.len()), Vec::new());
        for (at, grapheme) in original.grapheme_indices(true) {
            let start = text.len();
            fold_grapheme(grapheme, &mut text);
            if text.len() > start {
                parts.push((start, at..at + grapheme.len()));
            }
        }
        Self { text, parts }
    }

    /// The part of the original that a part of the folded text stands for, in whole graphemes.
    pub(super) fn original(&self, folded: Range<usize>) -> Range<usize> {
        let first = self
            .parts
            .partition_point(|(start, _)| *start <= folded.start);
        let end = self.parts.partition_point(|(start, _)| *start < folded.end);
        let start = self.parts.get(first.saturating_sub(1));
        let last = self.parts.get(end.saturating_sub(1));
        match (start, last) {
            (Some((_, first)), Some((_, last))) => first.start..last.end.max(first.end),
            _ => 0..0,
        }
    }
}

/// The folded form of a word of a list.
pub(super) fn fold_word(word: &str) -> String {
    Folded::new(word.trim()).text
}

fn fold_grapheme(grapheme: &str, out: &mut String) {
    if let [byte] = grapheme.as_bytes() {
        let letter = char::from(*byte);
        match letter.is_ascii_graphic() {
            true => out.push(letter.to_ascii_lowercase()),
            false => push_space(letter, out),
        }
        return;
    }
    for letter in grapheme.chars() {
        // A syllable is compared as a whole, and not by its letters.
        if ('\u{ac00}'..='\u{d7a3}').contains(&letter) {
            out.push(letter);
            continue;
        }
        for letter in std::iter::once(letter).nfkd().default_case_fold().nfkd() {
            fold_letter(letter, out);
        }
    }
}

fn fold_letter(letter: char, out: &mut String) {
    if letter.is_whitespace() {
        return push_space(letter, out);
    }
    let is_invisible = !is_visible(letter) && !is_combining_mark(letter);
    if is_invisible || is_accent(letter) || is_modifier(letter) {
        return;
    }
    out.push(match letter {
        _ if letter.is_ascii() => letter,
        _ => latin_form(letter).unwrap_or(letter),
    });
}

/// Runs of white space count as one.
fn push_space(letter: char, out: &mut String) {
    if letter.is_whitespace() && !out.is_empty() && !out.ends_with(' ') {
        out.push(' ');
    }
}

/// The Latin letter that a letter of a related script looks like. Letters of others look like Latin
/// ones by accident: an Arabic alef like an l.
fn latin_form(letter: char) -> Option<char> {
    let is_related = matches!(letter, '\u{80}'..='\u{58f}' | '\u{13a0}'..='\u{13ff}'
        | '\u{1c80}'..='\u{1dbf}' | '\u{1e00}'..='\u{2bff}' | '\u{a4d0}'..='\u{a4ff}'
        | '\u{a640}'..='\u{abbf}');
    if !is_related {
        return None;
    }
    latin_lookalike(letter).or_else(|| {
        let mut buffer = [0; 4];
        let mut forms = skeleton(letter.encode_utf8(&mut buffer));
        let form = forms.next().filter(char::is_ascii_alphabetic)?;
        forms.next().is_none().then(|| form.to_ascii_lowercase())
    })
}

/// Marks that can be left out without changing a word: accents, Arabic and Hebrew vowels. Those of
/// other scripts are part of their letters.
fn is_accent(mark: char) -> bool {
    matches!(mark, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}'
        | '\u{5bf}' | '\u{5c1}'..='\u{5c2}' | '\u{5c4}'..='\u{5c5}' | '\u{5c7}'
        | '\u{610}'..='\u{61a}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}'
        | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e4}' | '\u{6e7}'..='\u{6e8}'
        | '\u{6ea}'..='\u{6ed}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Skin tones of emoji, and what chooses between forms of a letter.
fn is_modifier(letter: char) -> bool {
    matches!(letter, '\u{1f3fb}'..='\u{1f3ff}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_read_alike_fold_alike() {
        for (one, other) in [
            ("BAD", "bad"),
            ("bád", "bad"),
            ("bаd", "bad"), // with a Cyrillic letter
            ("ｂａｄ", "bad"),
            ("b\u{200b}a\u{ad}d", "bad"),
            ("𝐛𝐚𝐝", "bad"),
            ("Straße", "STRASSE"),
            ("ВОРОНА", "ворона"),
            ("كَلِمَة", "كلمة"),
            ("أحمق", "احمق"),
            ("👍🏽", "👍"),
            ("❤\u{fe0f}", "❤"),
            ("two   \n words", "two words"),
        ] {
            assert_eq!(fold_word(one), fold_word(other), "{one}");
        }
        for (one, other) in [("कि", "की"), ("か", "が"), ("اها", "lol"), ("단어", "단")]
        {
            assert_ne!(fold_word(one), fold_word(other), "{one}");
        }
    }

    #[test]
    fn folded_part_names_whole_graphemes() {
        let text = "a Bа\u{301}\u{200b}D! z";
        let folded = Folded::new(text);
        assert_eq!(folded.text, "a bad! z");
        assert_eq!(&text[folded.original(2..5)], "Bа\u{301}\u{200b}D");
        assert_eq!(&text[folded.original(0..1)], "a");
    }
}
