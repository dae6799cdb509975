//! Standard emoji, written by name.

use super::check;
use crate::modules::chat::markdown::{is_emoji_only, to_plain};

#[test]
fn standard_names_in_text_become_emoji() {
    for (source, shown) in [
        (":wave:", "👋"),
        ("hi :wave: there", "hi 👋 there"),
        (":wave::tada:", "👋🎉"),
        ("(:100:)", "(💯)"),
        ("**:100:**", "<strong>💯</strong>"),
        (":heart_eyes: and :kissing_heart:", "😍 and 😘"),
        ("你好:wave:世界", "你好👋世界"),
        (":+1:/:-1:", "👍/👎"),
    ] {
        assert_eq!(check(source), format!("<p>{shown}</p>\n"), "{source}");
    }
    let link = check("[:tada: notes](https://a.example)");
    assert!(link.contains(">🎉 notes</a>"), "{link}");
}

#[test]
fn standard_names_elsewhere_stay_as_typed() {
    for source in [
        "2001:db8::100:1",
        "2001:db8:100:200::1",
        "fe80::a:b:100:1",
        "12:100:45",
        "ratio 1:100:5",
        "std::a::b",
        "x:100:",
        ":100:x",
        "::100::",
        "_:100:x",
        "ftp://a.example/:100:/b",
        "`:100:`",
        "```\n:100:\n```",
        "    :100:",
        "https://a.example/:100:/b",
        "www.a.example/:100:/b",
        "<https://a.example/:100:>",
        "[a](https://a.example/:100:)",
    ] {
        let html = check(source);
        assert!(html.contains(":100:") || html.contains(":a:"), "{html}");
        assert!(!html.contains('💯') && !html.contains('🅰'), "{html}");
        assert!(!to_plain(source, 100).contains('💯'), "{source}");
    }
}

#[test]
fn escaped_colon_begins_no_emoji() {
    for source in ["\\:wave:", ":wave\\:", "\\:wave\\:"] {
        let html = check(source);
        assert!(!html.contains('👋'), "{html}");
        assert_eq!(to_plain(source, 100), ":wave:");
        assert!(!is_emoji_only(source));
    }
    assert_eq!(check("\\*a\\*"), "<p>*a*</p>\n");
}
