//! The pseudo-locale: English with accents, so that words that escaped translation stand out.

use std::borrow::Cow;

/// Every letter gets an accent and every vowel is doubled, which makes a
/// text about two fifths longer. Entities (`&amp;`) stay as they are. Only ever called on the
/// words of a message, never on its arguments.
pub(super) fn accentuate(text: &str) -> Cow<'_, str> {
    let mut out = String::with_capacity(text.len() * 3);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let taken = entity_length(rest).unwrap_or(character.len_utf8());
        let (piece, after) = rest.split_at(taken);
        if taken > character.len_utf8() {
            out.push_str(piece);
        } else {
            let accented = accent(character);
            out.push(accented);
            if "aeiouyAEIOUY".contains(character) {
                out.push(accented);
            }
        }
        rest = after;
    }
    Cow::Owned(out)
}

/// The length in bytes of the HTML entity the text starts with, if it does.
fn entity_length(text: &str) -> Option<usize> {
    let name = text.strip_prefix('&')?;
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '#')?;
    (end > 0 && name[end..].starts_with(';')).then_some(end + 2)
}

/// A letter that looks like this one and is not it.
fn accent(character: char) -> char {
    const PLAIN: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const ACCENTED: &str = "áƀçđéƒĝĥíĵķĺɱñóþɋŕšťúṽŵẋýžÁɃÇĐÉƑĜĤÍĴĶĹṀÑÓÞɊŔŠŤÚṼŴẊÝŽ";
    PLAIN
        .chars()
        .zip(ACCENTED.chars())
        .find_map(|(plain, accented)| (plain == character).then_some(accented))
        .unwrap_or(character)
}
