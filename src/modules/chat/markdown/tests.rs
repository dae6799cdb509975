use super::highlight::*;
use super::plain::*;
use super::sanitize::*;
use super::*;
use proptest::prelude::*;
use std::time::{Duration, Instant};
use syntect::parsing::Scope;
use unicode_segmentation::UnicodeSegmentation;

/// Characters a message may have; the hostile texts below are that long.
const MESSAGE_CHARS: usize = 4000;

/// What a message may take to render in a debug build on a busy machine. The work is bounded
/// by a few milliseconds; a square or worse in the length would go far beyond this.
const PATIENCE: Duration = Duration::from_secs(5);

/// Reads the output strictly: every `<` opens a tag of the list with attributes of the list,
/// and every tag is closed in order. The sanitiser escapes `<` and `>` everywhere else, so
/// this sees exactly what a browser will take for markup.
fn check(source: &str) -> String {
    let html = to_html(source);
    let context = || format!("source {source:?}\nhtml {html}");
    let mut open = Vec::new();
    let mut rest = html.as_str();
    while let Some(start) = rest.find('<') {
        assert!(!rest[..start].contains('>'), "stray > in {}", context());
        let end = rest
            .find('>')
            .unwrap_or_else(|| panic!("open tag in {}", context()));
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{}", context());
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(TAGS.contains(&name), "<{tag}> in {}", context());
        check_attributes(name, attributes, &context());
        if !matches!(name, "br" | "hr") {
            open.push(name);
        }
    }
    assert!(!rest.contains('>'), "stray > in {}", context());
    assert!(open.is_empty(), "{open:?} open in {}", context());
    assert_eq!(sanitizer().clean(&html).to_string(), html, "{}", context());
    assert!(!html.to_ascii_lowercase().contains("<hx-"), "{}", context());
    html
}

fn check_attributes(element: &str, attributes: &str, context: &str) {
    let mut rest = attributes;
    while let Some((name, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"').expect("a closed attribute");
        rest = after.trim_start();
        let allowed = match (element, name) {
            ("a", "rel") => value == "nofollow noopener noreferrer",
            ("a", "href") => ["http://", "https://", "mailto:"]
                .iter()
                .any(|scheme| value.to_ascii_lowercase().starts_with(scheme)),
            ("td" | "th", "align") => ["left", "center", "right"].contains(&value),
            ("code" | "span", "class") | ("ol", "start") => {
                is_expected_attribute(element, name, value)
            }
            _ => false,
        };
        assert!(allowed, "{element} {name}={value} in {context}");
    }
    assert!(rest.is_empty(), "{rest} in {context}");
}

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
fn links_are_marked_and_named() {
    let rel = "rel=\"nofollow noopener noreferrer\"";
    for (source, href, name) in [
        (
            "https://a.example/x?y=1",
            "https://a.example/x?y=1",
            "https://a.example/x?y=1",
        ),
        ("www.a.example", "http://www.a.example", "www.a.example"),
        ("me@a.example", "mailto:me@a.example", "me@a.example"),
        ("[t](HTTPS://a.example \"title\")", "HTTPS://a.example", "t"),
        (
            "[](https://a.example)",
            "https://a.example",
            "https://a.example",
        ),
        (
            "[\u{200b} ](https://a.example)",
            "https://a.example",
            "\u{200b} https://a.example",
        ),
        (
            "![alt](https://a.example/i.png)",
            "https://a.example/i.png",
            "alt",
        ),
        (
            "![](https://a.example/i.png)",
            "https://a.example/i.png",
            "https://a.example/i.png",
        ),
        (
            "[![alt](https://b.example/i.png)](https://a.example)",
            "https://a.example",
            "alt",
        ),
        (
            "[a](https://a.example/\"<x>)",
            "https://a.example/%22%3Cx%3E",
            "a",
        ),
    ] {
        let expected = format!("<p><a href=\"{href}\" {rel}>{name}</a></p>\n");
        assert_eq!(check(source), expected, "{source:?}");
    }
}

#[test]
fn links_elsewhere_become_text() {
    for (source, html) in [
        ("[t](/rooms/1)", "<p>t</p>\n"),
        ("[t](javascript:alert(1))", "<p>t</p>\n"),
        ("[t]()", "<p>t</p>\n"),
        (
            "![](data:image/png;base64,AA)",
            "<p>data:image/png;base64,AA</p>\n",
        ),
        ("[**t**](//evil.example)", "<p><strong>t</strong></p>\n"),
        ("[t](https://)", "<p>t</p>\n"),
    ] {
        assert_eq!(check(source), html, "{source:?}");
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
fn headings_fit_under_the_page() {
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
fn code_is_highlighted() {
    let html = check("```rust\nfn main() { let x = \"<b>\"; }\n```");
    let expected = "<pre><code class=\"language-rust\"><span class=\"hl-keyword\">fn \
                        </span><span class=\"hl-function\">main</span>() {";
    assert!(html.starts_with(expected), "{html}");
    assert!(
        html.contains("<span class=\"hl-string\">\"&lt;b&gt;\"</span>"),
        "{html}"
    );
    assert!(check("> ~~~PY,ignore\n> x = 1\n> ~~~").contains("language-py"));
    assert!(check("- ```c\n  int x;\n  ```").contains("\"hl-keyword\">int"));
}

#[test]
fn long_code_stays_plain() {
    let many = format!("```rust\n{}```", "let x = 1;\n".repeat(2000));
    let wide = format!("```js\n{}\n```", "x".repeat(MAX_HIGHLIGHT_LINE_BYTES + 1));
    for source in [many, wide] {
        let html = check(&source);
        assert!(!html.contains("<span") && html.contains("<code class=\"language-"));
    }
}

#[test]
fn flickering_code_stays_plain() {
    for unit in ["+ a ", "\"\"", "1+", "'a'b"] {
        let line = unit.repeat(200) + "\n";
        let source = format!("```rust\n{}```", line.repeat(5));
        assert!(check(&source).len() < MIN_HIGHLIGHT_ALLOWED + source.len() * 16);
    }
}

#[test]
fn every_class_is_of_a_scope() {
    for (scope, class) in CLASSES {
        assert!(Scope::new(scope).is_ok(), "{scope}");
        assert!(class.starts_with("hl-"), "{class}");
    }
}

#[test]
fn every_language_is_known() {
    for (index, (name, token)) in LANGUAGES.iter().enumerate() {
        assert!(
            syntaxes().find_syntax_by_token(token).is_some(),
            "{name} {token}"
        );
        assert!(
            LANGUAGES[..index].iter().all(|(other, _)| other != name),
            "{name} twice"
        );
        let html = check(&format!("```{name}\nif (x) {{ \"y\" }} # <z> 1\n```"));
        assert!(
            html.contains(&format!("class=\"language-{name}\"")),
            "{html}"
        );
    }
}

#[test]
fn highlighting_is_foreseen() {
    for source in [
        "```rust\nx",
        "hi\n\n~~~~ Py\nx\n~~~~",
        "> ```js\n> x",
        "1. ```c\n   x",
    ] {
        assert!(needs_highlighting(source), "{source:?}");
    }
    for source in [
        "",
        "rust",
        "```\nx\n```",
        "``rust``",
        "```text\nx",
        "```nope\nx",
    ] {
        assert!(!needs_highlighting(source), "{source:?}");
    }
}

#[test]
fn emoji_alone_are_told_apart() {
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

#[test]
fn hostile_markup_is_dead() {
    let payloads = [
        "<script>alert(1)</script>",
        "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
        "<scr<script>ipt>alert(1)</scr</script>ipt>",
        "<img src=x onerror=alert(1)>",
        "<img/src=x/onerror=alert(1)>",
        "<svg onload=alert(1)>",
        "<svg><script>alert(1)</script></svg>",
        "<svg><animate attributeName=href values=javascript:alert(1)>",
        "<math><mi xlink:href=\"javascript:alert(1)\">x</mi></math>",
        "<style>@import 'https://evil.example';</style>",
        "<style><img src=\"</style><img src=x onerror=alert(1)>\">",
        "<p style=\"background:url(javascript:alert(1))\">x</p>",
        "<iframe src=javascript:alert(1)></iframe>",
        "<iframe srcdoc='<script>alert(1)</script>'>",
        "<object data=javascript:alert(1)><embed src=x>",
        "<form action=//evil.example><input name=attributes><button>x",
        "<a href=javascript:alert(1)>x</a>",
        "<base href=//evil.example>",
        "<meta http-equiv=refresh content=0;url=//evil.example>",
        "<link rel=stylesheet href=//evil.example>",
        "<template><script>alert(1)</script></template>",
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
        "<textarea><img src=x onerror=alert(1)></textarea>",
        "<xmp><p title='</xmp><script>alert(1)</script>'>",
        "<plaintext><script>alert(1)",
        "<details open ontoggle=alert(1)>",
        "<div id=main name=cookie class=\"app hl-x\">x</div>",
        "<!--><script>alert(1)</script>-->",
        "<!-- --!><script>alert(1)</script>",
        "<![CDATA[<script>alert(1)</script>]]>",
        "<?php echo '<script>' ?>",
        "</p></div></body><script>alert(1)</script>",
        "<hx-partial hx-target=\"body\" hx-swap=\"innerHTML\"><b>x</b></hx-partial>",
        "<HX-PARTIAL>x</HX-PARTIAL>",
        "<div hx-get=/logout hx-trigger=load>x</div>",
        "<div data-hx-on:load='alert(1)' hx-on::load='alert(1)'>x</div>",
        "&lt;hx-partial&gt;&#60;hx-partial&#62;&#x3c;hx-partial>",
        "\\<hx-partial\\>",
        "`<hx-partial>`",
        "```html\n<hx-partial hx-get=/x>\n<script>alert(1)</script>\n```",
        "[<hx-partial>](https://a.example/<hx-partial>)",
        "[a](<https://a.example/?<hx-partial>> \"<hx-partial>\")",
        "![<hx-partial>](https://a.example \"<hx-partial>\")",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](java&#x09;script:alert(1))",
        "[x](java&NewLine;script:alert(1))",
        "[x](<java\tscript:alert(1)>)",
        "[x](\u{1}javascript:alert(1))",
        "[x](javascript&colon;alert(1))",
        "[x](javascript\\:alert(1))",
        "[x]( javascript:alert(1) )",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](vbscript:msgbox(1))",
        "[x](file:///etc/passwd)",
        "[x](blob:https://a.example/1)",
        "[x](view-source:https://a.example)",
        "<javascript:alert(1)>",
        "<data:text/html,x>",
        "[x][1]\n\n[1]: javascript:alert(1) \"<script>\"",
        "![x](javascript:alert(1))",
        "![x](https://a.example/\"onerror=\"alert(1))",
        "![\"onerror=alert(1)](https://a.example)",
        "[x](https://a.example \"x\\\" onmouseover=\\\"alert(1)\")",
        "https://a.example/\"onmouseover=\"alert(1)",
        "https://a.example/'onmouseover='alert(1)",
        "www.a.example/\"><script>alert(1)</script>",
        "a@b.example\"onclick=alert(1)",
        "<https://a.example/\"onclick=\"alert(1)>",
        "```\"><script>alert(1)</script>\nx\n```",
        "```rust\" onclick=\"alert(1)\nx\n```",
        "```rust onclick=alert(1)\nx\n```",
        "~~~ <script>alert(1)</script>\nx\n~~~",
        "| <script>alert(1)</script> | a |\n|--|--|\n| <img src=x onerror=alert(1)> | [x](javascript:1) |",
        "| a |\n|:\"onclick=alert(1):|\n| b |",
        "# <script>alert(1)</script> {#id onclick=alert(1)}",
        "> <script>\n> alert(1)\n> </script>",
        "- [x] <script>alert(1)</script>",
        "\u{ff1c}script\u{ff1e}alert(1)\u{ff1c}/script\u{ff1e}",
        "<scr\u{0}ipt>alert(1)</scr\u{0}ipt>",
        "\u{202e}<tpircs>\u{202c}",
        "<\u{feff}script>alert(1)</script>",
        "[x](https://a.example\u{2028}onclick=alert(1))",
        ":\"><script>alert(1)</script>:",
        "[[a](https://a.example)](javascript:alert(1))",
        "[a![b](javascript:1)c](https://a.example)",
        "<a href=\"https://a.example\" ping=x target=_blank id=x>y</a>",
    ];
    assert!(payloads.len() >= 30);
    for payload in payloads {
        check(payload);
        check(&format!("**text** {payload} `x`"));
        check(&format!("> - {payload}\n\n| {payload} |\n|---|\n"));
        check(&format!("```html\n{payload}\n```"));
    }
}

#[test]
fn hostile_shapes_are_fast() {
    let fill = |unit: &str| -> String { unit.chars().cycle().take(MESSAGE_CHARS).collect() };
    let half = |open: &str, close: &str| {
        let units = MESSAGE_CHARS / (open.len() + close.len());
        format!("{}x{}", open.repeat(units), close.repeat(units))
    };
    let mut shapes: Vec<String> = [
        ">",
        "> ",
        "*",
        "**a",
        "*a_",
        "_",
        "~",
        "~~a",
        "`",
        "`a``",
        "[",
        "![",
        "[a](",
        "[a]:",
        "](",
        "<",
        "<a ",
        "<!--",
        "<?",
        "<![CDATA[",
        "&",
        "&#",
        "&amp;",
        "\\",
        "\\`",
        ":",
        ":a",
        "- ",
        "1. ",
        "+ - * ",
        "#",
        "# a\n",
        "|",
        "|a",
        "| a |\n|-|\n",
        "a\n-\n",
        "http://",
        "www.",
        "www.a",
        "a@b.",
        "a@",
        "@a.b",
        "<http://",
        "\n",
        "a\n",
        "\t",
        "\u{301}",
        "\u{202e}",
        "👨‍👩‍👧",
        ":wave:",
        "\"",
        "'",
        "(",
        "[^a]",
        "[^a]: b\n",
        "- [x] a\n",
        "    a\n",
        "```\n",
        "```rust\nx\n```\n",
        "<div>\n",
        "\u{0}",
        "\r",
        "*a **b ",
        "a**b",
        "_a__b*",
        "![a](b) ",
    ]
    .into_iter()
    .map(fill)
    .collect();
    shapes.extend([
        half("[", "](https://a.example)"),
        half("![", "](https://a.example)"),
        half("**", "**"),
        half("*", "*"),
        half("~~", "~~"),
        half("(", ")"),
        half("<b>", "</b>"),
        (1..60)
            .map(|depth| format!("{}- a\n", "  ".repeat(depth)))
            .collect(),
        (1..89).map(|count| "`".repeat(count) + " ").collect(),
        format!(
            "|{}\n|{}\n{}",
            "a|".repeat(300),
            "-|".repeat(300),
            "a|\n".repeat(900)
        ),
        format!("[a]: https://a.example\n\n{}", "[a]".repeat(1300)),
    ]);
    for token in [
        "rust", "js", "html", "php", "md", "c++", "yaml", "tex", "sh", "haskell",
    ] {
        for unit in [
            "(", "/*", "\"", "<a ", "a ", "{\n", "\\", "<<EOF\n", "$(", "`", "[", "*_",
        ] {
            let code = fill(unit);
            let wrapped: Vec<String> = code
                .chars()
                .collect::<Vec<_>>()
                .chunks(MAX_HIGHLIGHT_LINE_BYTES)
                .map(|chunk| chunk.iter().collect())
                .collect();
            shapes.push(format!("```{token}\n{}\n```", wrapped.join("\n")));
        }
    }
    for shape in shapes {
        let started = Instant::now();
        check(&shape);
        to_plain(&shape, 100);
        is_emoji_only(&shape);
        needs_highlighting(&shape);
        let took = started.elapsed();
        if std::env::var_os("SHOW").is_some() {
            println!("{took:?} {:?}", shape.chars().take(30).collect::<String>());
        }
        assert!(
            took < PATIENCE,
            "{took:?} for {:?}",
            &shape.chars().take(40).collect::<String>()
        );
    }
}

#[test]
fn a_table_cannot_spread() {
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
fn deep_or_long_text_is_set_plainly() {
    let deep = format!("{} x", ">".repeat(200));
    assert!(check(&deep).starts_with("<p>&gt;&gt;"));
    let long = format!("**a**\n{}", "b ".repeat(MAX_SOURCE_BYTES));
    assert!(check(&long).starts_with("<p>**a**<br>\nb b"));
}

/// Text that is likely to be markup.
fn markup() -> impl Strategy<Value = String> {
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
    fn any_preview_is_short(source in markup(), max in 0_usize..50) {
        let plain = to_plain(&source, max);
        prop_assert!(plain.graphemes(true).count() <= max);
        prop_assert!(!plain.contains(['\n', '\r']));
        is_emoji_only(&source);
    }
}
