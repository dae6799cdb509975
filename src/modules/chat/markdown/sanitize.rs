//! The last step: the tags, attributes and URLs that are allowed in the HTML.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use ammonia::{Builder, Url, UrlRelative};

use super::highlight::{CLASSES, LANGUAGE_PREFIX, language_of};

/// Every tag that may appear in a message.
pub(super) const TAGS: [&str; 25] = [
    "a",
    "blockquote",
    "br",
    "code",
    "del",
    "div",
    "em",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "span",
    "strong",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
];

/// The URL schemes of links. Relative links are not allowed: a message must not lead its readers to
/// pages of this server under a misleading text.
pub(super) const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

/// The sanitiser, which is independent of the earlier steps.
pub(super) fn sanitizer() -> &'static Builder<'static> {
    static SANITIZER: OnceLock<Builder<'static>> = OnceLock::new();
    SANITIZER.get_or_init(|| {
        let mut builder = Builder::empty();
        let sides: HashSet<&str> = ["left", "center", "right"].into();
        builder
            .tags(TAGS.into())
            .generic_attributes(HashSet::new())
            .tag_attributes(HashMap::from([
                ("a", ["href"].into()),
                ("code", ["class"].into()),
                ("li", ["value"].into()),
                ("ol", ["start"].into()),
                ("span", ["class", "tabindex"].into()),
            ]))
            .tag_attribute_values(HashMap::from([
                ("td", HashMap::from([("align", sides.clone())])),
                ("th", HashMap::from([("align", sides)])),
            ]))
            .url_schemes(SCHEMES.into())
            .url_relative(UrlRelative::Deny)
            .link_rel(Some("nofollow noopener noreferrer"))
            .strip_comments(true)
            .attribute_filter(|element, attribute, value| {
                is_expected_attribute(element, attribute, value).then_some(Cow::Borrowed(value))
            });
        builder
    })
}

/// Whether an attribute that ammonia allows has a value that this module writes. `<` is never
/// allowed: htmx searches for its own tags in the raw text of a response.
pub(super) fn is_expected_attribute(element: &str, attribute: &str, value: &str) -> bool {
    if value.contains('<') {
        return false;
    }
    match (element, attribute) {
        ("code", "class") => value
            .strip_prefix(LANGUAGE_PREFIX)
            .and_then(language_of)
            .is_some(),
        ("span", "class") => value == "spoiler" || CLASSES.iter().any(|(_, class)| *class == value),
        ("span", "tabindex") => value == "0",
        ("a", "href") => is_allowed_url(value),
        ("ol", "start") | ("li", "value") => {
            !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit())
        }
        _ => true,
    }
}

/// Whether a link may have this URL: a mail address, or absolute with a host. The URL is checked as
/// it is written, because browsers read `http:/x`, `http:x` and, on a page by https, `https:\\x` as
/// addresses of this server, and skip tabs and line feeds anywhere.
pub(in crate::modules::chat) fn is_allowed_url(url: &str) -> bool {
    if url.contains(char::is_control) {
        return false;
    }
    let Ok(parsed) = Url::parse(url) else {
        return false;
    };
    match parsed.scheme() {
        "mailto" => true,
        scheme => SCHEMES.contains(&scheme) && url.get(scheme.len()..).is_some_and(has_authority),
    }
}

/// Whether the rest of a URL after its scheme begins with `://` and a host. No backslash may be in
/// it: browsers end the host there, but not when the backslash is encoded.
fn has_authority(rest: &str) -> bool {
    let Some(rest) = rest.strip_prefix("://") else {
        return false;
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    !rest[..end].is_empty() && !rest[..end].contains('\\')
}
