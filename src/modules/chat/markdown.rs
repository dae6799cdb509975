//! Chat Markdown: renders a message's source as HTML that is safe to show to everyone.
//!
//! There are three steps, in this order. comrak parses the source (GitHub flavour; a newline is a
//! line break). The tree is then rewritten: names between colons become emoji, raw HTML becomes
//! visible text, images become links so that no reader's IP address leaks to another host, headings
//! are fitted under the page's own, code is highlighted. Last, always, ammonia parses the result as
//! a browser would and allows only the tags and attributes named here, so that a mistake in the
//! first two steps loses markup instead of running a script.
//!
//! Rendering is bounded: a text that is too long or nested too deeply is shown as plain lines.

mod emoji;
mod format;
mod highlight;
mod html_text;
mod lazy_lines;
mod link_ends;
mod mentions;
mod name_in_text;
mod plain;
mod preview_links;
mod rewrite;
mod room_links;
mod sanitize;
mod shortcodes;
#[cfg(test)]
mod tests;
mod visible;

use std::sync::OnceLock;
use std::time::Duration;

use comrak::arena_tree::NodeEdge;
use comrak::nodes::{Node, NodeValue};
use comrak::{Arena, Options, parse_document};

use crate::base::text::is_blank;

pub use emoji::{emoji_html, with_emoji};
use format::MessageFormatter;
pub use highlight::needs_highlighting;
use highlight::{Budget, MAX_HIGHLIGHT_TIME};
pub(super) use mentions::{mentioned_names, with_mentions};
pub use plain::{is_emoji_only, one_line, to_plain, to_text};
pub use preview_links::links_to_preview;
use rewrite::{alloc, lines_of, rewrite};
pub use room_links::with_room_links;
pub(super) use sanitize::is_allowed_url;
use sanitize::sanitizer;
use shortcodes::resolve_standard;
use visible::shows_something;

/// Bytes of source beyond which a text is shown as plain lines. A message is far shorter.
const MAX_SOURCE_BYTES: usize = 64 * 1024;

/// Levels of nesting (a nested list takes two) beyond which a text is shown as plain lines.
/// Browsers stop nesting at about 512 and nobody reads past ten.
const MAX_DEPTH: usize = 48;

/// Nodes a text may have per byte of it. Ordinary Markdown makes at most two; only a table whose
/// short rows are filled up to a wide header makes more, up to hundreds of thousands of cells.
const MAX_NODES_PER_BYTE: usize = 4;

/// How often a text is parsed to separate lines from the quotes and lists before them. A second
/// time is enough for what people write; text made to need more keeps the rest of such lines.
const MAX_PARSES: usize = 4;

/// Nodes any text may have, however short.
const MIN_NODES_ALLOWED: usize = 64;

/// Renders chat Markdown as safe HTML, code without colours. Any input is accepted; a text over
/// 64 KiB or nested more than 48 levels deep is shown as plain lines. Takes up to 0.5 ms per KiB.
pub fn to_html(source: &str) -> String {
    render(source, Duration::ZERO)
}

/// As [`to_html`], with highlighted code. Takes up to 0.2 s of CPU, and 0.5 s more when a language
/// is used for the first time; code that would take longer is not highlighted.
pub fn to_html_with_code(source: &str) -> String {
    render(source, MAX_HIGHLIGHT_TIME)
}

fn render(source: &str, highlight_time: Duration) -> String {
    let arena = Arena::new();
    let root = parse_bounded(&arena, source);
    rewrite(&arena, root, &mut Budget::new(highlight_time));
    let mut html = String::with_capacity(source.len() * 2);
    // Writing to a string cannot fail; if it did, the partial output would still be sanitised.
    if MessageFormatter::format_document(root, options(), &mut html).is_err() {
        tracing::error!("a message could not be formatted");
    }
    sanitizer().clean(&html).to_string()
}

/// How comrak reads and writes a message.
fn options() -> &'static Options<'static> {
    static OPTIONS: OnceLock<Options<'static>> = OnceLock::new();
    OPTIONS.get_or_init(|| {
        let mut options = Options::default();
        options.extension.autolink = true;
        // Emphasis beside letters and punctuation of Chinese, Japanese and Korean.
        options.extension.cjk_friendly_emphasis = true;
        options.extension.strikethrough = true;
        options.extension.spoiler = true;
        options.extension.table = true;
        options.extension.tasklist = true;
        // An escaped colon becomes a node of its own, so that it cannot start an emoji.
        options.parse.escaped_char_spans = true;
        // Bare addresses also between brackets; what is no link here is unwrapped later.
        options.parse.relaxed_autolinks = true;
        options.render.hardbreaks = true;
        // Raw HTML is turned to text in the tree; this catches any that were overlooked there.
        options.render.escape = true;
        options
    })
}

/// As [`options`], with tables left as they were typed.
fn options_without_tables() -> &'static Options<'static> {
    static OPTIONS: OnceLock<Options<'static>> = OnceLock::new();
    OPTIONS.get_or_init(|| {
        let mut options = options().clone();
        options.extension.table = false;
        options
    })
}

/// Whether filling up the short rows of a table could make far more cells than the text has
/// characters. Checked before parsing, because creating the cells is the expensive part.
fn may_exceed_cells(source: &str) -> bool {
    let widest = source
        .lines()
        .map(|line| line.bytes().filter(|byte| *byte == b'|').count())
        .max()
        .unwrap_or_default();
    widest > 0 && widest.saturating_mul(source.lines().count()) > max_nodes(source.len())
}

/// The nodes that the tree of a text of so many bytes may have.
fn max_nodes(source_bytes: usize) -> usize {
    source_bytes * MAX_NODES_PER_BYTE + MIN_NODES_ALLOWED
}

/// Parses the text, or shows it as plain lines when it is too long, its tree is too deep or large,
/// or the tree shows nothing of a text that has something to show.
fn parse_bounded<'a>(arena: &'a Arena<'a>, source: &str) -> Node<'a> {
    if source.len() <= MAX_SOURCE_BYTES
        && let Some(root) = parse_separated(arena, &link_ends::normalize(source))
        && (shows_something(root) || is_blank(source))
    {
        resolve_standard(root);
        return root;
    }
    let root = alloc(arena, NodeValue::Document);
    root.append(lines_of(arena, source));
    root
}

/// Parses the text, ending addresses and quotes where people do. `None` when the tree is too deep
/// or large.
fn parse_separated<'a>(arena: &'a Arena<'a>, source: &str) -> Option<Node<'a>> {
    let mut source = link_ends::mark(source);
    let mut rounds = 0;
    loop {
        let options = if may_exceed_cells(&source) {
            options_without_tables()
        } else {
            options()
        };
        let root = parse_document(arena, &source, options);
        if !is_within_limits(root, source.len()) {
            return None;
        }
        rounds += 1;
        match lazy_lines::separate(root, &source) {
            Some(separated) if rounds < MAX_PARSES => source = separated.into(),
            _ => {
                link_ends::remove_marks(root);
                return Some(root);
            }
        }
    }
}

/// Whether the tree of a text of so many bytes is neither too deep nor too large. Stops at the
/// limit, so a huge tree costs no more than a large one.
fn is_within_limits(root: Node<'_>, source_bytes: usize) -> bool {
    let max_nodes = max_nodes(source_bytes);
    let mut nodes = 0_usize;
    let mut depth = 0_usize;
    root.traverse().all(|edge| {
        match edge {
            NodeEdge::Start(_) => {
                nodes += 1;
                depth += 1;
            }
            NodeEdge::End(_) => depth -= 1,
        }
        depth <= MAX_DEPTH && nodes <= max_nodes
    })
}
