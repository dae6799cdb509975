//! Texts written to inject markup or to render slowly.

use std::time::{Duration, Instant};

use super::{MESSAGE_CHARS, check};
use crate::modules::chat::markdown::highlight::MAX_HIGHLIGHT_LINE_BYTES;
use crate::modules::chat::markdown::{is_emoji_only, needs_highlighting, to_plain};

/// How long a message may take to render in a debug build on a busy machine. The work is bounded
/// by a few milliseconds; quadratic work in the length would exceed this by far.
const MAX_RENDER_TIME: Duration = Duration::from_secs(5);

#[test]
fn hostile_markup_leaves_allowed_tags_only() {
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
        "| <script>alert(1)</script> | a |\n|--|--|\n\
         | <img src=x onerror=alert(1)> | [x](javascript:1) |",
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
fn hostile_shapes_render_in_time() {
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
            took < MAX_RENDER_TIME,
            "{took:?} for {:?}",
            &shape.chars().take(40).collect::<String>()
        );
    }
}
