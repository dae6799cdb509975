//! The web addresses of a message that may be previewed.

use comrak::Arena;
use comrak::arena_tree::NodeEdge;
use comrak::nodes::{Node, NodeValue};

use super::parse_bounded;
use super::rewrite::is_short_www;
use super::sanitize::is_allowed_url;

/// The addresses of web pages and pictures in a text, in order, as they were written. Those in
/// spoilers and in code are left out, and those between `<` and `>`, by which an author says that
/// there is to be no preview.
pub fn links_to_preview(source: &str) -> Vec<String> {
    let arena = Arena::new();
    let root = parse_bounded(&arena, source);
    let mut links = Vec::new();
    let mut spoiler: Option<Node<'_>> = None;
    for edge in root.traverse() {
        let node = match edge {
            NodeEdge::Start(node) => node,
            NodeEdge::End(node) => {
                spoiler = spoiler.filter(|open| !open.same_node(node));
                continue;
            }
        };
        if spoiler.is_some() {
            continue;
        }
        match &node.data().value {
            NodeValue::SpoileredText => spoiler = Some(node),
            NodeValue::Link(link) | NodeValue::Image(link) => {
                let url = &link.url;
                let is_web = url.starts_with("http://") || url.starts_with("https://");
                if is_web
                    && is_allowed_url(url)
                    && !is_short_www(node, link)
                    && !source.contains(&format!("<{url}>"))
                {
                    links.push(url.clone());
                }
            }
            _ => {}
        }
    }
    links
}
