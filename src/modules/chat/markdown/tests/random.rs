//! Properties of any text.

use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation;

use super::check;
use crate::modules::chat::markdown::{is_emoji_only, to_plain};

/// Text that is likely to be markup.
pub(super) fn markup() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<",
        ">",
        "\"",
        "'",
        "&",
        "`",
        "```",
        "~~~",
        "*",
        "**",
        "_",
        "~~",
        "[",
        "](",
        ")",
        "!",
        "|",
        "\n",
        "\n\n",
        "|-|\n",
        "> ",
        "- ",
        "1. ",
        "- [x] ",
        "# ",
        "    ",
        "\t",
        "\r",
        "\\",
        "a",
        "x y",
        "<script>",
        "</script>",
        "<hx-a ",
        "onclick=",
        " onerror=\"x\"",
        "javascript:",
        "https://a.example/",
        "www.a.example",
        "a@b.example",
        "rust",
        "html",
        ":wave:",
        "&lt;",
        "&#13;",
        "&#0;",
        "&nbsp;",
        "<!--",
        "-->",
        "<p>",
        "</p>",
        "<a href=",
        "\u{0}",
        "\u{feff}",
        "\u{202e}",
        "\u{2028}",
        "\u{301}",
        "👋",
        "é",
        "[1]: ",
        "[1]",
        "\u{1}",
        "</pre>",
        "<br>",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text_is_safe(source in any::<String>()) {
        check(&source);
    }

    #[test]
    fn any_markup_is_safe(source in markup()) {
        check(&source);
    }

    #[test]
    fn any_preview_keeps_its_limit(source in markup(), max in 0_usize..50) {
        let plain = to_plain(&source, max);
        prop_assert!(plain.graphemes(true).count() <= max);
        prop_assert!(!plain.contains(['\n', '\r']));
        is_emoji_only(&source);
    }
}
