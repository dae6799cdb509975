//! Every text that a message may have shows something.

use proptest::prelude::*;

use super::random::markup;
use super::{check, to_html};
use crate::base::text::{is_blank, is_visible};
use crate::modules::chat::markdown::to_plain;
use crate::modules::chat::model;

/// The text of HTML, without tags and with the few entities that the sanitiser writes.
fn text_of(html: &str) -> String {
    let mut out = String::new();
    for part in html.split('<') {
        out.push_str(part.split_once('>').map_or(part, |(_, text)| text));
    }
    [
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(out, |text, (entity, sign)| text.replace(entity, sign))
}

#[test]
fn text_that_renders_to_nothing_is_shown_as_written() {
    for source in [
        "[x]: https://a.example",
        "[x]: https://a.example\n[y]: <b> 'c'",
        "#",
        "######",
        ">",
        "> >",
        "-",
        "1.",
        "- -\n-",
        "---",
        "***\n___",
        "```",
        "```rust",
        "```\n\n```",
        "~~~ x\n \n~~~",
        "[]()",
        "![]()",
        "[ ](<>)",
        "[\u{200b}](<\u{2800}>)",
        "&nbsp;",
        "&#8203;&zwj;",
        "&#x2800;",
        "| |\n|-|",
        "|||\n|-|-|\n|||",
        "> [x]: y",
        "-\n\n---",
        "``\u{3164}``",
        "`\u{a0}`",
    ] {
        let html = check(source);
        let written: Vec<&str> = source.split_whitespace().collect();
        let text = text_of(&html).replace('\u{a0}', " ");
        let shown: Vec<&str> = text.split_whitespace().collect();
        assert_eq!(shown, written, "{source:?}: {html}");
        assert!(html.starts_with("<p>") && !html.contains("<hr"), "{html}");
        assert!(!is_blank(&to_plain(source, 200)), "{source:?}");
    }
}

#[test]
fn text_that_shows_something_is_rendered() {
    for (source, html) in [
        ("[](x)", "<p>x</p>\n"),
        ("[x]: y\n\nz", "<p>z</p>\n"),
        ("a\n\n#", "<p>a</p>\n<h3></h3>\n"),
        ("<!-- -->", "<p>&lt;!-- --&gt;</p>\n"),
        ("\\", "<p>\\</p>\n"),
        ("&amp;", "<p>&amp;</p>\n"),
    ] {
        assert_eq!(check(source), html, "{source:?}");
    }
}

/// Pieces of which nothing or little can be seen.
fn hollow() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "#",
        ">",
        "-",
        "*",
        "_",
        "`",
        "```",
        "~~~",
        "[",
        "]",
        "(",
        ")",
        "![",
        "](",
        "[x]: y",
        "[x]",
        "|",
        "\n",
        "\n\n",
        " ",
        "    ",
        "1.",
        "&nbsp;",
        "&#0;",
        "&zwnj;",
        "<!--",
        "-->",
        "<br>",
        "\\",
        "\u{200b}",
        "\u{2800}",
        "\u{3164}",
        "\u{fe0f}",
        "\u{301}",
        "\u{3000}",
        "\u{e0041}",
        "\u{ad}",
        "\u{1}",
        "\u{c}",
        "=",
        ":",
        "https://",
        "<>",
        "[ ]",
        "- [ ]",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn check_is_seen(source: &str) -> Result<(), TestCaseError> {
    let Ok(body) = model::body(source, false) else {
        prop_assert!(is_blank(source));
        return Ok(());
    };
    let html = to_html(&body);
    let seen = text_of(&html).chars().any(is_visible);
    prop_assert!(seen, "{body:?} renders to {html:?}");
    let plain = to_plain(&body, 200);
    prop_assert!(!is_blank(&plain), "{body:?} is {plain:?} as text");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn accepted_text_shows_something(source in hollow()) {
        check_is_seen(&source)?;
    }

    #[test]
    fn accepted_markup_shows_something(source in markup()) {
        check_is_seen(&source)?;
    }

    #[test]
    fn accepted_unicode_shows_something(source in "\\PC{0,6}") {
        check_is_seen(&source)?;
    }
}
