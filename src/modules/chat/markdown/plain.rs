//! Messages as plain text for previews, and messages of emoji alone.

use comrak::arena_tree::NodeEdge;
use comrak::nodes::{ListType, Node, NodeValue};
use comrak::{Arena, parse_document};
use unicode_segmentation::UnicodeSegmentation;

use super::shortcodes::resolve_standard;
use super::visible::has_visible_text;
use super::{options, parse_bounded};

/// The most emoji a message may hold and still be shown enlarged.
pub(super) const MAX_LARGE_EMOJI: usize = 6;

/// Bytes beyond which a message cannot be a handful of emoji: six of the longest shortcodes.
pub(super) const MAX_EMOJI_SOURCE_BYTES: usize = 400;

/// Scalar values a preview keeps per grapheme, so that a grapheme of many combining marks cannot
/// carry a whole message into a title.
pub(super) const MAX_SCALARS_PER_CHAR: usize = 8;

/// Whether the message is nothing but one to six emoji (and white space), counted after
/// shortcodes such as `:wave:` are resolved, so that a view may enlarge it.
pub fn is_emoji_only(source: &str) -> bool {
    if source.len() > MAX_EMOJI_SOURCE_BYTES {
        return false;
    }
    let arena = Arena::new();
    let root = parse_document(&arena, source, options());
    resolve_standard(root);
    let only_text = root.descendants().all(|node| {
        matches!(
            node.data().value,
            NodeValue::Document
                | NodeValue::Paragraph
                | NodeValue::Text(_)
                | NodeValue::SoftBreak
                | NodeValue::LineBreak
        )
    });
    if !only_text {
        return false;
    }
    let text = collect_text(root);
    let mut count = 0;
    for grapheme in text.graphemes(true) {
        if grapheme.chars().all(char::is_whitespace) {
            continue;
        }
        count += 1;
        if count > MAX_LARGE_EMOJI || !is_emoji(grapheme) {
            return false;
        }
    }
    count > 0
}

/// The message as one line of plain text of at most `max_chars` characters as a reader counts
/// them (graphemes), ending in `…` when cut. For previews, titles and labels; it is text, so it
/// still has to be escaped where it is shown.
pub fn to_plain(source: &str, max_chars: usize) -> String {
    let arena = Arena::new();
    let text = collect_text(parse_bounded(&arena, source));
    shorten(single_line(&text), max_chars)
}

/// A text that is no Markdown as one line of at most `max_chars` graphemes, ending in `…` when cut.
pub fn one_line(text: &str, max_chars: usize) -> String {
    shorten(single_line(text), max_chars)
}

/// The message as one line of plain text, whole, with its emoji: what search reads.
pub fn to_text(source: &str) -> String {
    let arena = Arena::new();
    let root = parse_bounded(&arena, source);
    resolve_standard(root);
    single_line(&collect_text(root))
}

/// Bidirectional controls, which would reorder the text around a preview.
pub(super) fn is_direction_mark(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What stands for the text of a spoiler, which nobody is to read without wanting to.
const COVERED: &str = "▒▒▒";

/// All text of the tree but that of spoilers, with white space between blocks and lines.
pub(super) fn collect_text(root: Node<'_>) -> String {
    let mut out = String::new();
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
            NodeValue::SpoileredText => {
                out.push_str(COVERED);
                spoiler = Some(node);
            }
            NodeValue::Text(content) => out.push_str(content),
            NodeValue::Code(code) => out.push_str(&code.literal),
            NodeValue::HtmlInline(source) => out.push_str(source),
            NodeValue::SoftBreak | NodeValue::LineBreak => out.push(' '),
            NodeValue::HtmlBlock(block) => push_apart(&mut out, &block.literal),
            NodeValue::CodeBlock(block) => push_apart(&mut out, &block.literal),
            NodeValue::TaskItem(task) => {
                push_apart(
                    &mut out,
                    if task.symbol.is_some() {
                        "☑ "
                    } else {
                        "☐ "
                    },
                );
            }
            NodeValue::Image(link) | NodeValue::Link(link) if !has_visible_text(node) => {
                out.push_str(&link.url);
            }
            NodeValue::Item(item) if item.list_type == ListType::Ordered => {
                push_apart(&mut out, &format!("{}. ", item.start));
            }
            value if value.block() => out.push(' '),
            _ => {}
        }
    }
    out
}

/// Adds text with a space before it.
pub(super) fn push_apart(out: &mut String, content: &str) {
    out.push(' ');
    out.push_str(content);
}

/// Runs of white space and control characters become one space; direction marks are dropped, as
/// they would reach into the words around a preview.
pub(super) fn single_line(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    for character in source.chars() {
        if is_direction_mark(character) {
            continue;
        }
        if !character.is_whitespace() && !character.is_control() {
            out.push(character);
        } else if !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Cuts a line to at most `max_chars` graphemes, the last of them `…` if anything was cut.
pub(super) fn shorten(mut line: String, max_chars: usize) -> String {
    let max_scalars = max_chars.saturating_mul(MAX_SCALARS_PER_CHAR);
    let mut scalars = 0;
    let mut keep = 0;
    let mut cut = false;
    for (count, (start, grapheme)) in line.grapheme_indices(true).enumerate() {
        scalars += grapheme.chars().count();
        if count >= max_chars || scalars > max_scalars {
            cut = true;
            break;
        }
        // Room for the mark: where the line ends if it turns out to be too long.
        if count + 1 < max_chars {
            keep = start + grapheme.len();
        }
    }
    if !cut {
        return line;
    }
    line.truncate(keep);
    line.truncate(line.trim_end().len());
    if max_chars > 0 {
        line.push('…');
    }
    line
}

/// Whether a grapheme is shown as an emoji: a pictograph, a flag, a keycap, or a sign followed by
/// the variation selector for its coloured form.
pub(super) fn is_emoji(grapheme: &str) -> bool {
    let mut characters = grapheme.chars();
    let Some(first) = characters.next() else {
        return false;
    };
    let rest = characters.as_str();
    match first {
        '0'..='9' | '#' | '*' => rest.ends_with('\u{20e3}'),
        '\u{1f1e6}'..='\u{1f1ff}' => !rest.is_empty(),
        _ if is_pictograph(first) => !rest.contains('\u{fe0e}'),
        '\u{a9}' | '\u{ae}' | '\u{203c}'..='\u{3299}' => rest.starts_with('\u{fe0f}'),
        _ => false,
    }
}

/// Characters that are shown in colour by default.
pub(super) fn is_pictograph(character: char) -> bool {
    matches!(character,
        '\u{231a}'..='\u{231b}' | '\u{23e9}'..='\u{23ec}' | '\u{23f0}' | '\u{23f3}'
        | '\u{25fd}'..='\u{25fe}' | '\u{2614}'..='\u{2615}' | '\u{2648}'..='\u{2653}'
        | '\u{267f}' | '\u{2693}' | '\u{26a1}' | '\u{26aa}'..='\u{26ab}'
        | '\u{26bd}'..='\u{26be}' | '\u{26c4}'..='\u{26c5}' | '\u{26ce}' | '\u{26d4}'
        | '\u{26ea}' | '\u{26f2}'..='\u{26f3}' | '\u{26f5}' | '\u{26fa}' | '\u{26fd}'
        | '\u{2705}' | '\u{270a}'..='\u{270b}' | '\u{2728}' | '\u{274c}' | '\u{274e}'
        | '\u{2753}'..='\u{2755}' | '\u{2757}' | '\u{2795}'..='\u{2797}' | '\u{27b0}'
        | '\u{27bf}' | '\u{2b1b}'..='\u{2b1c}' | '\u{2b50}' | '\u{2b55}'
        | '\u{1f004}' | '\u{1f0cf}' | '\u{1f18e}' | '\u{1f191}'..='\u{1f19a}'
        | '\u{1f201}' | '\u{1f21a}' | '\u{1f22f}' | '\u{1f232}'..='\u{1f236}'
        | '\u{1f238}'..='\u{1f23a}' | '\u{1f250}'..='\u{1f251}'
        | '\u{1f300}'..='\u{1f64f}' | '\u{1f680}'..='\u{1f6ff}' | '\u{1f7e0}'..='\u{1f7f0}'
        | '\u{1f90c}'..='\u{1f9ff}' | '\u{1fa70}'..='\u{1faff}')
}
