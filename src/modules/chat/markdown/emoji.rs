//! The emoji of a space: `:name:` in a message becomes an `<img>`.

use super::super::links::escape;
use super::html_text::change_text;
use super::shortcodes;
use crate::community::EmojiSet;

/// Replaces the names of a space's emoji by images in sanitised HTML: in text only, and not in
/// code.
pub fn with_emoji(html: &str, emoji: &EmojiSet) -> String {
    if emoji.is_empty() || !html.contains(':') {
        return html.to_owned();
    }
    change_text(html, &["code", "pre"], |text, out| {
        shortcodes::replace(text, out, |name, out| image(emoji, name, out));
    })
}

/// One emoji as HTML: the picture of a space's own `:name:`, or text.
pub fn emoji_html(one: &str, emoji: &EmojiSet) -> String {
    let mut out = String::new();
    let name = one
        .strip_prefix(':')
        .and_then(|rest| rest.strip_suffix(':'));
    match name.and_then(|name| image(emoji, name, &mut out)) {
        Some(()) => out,
        None => escape(one),
    }
}

fn image(emoji: &EmojiSet, name: &str, out: &mut String) -> Option<()> {
    let file = emoji.get(name)?;
    // Names of emoji need no escaping in HTML or URLs.
    out.push_str(&format!(
        "<img class=\"emoji\" src=\"/files/{file}/{name}?size=small\" alt=\":{name}:\" \
         title=\":{name}:\">"
    ));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::to_html;
    use super::*;
    use crate::engine::files::FileId;

    const IMAGE: &str =
        "<img class=\"emoji\" src=\"/files/7/tide?size=small\" alt=\":tide:\" title=\":tide:\">";

    fn tide() -> EmojiSet {
        [("tide".to_owned(), FileId(7))].into_iter().collect()
    }

    #[test]
    fn space_emoji_appear_in_text_only() {
        for (html, becomes) in [
            ("<p>a :tide: b</p>", format!("<p>a {IMAGE} b</p>")),
            ("<p>:tide::tide:</p>", format!("<p>{IMAGE}{IMAGE}</p>")),
            ("<p>:other: :tide</p>", "<p>:other: :tide</p>".to_owned()),
            (
                "<p><code>:tide:</code></p><pre class=\"x\"><code>:tide:</code></pre>:tide:",
                format!(
                    "<p><code>:tide:</code></p><pre class=\"x\"><code>:tide:</code></pre>{IMAGE}"
                ),
            ),
            (
                "<a href=\"/x:tide:\" title=\"a>:tide:\">:tide:</a>",
                format!("<a href=\"/x:tide:\" title=\"a>:tide:\">{IMAGE}</a>"),
            ),
        ] {
            assert_eq!(with_emoji(html, &tide()), becomes, "{html}");
        }
        let none = EmojiSet::default();
        assert_eq!(with_emoji("<p>:tide:</p>", &none), "<p>:tide:</p>");
    }

    #[test]
    fn space_emoji_are_found_like_standard_ones() {
        let shown = |source: &str| with_emoji(&to_html(source), &tide());
        for source in [
            "**:tide:**",
            "&:tide:&",
            "\":tide:\"",
            "<:tide:>",
            ":tide::wave:",
            ":one::tide::one:",
            "\\\\:tide:",
            "[:tide:](https://a.example)",
        ] {
            assert_eq!(shown(source).matches(IMAGE).count(), 1, "{source}");
        }
        for source in [
            "a:tide:",
            "1:tide:2",
            "fe80::tide:1",
            "\\:tide:",
            ":tide\\:",
            "https://a.example/:tide:/b",
            "www.a.example/:tide:/b",
            "[a](https://a.example/:tide:)",
        ] {
            assert!(!shown(source).contains("<img"), "{}", shown(source));
        }
    }
}
