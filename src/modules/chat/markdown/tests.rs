//! What the rendering of every text has to satisfy, and the tests by what is written.

mod blocks;
mod code;
mod documented;
mod emoji;
mod hostile;
mod lines;
mod links;
mod plain;
mod random;
mod visible;

use super::sanitize::{TAGS, is_expected_attribute, sanitizer};
use super::to_html_with_code as to_html;

/// Characters a message may have: hostile texts are that long.
const MESSAGE_CHARS: usize = 4000;

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
            ("span", "tabindex") => value == "0",
            ("td" | "th", "align") => ["left", "center", "right"].contains(&value),
            ("code" | "span", "class") | ("ol", "start") | ("li", "value") => {
                is_expected_attribute(element, name, value)
            }
            _ => false,
        };
        assert!(allowed, "{element} {name}={value} in {context}");
    }
    assert!(rest.is_empty(), "{rest} in {context}");
}
