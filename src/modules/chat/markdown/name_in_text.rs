//! Where names end in the text of HTML: what `#room` and `@name` have in common.

use super::shortcodes::is_written_without_spaces;

/// Whether a sign after this character begins no name: `C#`, `a#b`, `ann@example.org`, `&#39;`.
/// Where words have no spaces between them, a letter before the sign is another word.
pub(super) fn joins(char: char) -> bool {
    char.is_alphanumeric() && !is_written_without_spaces(char)
        || matches!(char, '#' | '@' | '&' | '/' | '_')
}

/// The ends of all that may be a name at the beginning of a text, shortest first, at most
/// `max_bytes` long. Names end with their words, or anywhere in a script without spaces.
pub(super) fn name_ends(text: &str, max_bytes: usize) -> impl DoubleEndedIterator<Item = usize> {
    let is_word = |c: char| (c.is_alphanumeric() && !is_written_without_spaces(c)) || c == '_';
    let limit = text.floor_char_boundary(max_bytes);
    let mut ends = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        let (end, next) = (at + char.len_utf8(), chars.peek().map(|(_, next)| *next));
        if end > limit {
            break;
        }
        if !(is_word(char) && next.is_some_and(is_word)) {
            ends.push(end);
        }
    }
    ends.into_iter()
}

/// The characters that HTML text is written for.
pub(super) fn plain(html: &str) -> String {
    if !html.contains('&') {
        return html.to_owned();
    }
    html.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&nbsp;", "\u{a0}")
        .replace("&amp;", "&")
}
