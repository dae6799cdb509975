//! The second step: changes to the parsed tree before it is written as HTML.

use std::borrow::Cow;

use comrak::Arena;
use comrak::arena_tree::NodeEdge;
use comrak::nodes::{AstNode, Node, NodeCodeBlock, NodeHeading, NodeLink, NodeValue};

use super::highlight::{Budget, highlight_block};
use super::sanitize::is_allowed_url;
use super::visible::has_visible_text;

/// Makes a node in the arena.
pub(super) fn alloc<'a>(arena: &'a Arena<'a>, value: NodeValue) -> Node<'a> {
    arena.alloc(AstNode::from(value))
}

/// A text node.
pub(super) fn text<'a>(arena: &'a Arena<'a>, content: impl Into<Cow<'static, str>>) -> Node<'a> {
    alloc(arena, NodeValue::Text(content.into()))
}

/// A paragraph that shows the source as it was typed, line by line.
pub(super) fn lines_of<'a>(arena: &'a Arena<'a>, source: &str) -> Node<'a> {
    let paragraph = alloc(arena, NodeValue::Paragraph);
    append_lines(arena, paragraph, source);
    paragraph
}

/// Adds the lines of the source to a paragraph, as text with line breaks between.
pub(super) fn append_lines<'a>(arena: &'a Arena<'a>, paragraph: Node<'a>, source: &str) {
    for (index, line) in source.trim_end().lines().enumerate() {
        if index > 0 {
            paragraph.append(alloc(arena, NodeValue::LineBreak));
        }
        paragraph.append(text(arena, line.to_owned()));
    }
}

/// A change of a node. Changes are collected while the tree is traversed and applied afterwards, so
/// that the traversal never is at a node that has been moved.
pub(super) enum Change {
    /// Show raw HTML as the text it was typed as.
    ShowSource(String),
    /// Turn an image into a link, or give a link a text that can be read.
    MakeLink(Box<NodeLink>),
    /// Replace the link by its text.
    Unwrap(Box<NodeLink>),
    /// Set a heading's level.
    Level(u8),
    /// Write the box of a task as a character, which every screen reader announces.
    Task { done: bool },
    /// Separate an escaped colon from the name beside it in the HTML, too, where the emoji of
    /// spaces are resolved.
    IsolateColon,
    /// Highlight a code block, or drop what followed its fence.
    Code(Box<NodeCodeBlock>),
}

/// Rewrites the tree into one whose plain HTML is what a message may show.
pub(super) fn rewrite<'a>(arena: &'a Arena<'a>, root: Node<'a>, budget: &mut Budget) {
    for (node, change) in changes(root) {
        match change {
            Change::ShowSource(source) => show_source(arena, node, &source),
            Change::MakeLink(link) => make_link(arena, node, *link),
            Change::Unwrap(link) => unwrap_link(arena, node, &link),
            Change::Level(level) => set_level(node, level),
            Change::Task { done } => write_task(arena, node, done),
            Change::IsolateColon => isolate_colon(node),
            Change::Code(block) => highlight_block(node, &block, budget),
        }
    }
}

/// Reads the tree once and lists what has to change, in document order.
pub(super) fn changes<'a>(root: Node<'a>) -> Vec<(Node<'a>, Change)> {
    let mut list = Vec::new();
    let mut outline = Vec::new();
    let mut open_link: Option<Node<'a>> = None;
    for edge in root.traverse() {
        let node = match edge {
            NodeEdge::Start(node) => node,
            NodeEdge::End(node) => {
                if open_link.is_some_and(|link| link.same_node(node)) {
                    open_link = None;
                }
                continue;
            }
        };
        let change = match &node.data().value {
            NodeValue::HtmlBlock(block) => Change::ShowSource(block.literal.clone()),
            NodeValue::HtmlInline(source) => Change::ShowSource(source.clone()),
            NodeValue::Link(link) | NodeValue::Image(link) => {
                // A link inside a link is not HTML: the outer one wins.
                if open_link.is_none() && is_allowed_url(&link.url) && !is_short_www(node, link) {
                    open_link = Some(node);
                    Change::MakeLink(link.clone())
                } else {
                    Change::Unwrap(link.clone())
                }
            }
            NodeValue::Heading(heading) => Change::Level(fit_level(&mut outline, heading.level)),
            NodeValue::TaskItem(task) => Change::Task {
                done: task.symbol.is_some(),
            },
            NodeValue::Escaped if is_colon(node) => Change::IsolateColon,
            NodeValue::CodeBlock(block) => Change::Code(block.clone()),
            _ => continue,
        };
        list.push((node, change));
    }
    list
}

/// Whether this is a bare `www.` without two parts after it, which comrak makes a link of.
pub(super) fn is_short_www(node: Node<'_>, link: &NodeLink) -> bool {
    let Some(address) = link.url.strip_prefix("http://") else {
        return false;
    };
    let is_bare = node.first_child().is_some_and(
        |child| matches!(&child.data().value, NodeValue::Text(text) if text == address),
    );
    let host = address
        .split(['/', '?', '#', ':'])
        .next()
        .unwrap_or_default();
    is_bare && host.starts_with("www") && host.matches('.').count() < 2
}

/// The level (3 to 6) at which a heading is shown: one below the heading it belongs to, starting
/// under the page's own first two levels, so that no level is ever skipped.
pub(super) fn fit_level(outline: &mut Vec<u8>, level: u8) -> u8 {
    while outline.last().is_some_and(|open| *open >= level) {
        outline.pop();
    }
    outline.push(level);
    // At most six levels are ever open, so the sum fits.
    u8::try_from(outline.len() + 2).unwrap_or(6).min(6)
}

/// Replaces raw HTML with the text it was typed as.
pub(super) fn show_source<'a>(arena: &'a Arena<'a>, node: Node<'a>, source: &str) {
    let is_block = matches!(node.data().value, NodeValue::HtmlBlock(_));
    if is_block {
        node.data_mut().value = NodeValue::Paragraph;
        append_lines(arena, node, source);
    } else {
        node.data_mut().value = NodeValue::Text(source.to_owned().into());
    }
}

/// Makes the node a link that always has a text to read and never a title.
pub(super) fn make_link<'a>(arena: &'a Arena<'a>, node: Node<'a>, mut link: NodeLink) {
    if !has_visible_text(node) {
        node.append(text(arena, link.url.clone()));
    }
    link.title.clear();
    node.data_mut().value = NodeValue::Link(Box::new(link));
}

/// Replaces a link by its text, or by its URL if it has no text.
pub(super) fn unwrap_link<'a>(arena: &'a Arena<'a>, node: Node<'a>, link: &NodeLink) {
    if !has_visible_text(node) && !link.url.is_empty() {
        node.append(text(arena, link.url.clone()));
    }
    while let Some(child) = node.first_child() {
        node.insert_before(child);
    }
    node.detach();
}

/// Sets a heading's level.
pub(super) fn set_level(node: Node<'_>, level: u8) {
    node.data_mut().value = NodeValue::Heading(NodeHeading {
        level,
        ..NodeHeading::default()
    });
}

/// Turns a task into an ordinary list item that begins with its box.
pub(super) fn write_task<'a>(arena: &'a Arena<'a>, node: Node<'a>, done: bool) {
    let list = node.parent().and_then(|parent| match parent.data().value {
        NodeValue::List(list) => Some(list),
        _ => None,
    });
    let Some(mut list) = list else { return };
    // comrak does not keep the number of a task.
    if let Some(before) = node.previous_sibling()
        && let NodeValue::Item(before) = before.data().value
    {
        list.start = before.start + 1;
    }
    node.data_mut().value = NodeValue::Item(list);
    let mark = text(arena, if done { "☑ " } else { "☐ " });
    let first = node.first_child();
    match first.filter(|child| matches!(child.data().value, NodeValue::Paragraph)) {
        Some(paragraph) => paragraph.prepend(mark),
        None => {
            let paragraph = alloc(arena, NodeValue::Paragraph);
            paragraph.append(mark);
            node.prepend(paragraph);
        }
    }
}

fn is_colon(escaped: Node<'_>) -> bool {
    escaped
        .first_child()
        .is_some_and(|child| matches!(&child.data().value, NodeValue::Text(text) if text == ":"))
}

fn isolate_colon(escaped: Node<'_>) {
    while let Some(child) = escaped.first_child() {
        child.detach();
    }
    escaped.data_mut().value = NodeValue::Raw("<span>:</span>".to_owned());
}
