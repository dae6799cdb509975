//! Emoji that a space has made: `:name:` in what people read becomes a picture.

use crate::community::EmojiSet;

/// Puts pictures in the place of names, in HTML that has been cleaned: in its text alone, and not
/// in code.
pub fn with_emoji(html: &str, emoji: &EmojiSet) -> String {
    if emoji.is_empty() || !html.contains(':') {
        return html.to_owned();
    }
    let mut out = String::with_capacity(html.len() + 64);
    let (mut rest, mut in_code) = (html, 0_usize);
    while !rest.is_empty() {
        let text = rest.find('<').unwrap_or(rest.len());
        let (before, tag) = rest.split_at(text);
        if in_code == 0 {
            replace(before, emoji, &mut out)
        } else {
            out.push_str(before)
        }
        let end = end_of_tag(tag);
        let (tag, after) = tag.split_at(end);
        for code in ["code", "pre"] {
            let is = |start: &str| {
                tag.strip_prefix(start)
                    .and_then(|tag| tag.strip_prefix(code))
                    .is_some_and(|rest| rest.starts_with(['>', ' ']))
            };
            in_code = if is("<") {
                in_code + 1
            } else if is("</") {
                in_code.saturating_sub(1)
            } else {
                in_code
            };
        }
        out.push_str(tag);
        rest = after;
    }
    out
}

/// Where a tag ends: at the first `>` outside of quotes.
fn end_of_tag(tag: &str) -> usize {
    let mut quoted = false;
    for (place, byte) in tag.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'>' if !quoted => return place + 1,
            _ => {}
        }
    }
    tag.len()
}

fn replace(text: &str, emoji: &EmojiSet, out: &mut String) {
    let mut rest = text;
    while let Some(colon) = rest.find(':') {
        let (before, from) = rest.split_at(colon);
        out.push_str(before);
        let name = from[1..].split(':').next().unwrap_or_default();
        match emoji
            .get(name)
            .filter(|_| from[1 + name.len()..].starts_with(':'))
        {
            Some(file) => {
                // Names hold nothing that means anything in HTML or an address.
                out.push_str(&format!("<img class=\"emoji\" src=\"/files/{file}/{name}?size=small\" alt=\":{name}:\" title=\":{name}:\">"));
                rest = &from[name.len() + 2..];
            }
            None => {
                out.push(':');
                rest = &from[1..];
            }
        }
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::files::FileId;

    #[test]
    fn names_become_pictures_in_text_and_nowhere_else() {
        let set: EmojiSet = [("tide".to_owned(), FileId(7))].into();
        let image = "<img class=\"emoji\" src=\"/files/7/tide?size=small\" alt=\":tide:\" title=\":tide:\">";
        for (html, becomes) in [
            ("<p>a :tide: b</p>", format!("<p>a {image} b</p>")),
            ("<p>:tide::tide:</p>", format!("<p>{image}{image}</p>")),
            (
                "<p>::tide:: at 10:30:</p>",
                format!("<p>:{image}: at 10:30:</p>"),
            ),
            ("<p>:other: :tide</p>", "<p>:other: :tide</p>".to_owned()),
            (
                "<p><code>:tide:</code></p><pre class=\"x\"><code>:tide:</code></pre>:tide:",
                format!(
                    "<p><code>:tide:</code></p><pre class=\"x\"><code>:tide:</code></pre>{image}"
                ),
            ),
            (
                "<a href=\"/x:tide:\" title=\"a>:tide:\">:tide:</a>",
                format!("<a href=\"/x:tide:\" title=\"a>:tide:\">{image}</a>"),
            ),
        ] {
            assert_eq!(with_emoji(html, &set), becomes, "{html}");
        }
        assert_eq!(
            with_emoji("<p>:tide:</p>", &EmojiSet::new()),
            "<p>:tide:</p>"
        );
    }
}
