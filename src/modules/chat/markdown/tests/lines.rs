//! Lines after quotes and lists.

use super::check;
use crate::modules::chat::markdown::to_plain;

/// The HTML without line ends, and with short names of tags.
fn html(source: &str) -> String {
    let html = check(source).replace("<br>\n", "/").replace('\n', "");
    html.replace("blockquote", "q")
}

#[test]
fn line_after_a_quote_is_not_part_of_it() {
    for (source, expected) in [
        ("> a\nb", "<q><p>a</p></q><p>b</p>"),
        ("> a\n> b\nc\nd", "<q><p>a/b</p></q><p>c/d</p>"),
        ("> a\nb\n> c", "<q><p>a</p></q><p>b</p><q><p>c</p></q>"),
        (">a\n**b**", "<q><p>a</p></q><p><strong>b</strong></p>"),
        (
            "> a\n2. b",
            "<q><p>a</p></q><ol start=\"2\"><li>b</li></ol>",
        ),
        ("> a\n===", "<q><p>a</p></q><p>===</p>"),
        // Nested.
        ("> > a\n> b\nc", "<q><q><p>a</p></q><p>b</p></q><p>c</p>"),
        ("> > a\nb", "<q><q><p>a</p></q></q><p>b</p>"),
        (">> a\n> b", "<q><q><p>a</p></q><p>b</p></q>"),
        // In lists, and lists in quotes.
        (
            "- > a\n  b\n- c",
            "<ul><li><q><p>a</p></q><p>b</p></li><li><p>c</p></li></ul>",
        ),
        ("- > a\nb", "<ul><li><q><p>a</p></q></li></ul><p>b</p>"),
        ("> - a\nb", "<q><ul><li>a</li></ul></q><p>b</p>"),
        (
            "> - a\n> b\nc",
            "<q><ul><li>a</li></ul><p>b</p></q><p>c</p>",
        ),
        (
            "1. > a\n\t> b\n\tc",
            "<ol><li><q><p>a/b</p></q><p>c</p></li></ol>",
        ),
        // What becomes a block of its own by being separated.
        (
            "> a\n2. b\nc",
            "<q><p>a</p></q><ol start=\"2\"><li>b</li></ol><p>c</p>",
        ),
        ("> a\n> b\n> ===", "<q><h3>a/b</h3></q>"),
        (
            "> a\nb\n> c\nd",
            "<q><p>a</p></q><p>b</p><q><p>c</p></q><p>d</p>",
        ),
        ("> [x]: y\nz", "<p>z</p>"),
    ] {
        let got = html(source).replace("<q></q>", "");
        assert_eq!(got, expected, "{source:?}");
    }
}

#[test]
fn line_after_a_list_is_not_part_of_it() {
    for (source, expected) in [
        ("- a\n- b\nc", "<ul><li>a</li><li>b</li></ul><p>c</p>"),
        (
            "- a\n  - b\nc",
            "<ul><li>a<ul><li>b</li></ul></li></ul><p>c</p>",
        ),
        ("- [ ] a\nb", "<ul><li>☐ a</li></ul><p>b</p>"),
        // Indented lines are.
        ("- a\n  b", "<ul><li>a/b</li></ul>"),
        ("1. a\n b", "<ol><li>a/b</li></ol>"),
        ("- [ ] a\n  b", "<ul><li>☐ a/b</li></ul>"),
        ("- a\n\tb", "<ul><li>a/b</li></ul>"),
    ] {
        assert_eq!(html(source), expected, "{source:?}");
    }
}

#[test]
fn code_keeps_its_lines() {
    assert_eq!(
        check("```\n> a\nb\n- c\nd\n```"),
        "<pre><code>&gt; a\nb\n- c\nd\n</code></pre>\n"
    );
    assert_eq!(
        check("> ```\n> a\nb"),
        "<blockquote>\n<pre><code>a\n</code></pre>\n</blockquote>\n<p>b</p>\n"
    );
}

#[test]
fn plain_text_agrees() {
    assert_eq!(to_plain("> a\n2. b\nc", 100), "a 2. b c");
    assert_eq!(to_plain("3. a\n3. b", 100), "3. a 3. b");
}

#[test]
fn texts_of_many_lazy_lines_are_bounded() {
    let source = "> a\n2. b\nc\n".repeat(1300);
    assert!(check(&source).contains("<p>c</p>"));
}
