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
        ("a\n\n---\n\nb", "<p>a</p>\n<hr>\n<p>b</p>"),
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
fn tables_scroll_in_a_box() {
    let html = check("a\n\n| a |\n|---|\n| 1 |\n\nb");
    assert!(html.contains("</p>\n<div>\n<table>"), "{html}");
    assert!(html.contains("</table>\n</div>\n<p>b"), "{html}");
}

#[test]
fn ordered_lists_keep_the_numbers_written() {
    let list = |source: &str| {
        let html = check(source).replace('\n', "");
        html.replace("<p>", "").replace("</p>", "")
    };
    for (source, html) in [
        ("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"),
        (
            "3. a\n5. b\n6. c",
            "<ol start=\"3\"><li>a</li><li value=\"5\">b</li><li>c</li></ol>",
        ),
        (
            "1. a\n1. b\n1. c",
            "<ol><li>a</li><li value=\"1\">b</li><li value=\"1\">c</li></ol>",
        ),
        (
            "3. a\n\n2. b\n\n1. c",
            "<ol start=\"3\"><li>a</li><li value=\"2\">b</li><li value=\"1\">c</li></ol>",
        ),
        ("0) a\n1) b", "<ol start=\"0\"><li>a</li><li>b</li></ol>"),
        (
            "2. [x] a\n3. [ ] b",
            "<ol start=\"2\"><li>☑ a</li><li>☐ b</li></ol>",
        ),
    ] {
        assert_eq!(list(source), html, "{source:?}");
    }
}

#[test]
fn emphasis_works_beside_cjk() {
    for (source, html) in [
        ("**注意：**请看", "<strong>注意：</strong>请看"),
        ("这是**“重点”**吗", "这是<strong>“重点”</strong>吗"),
        ("彼は**「はい」**と", "彼は<strong>「はい」</strong>と"),
        ("**중요(重要)**합니다", "<strong>중요(重要)</strong>합니다"),
        ("~~不。~~好", "<del>不。</del>好"),
        ("a_b_c 2*3*4", "a_b_c 2<em>3</em>4"),
    ] {
        assert_eq!(check(source), format!("<p>{html}</p>\n"), "{source}");
    }
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
