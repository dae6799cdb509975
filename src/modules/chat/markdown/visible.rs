//! Whether a tree shows anything.

use comrak::nodes::{Node, NodeValue};

use crate::base::text::is_visible;

/// Whether anything of the tree can be seen but lines: a definition of a link, an empty fence, or
/// `#` alone leave nothing, and a rule, a quote or a table without text says nothing.
pub(super) fn shows_something(root: Node<'_>) -> bool {
    let is_seen = |text: &str| text.chars().any(is_visible);
    root.descendants().any(|node| match &node.data().value {
        NodeValue::CodeBlock(block) => is_seen(&block.literal),
        NodeValue::HtmlBlock(block) => is_seen(&block.literal),
        // Shown as the link's text where it has none.
        NodeValue::Link(link) | NodeValue::Image(link) => is_seen(&link.url),
        NodeValue::TaskItem(_) => true,
        _ => false,
    }) || has_visible_text(root)
}

/// Whether any text under the node can be seen.
pub(super) fn has_visible_text(node: Node<'_>) -> bool {
    node.descendants().any(|child| match &child.data().value {
        NodeValue::Text(content) => content.chars().any(is_visible),
        NodeValue::Code(code) => code.literal.chars().any(is_visible),
        NodeValue::HtmlInline(_) => true,
        _ => false,
    })
}
