//! Messages as plain text, and messages of emoji alone.

use super::MESSAGE_CHARS;
use crate::modules::chat::markdown::plain::MAX_SCALARS_PER_CHAR;
use crate::modules::chat::markdown::{is_emoji_only, to_plain};

#[test]
fn emoji_only_messages_are_detected() {
    for source in [
        "👋",
        ":wave:",
        ":+1:",
        "👍🏽 👍🏿",
        "👨‍👩‍👧‍👦",
        "🇫🇷🇩🇪",
        "❤️",
        "1️⃣",
        "😀😀😀😀😀😀",
        " 😀\n😀 ",
        "⭐",
        "©️",
        ":heart:\n\n:tada:",
        "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "🏳️‍🌈",
        "🫠",
    ] {
        assert!(is_emoji_only(source), "{source:?}");
    }
    for source in [
        "",
        " ",
        "a",
        "👋 hi",
        "1",
        "12",
        "#",
        "©",
        "❤︎",
        "😀😀😀😀😀😀😀",
        ":nope:",
        "- 😀",
        "`😀`",
        "# 😀",
        "→",
        "漢",
        "\u{fe0f}",
        "\u{200d}",
        "🇫",
    ] {
        assert!(!is_emoji_only(source), "{source:?}");
    }
    assert!(!is_emoji_only(&"😀".repeat(MESSAGE_CHARS)));
}

#[test]
fn plain_text_is_one_line() {
    for (source, plain) in [
        ("**a** _b_ `c`\n\n> d\n- e\n- f", "a b c d e f"),
        ("[t](https://a.example) ![alt](https://b.example)", "t alt"),
        ("![](https://b.example)", "https://b.example"),
        ("<b>x</b> &amp; :wave:", "<b>x</b> & 👋"),
        ("```rust\nfn a() {\n}\n```", "fn a() { }"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a b 1 2"),
        ("- [x] done", "☑ done"),
        ("3. a\n4. b", "3. a 4. b"),
        ("---", "---"),
        ("[\u{200b}](https://a.example)", "https://a.example\u{200b}"),
        ("a\u{202e}b\tc\u{7}d", "ab c d"),
        ("", ""),
    ] {
        assert_eq!(to_plain(source, 100), plain, "{source:?}");
    }
}

#[test]
fn plain_text_is_cut_between_characters() {
    assert_eq!(to_plain("hello", 5), "hello");
    assert_eq!(to_plain("hello!", 5), "hell…");
    assert_eq!(to_plain("hi there", 4), "hi…");
    assert_eq!(to_plain("👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 2), "👨‍👩‍👧‍👦…");
    assert_eq!(to_plain("ab", 1), "…");
    assert_eq!(to_plain("ab", 0), "");
    assert_eq!(to_plain("", 0), "");
    let pile = format!("a{}", "\u{301}".repeat(MESSAGE_CHARS));
    assert!(to_plain(&pile, 40).len() < 40 * MAX_SCALARS_PER_CHAR * 4);
}
