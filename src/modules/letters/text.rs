//! What may be written on a letter.

use crate::base::error::{Check, Result};
use crate::base::text::{
    check_short_text, is_blank, is_short, limit_marks, normalize_optional_line,
};

/// Characters (graphemes) of a letter.
pub const MAX_LETTER_CHARS: usize = 20_000;
/// Bytes of a letter.
pub const MAX_LETTER_BYTES: usize = 100_000;
/// Characters (graphemes) of a pen name.
pub const MAX_PEN_NAME_CHARS: usize = 40;
/// Bytes of a client's key.
pub const MAX_LETTER_KEY_BYTES: usize = 64;

/// The kinds of paper; the first one is that of a new letter.
pub(super) const PAPERS: [&str; 5] = ["plain", "lined", "cream", "sea", "night"];

/// The kinds of paper that points buy.
pub(super) const BOUGHT_PAPERS: [&str; 3] = ["kraft", "squared", "rose"];
/// The stamps that points buy; a letter without one has that of its way.
pub(super) const STAMPS: [&str; 3] = ["fern", "lamp", "comet"];
/// Points that a paper costs.
pub(super) const PAPER_PRICE: i64 = 40;
/// Points that a stamp costs.
pub(super) const STAMP_PRICE: i64 = 25;

/// The stamp of this name; nothing for that of the way.
///
/// # Errors
/// `Invalid` for another one.
pub(super) fn checked_stamp(name: &str) -> Result<&'static str> {
    let found = STAMPS.iter().find(|stamp| **stamp == name);
    match found {
        Some(stamp) => Ok(stamp),
        None if name.is_empty() => Ok(""),
        None => Err(crate::base::error::Error::field(
            "stamp",
            "error-message-shape",
        )),
    }
}

/// The paper of this name.
///
/// # Errors
/// `Invalid` for another one.
pub(super) fn checked_paper(name: &str) -> Result<&'static str> {
    let mut all = PAPERS.iter().chain(&BOUGHT_PAPERS);
    let found = all.find(|paper| **paper == name);
    found.copied().ok_or(crate::base::error::Error::field(
        "paper",
        "error-message-shape",
    ))
}

/// The text of a draft, with line ends as `\n` and without piled up marks.
///
/// # Errors
/// `Invalid` past [`MAX_LETTER_CHARS`] or [`MAX_LETTER_BYTES`].
pub(super) fn checked_body(text: &str) -> Result<String> {
    let fits = text.len() <= MAX_LETTER_BYTES;
    let body = match fits {
        true => limit_marks(&text.replace("\r\n", "\n").replace('\0', "")),
        false => String::new(),
    };
    let fits = fits && is_short(&body, MAX_LETTER_CHARS);
    Check::default()
        .that(fits, "body", "error-letter-long", MAX_LETTER_CHARS)
        .done()?;
    Ok(body)
}

/// A pen name as one line; may be empty in a draft.
///
/// # Errors
/// `Invalid` past [`MAX_PEN_NAME_CHARS`].
pub(super) fn checked_pen_name(name: &str) -> Result<String> {
    let name = normalize_optional_line(name);
    let mut check = Check::default();
    check_short_text(&name, "pen_name", MAX_PEN_NAME_CHARS, &mut check);
    check.done()?;
    Ok(name)
}

/// The paragraphs of a letter: empty lines part them.
pub(super) fn paragraphs(body: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for line in body.lines() {
        if is_blank(line) {
            found.push(String::new());
        } else if let Some(last) = found.last_mut() {
            last.push_str(if last.is_empty() { "" } else { "\n" });
            last.push_str(line);
        }
    }
    found.retain(|one| !one.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_parted_by_empty_lines() {
        let found = paragraphs("Dear Ann,\r\n\r\n\n  a\nb\n \u{a0}\nN.");
        assert_eq!(found, ["Dear Ann,", "  a\nb", "N."]);
        assert!(paragraphs("\n \n").is_empty());
    }

    #[test]
    fn long_letter_is_refused() {
        assert!(checked_body(&"長".repeat(MAX_LETTER_CHARS)).is_ok());
        assert!(checked_body(&"長".repeat(MAX_LETTER_CHARS + 1)).is_err());
        assert!(checked_body(&"a".repeat(MAX_LETTER_BYTES + 1)).is_err());
        assert_eq!(checked_body("a\r\nb\0").ok().as_deref(), Some("a\nb"));
    }
}
