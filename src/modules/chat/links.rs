//! Links to other sites open in a tab of their own, in messages and in the topics of rooms.

use std::borrow::Cow;

use super::markdown::is_allowed_url;
use crate::engine::web::Hosts;

const LINK: &str = "<a href=\"";
/// What a link to another site has besides its address. A message's link has its `rel` already.
const TARGET: &str = " target=\"_blank\"";
const REL: &str = " rel=\"nofollow noopener noreferrer\"";
/// Characters that end a sentence rather than the address before them.
const CLOSING: &[char] = &[
    '.', ',', ';', ':', '!', '?', '\'', '"', '»', '”', '。', '、', '，',
];

/// Sanitized HTML, whose links to other sites open in a new tab.
pub(super) fn open_outside_in_tabs<'a>(html: &'a str, hosts: &Hosts) -> Cow<'a, str> {
    if !html.contains(LINK) {
        return html.into();
    }
    let mut out = String::with_capacity(html.len() + TARGET.len());
    let mut rest = html;
    while let Some((before, link)) = rest.split_once(LINK) {
        let (url, after) = link.split_once('"').unwrap_or((link, ""));
        let target = if is_outside(url, hosts) { TARGET } else { "" };
        for part in [before, LINK, url, "\"", target] {
            out.push_str(part);
        }
        rest = after;
    }
    out.push_str(rest);
    out.into()
}

/// Whether a URL, as it stands in HTML, leads to another site. A mail address does not.
fn is_outside(url: &str, hosts: &Hosts) -> bool {
    (url.starts_with("http:") || url.starts_with("https:"))
        && !hosts.is_own_url(&url.replace("&amp;", "&"))
}

/// A line of plain text as HTML, with its web addresses as links.
pub(super) fn linked(text: &str, hosts: &Hosts) -> String {
    let mut out = String::with_capacity(text.len());
    let words = text.split_inclusive(char::is_whitespace);
    for word in words {
        let start = ["https://", "http://"]
            .iter()
            .find_map(|scheme| word.find(scheme));
        let (before, url) = word.split_at(start.unwrap_or(word.len()));
        let end = address_end(url);
        let (url, after) = url.split_at(end);
        out.push_str(&escape(before));
        if url.is_empty() || !is_allowed_url(url) {
            out.push_str(&escape(url));
        } else {
            let target = if is_outside(url, hosts) { TARGET } else { "" };
            let url = escape(url);
            out.push_str(&format!("{LINK}{url}\"{target}{REL}>{url}</a>"));
        }
        out.push_str(&escape(after));
    }
    out
}

/// Where an address ends: before white space, a quotation, and the signs that close a sentence or
/// brackets that were opened before it.
fn address_end(word: &str) -> usize {
    let word = word
        .split(|c: char| c.is_whitespace() || c == '<' || c == '>')
        .next();
    let mut url = word.unwrap_or_default();
    loop {
        let shorter = url.trim_end_matches(CLOSING);
        let shorter = match shorter.strip_suffix([')', ']', '}']) {
            Some(inner) if !inner.contains(['(', '[', '{']) => inner,
            _ => shorter,
        };
        if shorter.len() == url.len() {
            return url.len();
        }
        url = shorter;
    }
}

/// Text as HTML, also within an attribute.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::base::settings::{Profile, Settings};

    fn hosts() -> Hosts {
        let settings = Settings::of(Profile::Production, Path::new("."));
        let hosts = Hosts::new(&settings);
        hosts.restrict_to("chat.example.org");
        hosts
    }

    #[test]
    fn only_links_to_other_sites_open_in_tabs() {
        let hosts = hosts();
        for (url, is_own) in [
            ("https://chat.example.org/rooms/5?a=1&amp;b=2", true),
            ("https://CHAT.example.org", true),
            ("https://chat.example.org:8443/", false),
            ("https://chat.example.org.evil.example/", false),
            ("https://chat.example.org@evil.example/", false),
            ("https://example.com/", false),
            ("http://192.168.1.1/", false),
            ("mailto:ann@example.com", true),
        ] {
            let html = format!("<p><a href=\"{url}\" rel=\"nofollow\">x</a></p>");
            let marked = open_outside_in_tabs(&html, &hosts);
            assert_eq!(marked.contains(TARGET), !is_own, "{url}");
            assert_eq!(marked.replace(TARGET, ""), html);
        }
    }

    #[test]
    fn addresses_in_plain_text_become_links() {
        let hosts = hosts();
        for (text, url) in [
            ("see https://example.com/a.", "https://example.com/a"),
            ("(http://example.com/b)", "http://example.com/b"),
            (
                "https://example.com/c_(d), and",
                "https://example.com/c_(d)",
            ),
            (
                "文書：https://example.com/文書。",
                "https://example.com/文書",
            ),
        ] {
            let link = format!("<a href=\"{url}\"{TARGET}{REL}>{url}</a>");
            assert_eq!(linked(text, &hosts), text.replace(url, &link), "{text}");
        }
        for text in ["no address", "https://", "http:/x", "javascript:alert(1)"] {
            assert_eq!(linked(text, &hosts), text);
        }
        let hostile = "<b>\" https://example.com/\"onclick=alert(1)<x>";
        let html = linked(hostile, &hosts);
        assert!(
            !html.contains("<b>") && !html.contains("\"onclick"),
            "{html}"
        );
    }
}
