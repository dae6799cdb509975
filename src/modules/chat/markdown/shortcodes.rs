//! Emoji written by name: `:name:`.
//!
//! A colon has other uses, so a name counts only where nothing joins it from outside: not in
//! `12:30:45`, `2001:db8::100:1` or `std::vec::Vec`, and not in a web address. Names may follow
//! each other directly (`:wave::tada:`). In writing without spaces between words, such as Chinese
//! or Thai, a letter beside the colon does not join it.

use comrak::nodes::{Node, NodeValue};

/// Replaces the standard names in the text of a tree. Code, addresses of links and escaped colons
/// are other nodes, so they stay as they are.
pub(super) fn resolve_standard(root: Node<'_>) {
    for node in root.descendants() {
        if let NodeValue::Text(text) = &mut node.data_mut().value
            && text.contains(':')
            && !is_escaped(node)
        {
            let mut out = String::with_capacity(text.len());
            replace(text, &mut out, |name, out| {
                emojis::get_by_shortcode(name).map(|emoji| out.push_str(emoji.as_str()))
            });
            *text = out.into();
        }
    }
}

fn is_escaped(node: Node<'_>) -> bool {
    node.parent()
        .is_some_and(|parent| matches!(parent.data().value, NodeValue::Escaped))
}

/// Copies text to `out`. `write` gets each name and writes its replacement, or returns `None` for
/// an unknown name. Takes time linear in the text.
pub(super) fn replace(
    text: &str,
    out: &mut String,
    mut write: impl FnMut(&str, &mut String) -> Option<()>,
) {
    for token in text.split_inclusive(char::is_whitespace) {
        if token.contains("://") || token.contains("www.") {
            out.push_str(token);
            continue;
        }
        let (mut rest, mut last) = (token, None);
        while let Some(colon) = rest.find(':') {
            let (before, from) = rest.split_at(colon);
            out.push_str(before);
            let is_joined = before.chars().next_back().or(last).is_some_and(joins);
            let names = if is_joined { None } else { names_at(from) };
            let end = match names {
                Some(names) => {
                    for name in names[1..names.len() - 1].split("::") {
                        if write(name, out).is_none() {
                            out.extend([":", name, ":"]);
                        }
                    }
                    names.len()
                }
                None => {
                    out.push(':');
                    1
                }
            };
            rest = &from[end..];
            last = Some(':');
        }
        out.push_str(rest);
    }
}

/// The names at the start of a text, each between colons, if nothing joins the last from behind.
fn names_at(text: &str) -> Option<&str> {
    let mut end = 0;
    while let Some(name) = text[end..].strip_prefix(':') {
        let length = name.bytes().take_while(|byte| is_name_byte(*byte)).count();
        if length == 0 || !name[length..].starts_with(':') {
            return None;
        }
        end += length + 2;
    }
    let mut after = text[end..].chars();
    let is_joined = after.next().is_some_and(joins);
    // A digit or letter that is itself shown as an emoji, such as a keycap.
    let is_emoji = matches!(after.next(), Some('\u{fe0f}' | '\u{20e3}'));
    (!is_joined || is_emoji).then_some(&text[..end])
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'-')
}

/// Whether a character beside a colon makes it a part of something else.
fn joins(character: char) -> bool {
    matches!(character, ':' | '_')
        || character.is_alphanumeric() && !is_written_without_spaces(character)
}

/// Letters of scripts that do not put spaces between words, or attach particles to them.
pub(super) fn is_written_without_spaces(character: char) -> bool {
    matches!(character,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' // Thai to Khmer
        | '\u{1100}'..='\u{11ff}' | '\u{ac00}'..='\u{d7ff}' // Hangul
        | '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}' // Han, kana
        | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Replaces the known names `a` and `tide` by `<>`.
    fn replaced(text: &str) -> String {
        let mut out = String::new();
        replace(text, &mut out, |name, out| {
            ["a", "tide"].contains(&name).then(|| out.push_str("<>"))
        });
        out
    }

    #[test]
    fn names_on_their_own_are_replaced() {
        for (text, becomes) in [
            (":tide:", "<>"),
            ("x :tide: y", "x <> y"),
            ("(:tide:), \":a:\"!", "(<>), \"<>\"!"),
            (":tide::a::tide:", "<><><>"),
            (":tide::other::a:", "<>:other:<>"),
            (":other::a:", ":other:<>"),
            ("潮:tide:汐", "潮<>汐"),
            (":tide:1\u{fe0f}\u{20e3}", "<>1\u{fe0f}\u{20e3}"),
            ("🅰\u{fe0f}:tide:", "🅰\u{fe0f}<>"),
            ("https://x.example :a:", "https://x.example <>"),
        ] {
            assert_eq!(replaced(text), becomes, "{text}");
        }
    }

    #[test]
    fn colons_with_other_meaning_are_unchanged() {
        for text in [
            "x:tide:",
            ":tide:x",
            "1:tide:2",
            "_:tide:",
            "::tide::",
            ":tide::",
            "::tide:",
            "é:tide:",
            ":tide:é",
            "x:a::tide:",
            ":a::tide:x",
            ":a::tide",
            "12:a:45",
            "fe80::a:1",
            "::a:1",
            "std::a::b",
            "https://x.example/:tide:/y",
            "git+ssh://x/:a:",
            "www.x.example/:a:/y",
            ": :",
            ":",
            "::",
            "",
            ":ti de:",
        ] {
            assert_eq!(replaced(text), text);
        }
    }
}
