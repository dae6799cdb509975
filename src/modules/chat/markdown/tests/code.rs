//! Code blocks and their highlighting.

use std::time::Duration;

use syntect::parsing::Scope;

use super::check;
use crate::modules::chat::markdown::highlight::{
    CLASSES, LANGUAGES, MAX_HIGHLIGHT_LINE_BYTES, MIN_HIGHLIGHT_ALLOWED, syntaxes, thread_time,
};
use crate::modules::chat::markdown::needs_highlighting;

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

/// The grammar of makefiles tries a million steps for each of these lines.
#[test]
fn code_that_takes_long_stays_plain() {
    let line = format!("{}\n", "a\u{301}\u{301}\u{301}\u{301}".repeat(50));
    let source = format!("```make\n{}```\n", line.repeat(30)).repeat(3);
    let before = thread_time();
    let html = check(&source);
    let took = thread_time() - before;
    assert!(html.contains("<code class=\"language-make\">a"), "{html}");
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn code_of_tiny_spans_stays_plain() {
    for unit in ["+ a ", "\"\"", "1+", "'a'b"] {
        let line = unit.repeat(200) + "\n";
        let source = format!("```rust\n{}```", line.repeat(5));
        assert!(check(&source).len() < MIN_HIGHLIGHT_ALLOWED + source.len() * 16);
    }
}

#[test]
fn highlight_classes_have_valid_scopes() {
    for (scope, class) in CLASSES {
        assert!(Scope::new(scope).is_ok(), "{scope}");
        assert!(class.starts_with("hl-"), "{class}");
    }
}

#[test]
fn highlight_languages_have_syntaxes() {
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
fn highlighted_blocks_are_detected_before_rendering() {
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
