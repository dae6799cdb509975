//! Paragraphs, lists, tables, headings and raw HTML.

use super::check;
use crate::modules::chat::markdown::MAX_SOURCE_BYTES;

#[test]
fn markdown_becomes_html() {
    for (source, html) in [
        ("hello", "<p>hello</p>"),
        ("a\nb", "<p>a<br>\nb</p>"),
        (
            "**b** *i* ~~d~~ `c`",
            "<p><strong>b</strong> <em>i</em> <del>d</del> <code>c</code></p>",
        ),
        ("> q", "<blockquote>\n<p>q</p>\n</blockquote>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("3. a", "<ol start=\"3\">\n<li>a</li>\n</ol>"),
        (
            "- [x] a\n- [ ] b",
            "<ul>\n<li>☑ a</li>\n<li>☐ b</li>\n</ul>",
        ),
        (":wave: :nope:", "<p>👋 :nope:</p>"),
        ("a & b < c > d", "<p>a &amp; b &lt; c &gt; d</p>"),
        ("---", "<hr>"),
        ("", ""),
        ("```\na < b\n```", "<pre><code>a &lt; b\n</code></pre>"),
        ("```nope x\na\n```", "<pre><code>a\n</code></pre>"),
        ("```math\na\n```", "<pre><code>a\n</code></pre>"),
    ] {
        assert_eq!(check(source).trim_end(), html, "{source:?}");
    }
}

#[test]
fn tables_keep_their_alignment() {
    let html = check("| a | b |\n|:-:|--:|\n| 1 | 2 |");
    assert!(html.contains("<th align=\"center\">a</th>"), "{html}");
    assert!(html.contains("<td align=\"right\">2</td>"), "{html}");
}

#[test]
fn html_is_shown_as_typed() {
    assert_eq!(check("a <b>c</b>"), "<p>a &lt;b&gt;c&lt;/b&gt;</p>\n");
    let block = check("<div>\nhi **x**\n</div>");
    assert_eq!(
        block,
        "<p>&lt;div&gt;<br>\nhi **x**<br>\n&lt;/div&gt;</p>\n"
    );
    assert_eq!(check("<!-- note -->"), "<p>&lt;!-- note --&gt;</p>\n");
    let partial = check("<hx-partial hx-target=\"#x\">y</hx-partial>");
    assert!(partial.contains("&lt;hx-partial"), "{partial}");
}

#[test]
fn headings_are_fitted_without_skipping_levels() {
    let levels = |source| {
        let html = check(source);
        let mut levels: Vec<u8> = Vec::new();
        for (start, _) in html.match_indices("<h") {
            levels.push(html.as_bytes()[start + 2] - b'0');
        }
        levels
    };
    assert_eq!(
        levels("# a\n## b\n### c\n#### d\n##### e\n###### f"),
        [3, 4, 5, 6, 6, 6]
    );
    assert_eq!(levels("### a\n# b\n###### c\n## d\n## e"), [3, 3, 4, 4, 4]);
    assert_eq!(levels("a\n==="), [3]);
}

#[test]
fn table_of_short_rows_stays_text() {
    let head = format!("|{}\n|{}\n", "a|".repeat(300), "-|".repeat(300));
    let html = check(&format!("{head}{}", "**b**|\n".repeat(300)));
    assert!(
        !html.contains("<table") && html.contains("<strong>b</strong>"),
        "{html}"
    );
    let row = format!("|{}\n", "b|".repeat(300));
    assert!(check(&format!("{head}{row}{row}")).contains("<table"));
}

#[test]
fn deep_or_long_text_stays_as_typed() {
    let deep = format!("{} x", ">".repeat(200));
    assert!(check(&deep).starts_with("<p>&gt;&gt;"));
    let long = format!("**a**\n{}", "b ".repeat(MAX_SOURCE_BYTES));
    assert!(check(&long).starts_with("<p>**a**<br>\nb b"));
}
