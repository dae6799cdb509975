//! Links that a rule finds, by their domains.

use std::ops::Range;

use url::{Host, Url};

use super::model::LinkPolicy;
use crate::engine::web::Hosts;

/// How a link begins where it stands in a text as it is.
const STARTS: [&str; 3] = ["https://", "http://", "www."];

/// A domain as links to it are resolved: lower case, in ASCII. `None` for what is no domain.
pub(super) fn normalize_domain(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches("*.").trim_end_matches('.');
    let text = text.split_once("://").map_or(text, |(_, rest)| rest);
    let text = text.split(['/', '?', '#']).next().unwrap_or_default();
    match Host::parse(text) {
        Ok(Host::Domain(domain)) if domain.contains('.') => Some(domain),
        Ok(Host::Domain(_)) | Err(_) => None,
        Ok(address) => Some(address.to_string()),
    }
}

/// The links to other servers that a text has, as their addresses.
pub(super) fn outside(links: Vec<String>, hosts: &Hosts) -> Vec<Url> {
    let links = links.into_iter().filter_map(|link| {
        let link = match link.starts_with("//") {
            true => format!("https:{link}"),
            false => link,
        };
        let url = Url::parse(&link).ok()?;
        (url.has_host() && !hosts.is_own_url(&link)).then_some(url)
    });
    links.collect()
}

/// Whether a rule finds a link. A listed domain stands for those below it, too.
pub(super) fn is_found(policy: LinkPolicy, domains: &[String], url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    let is_listed = domains.iter().any(|domain| {
        let below = host.strip_suffix(domain.as_str());
        below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    });
    match policy {
        LinkPolicy::All => true,
        LinkPolicy::AllBut => !is_listed,
        LinkPolicy::Only => is_listed,
    }
}

/// The parts of a text that are addresses and that a rule finds. Links may be written in other
/// ways, too.
pub(super) fn written_links(
    policy: LinkPolicy,
    domains: &[String],
    hosts: &Hosts,
    text: &str,
) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    // Of ASCII letters alone: every byte stays where it is.
    let lower = text.to_ascii_lowercase();
    let mut at = 0;
    while let Some(rest) = lower.get(at..) {
        let starts = STARTS.iter().filter_map(|start| rest.find(start));
        let Some(start) = starts.min().map(|start| at + start) else {
            break;
        };
        let is_end = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | ')' | ']' | '"');
        let length = text[start..].find(is_end).unwrap_or(text.len() - start);
        let end = start + length;
        let address = match lower[start..].starts_with("www.") {
            true => format!("http://{}", &text[start..end]),
            false => text[start..end].to_owned(),
        };
        let urls = outside(vec![address], hosts);
        if urls.iter().any(|url| is_found(policy, domains, url)) {
            found.push(start..end);
        }
        at = end.max(start + 1);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domain_stands_for_those_below_it() {
        let url = |text: &str| Url::parse(text).unwrap();
        let domains = [normalize_domain(" *.Example.org/ ").unwrap()];
        assert_eq!(domains, ["example.org"]);
        for (address, is_listed) in [
            ("https://example.org/x", true),
            ("http://a.b.example.org:81/", true),
            ("https://example.org.", true),
            ("https://u:p@EXAMPLE.org", true),
            ("https://badexample.org", false),
            ("https://example.org.evil.net", false),
        ] {
            let found = is_found(LinkPolicy::Only, &domains, &url(address));
            assert_eq!(found, is_listed, "{address}");
            let found = is_found(LinkPolicy::AllBut, &domains, &url(address));
            assert_eq!(found, !is_listed, "{address}");
        }
        assert_eq!(
            normalize_domain("bücher.example").unwrap(),
            "xn--bcher-kva.example"
        );
        assert_eq!(
            normalize_domain("https://a.example/x?y").unwrap(),
            "a.example"
        );
        for text in ["", "example", "a b.c", "*."] {
            assert_eq!(normalize_domain(text), None, "{text}");
        }
    }
}
