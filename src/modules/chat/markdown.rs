//! Chat Markdown: what a member typed, turned into HTML that is safe to show to everyone.
//!
//! The text goes through three steps and the order matters. comrak parses it (GitHub flavour,
//! and a newline is a line break as people expect in a chat). The tree is then rewritten: raw
//! HTML becomes visible text, images become links so that no reader's address leaks to another
//! host, headings are fitted under the page's own, code is highlighted. Last, always, ammonia
//! parses the result as a browser would and keeps only the tags and attributes named here, so a
//! mistake in the first two steps shows as missing markup and not as a script.
//!
//! Rendering is bounded: a text that is too long or nested too deeply is shown as plain lines.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use ammonia::{Builder, Url, UrlRelative};
use comrak::arena_tree::NodeEdge;
use comrak::nodes::{AstNode, Node, NodeCodeBlock, NodeHeading, NodeLink, NodeValue};
use comrak::{Arena, Options, format_html, parse_document};
use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxSet};
use syntect::util::LinesWithEndings;
use unicode_segmentation::UnicodeSegmentation;

/// Bytes of source beyond which a text is shown as plain lines. A message is far shorter.
const MAX_SOURCE_BYTES: usize = 64 * 1024;

/// Levels of nesting (a nested list takes two) beyond which a text is shown as plain lines.
/// Browsers stop nesting at about 512 and nobody reads past ten.
const MAX_DEPTH: usize = 48;

/// Nodes a text may have per byte of it. Ordinary Markdown makes at most two; only a table whose
/// short rows are filled up to a wide header makes more, up to hundreds of thousands of cells.
const MAX_NODES_PER_BYTE: usize = 4;

/// Nodes any text may have, however short.
const MIN_NODES_ALLOWED: usize = 64;

/// Bytes of a code block beyond which it is not highlighted.
const MAX_HIGHLIGHT_BYTES: usize = 20 * 1024;

/// Bytes of one line of code beyond which its block is not highlighted: a grammar's work can grow
/// with the square of a line, and a line that long is data.
const MAX_HIGHLIGHT_LINE_BYTES: usize = 1000;

/// How many times longer than its code a highlighted block may be. Ordinary code is about four;
/// one written to change colour with every character stays plain instead of filling every
/// reader's page.
const MAX_HIGHLIGHT_GROWTH: usize = 12;

/// Bytes any highlighted block may take, however short its code.
const MIN_HIGHLIGHT_ALLOWED: usize = 2048;

/// The most emoji a message may hold and still be shown enlarged.
const MAX_LARGE_EMOJI: usize = 6;

/// Bytes beyond which a message cannot be a handful of emoji: six of the longest shortcodes.
const MAX_EMOJI_SOURCE_BYTES: usize = 400;

/// Scalar values a preview keeps per character asked for, so that a pile of combining marks
/// (which counts as one character) cannot carry a whole message into a title.
const MAX_SCALARS_PER_CHAR: usize = 8;

/// Every tag that may appear in a message.
const TAGS: [&str; 24] = [
    "a",
    "blockquote",
    "br",
    "code",
    "del",
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

/// Where a link may lead. Relative links are not made: a message must not steer its readers
/// around this site under a text of its choosing.
const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

/// The classes of highlighted code: (grammar scope, class), the more special scopes first. One
/// class per run of text instead of every scope around it keeps a block about ten times smaller,
/// and the style sheet short.
const CLASSES: [(&str, &str); 22] = [
    ("comment", "hl-comment"),
    ("constant.character.escape", "hl-escape"),
    ("string", "hl-string"),
    ("constant.numeric", "hl-number"),
    ("constant", "hl-constant"),
    ("keyword.operator", "hl-operator"),
    ("keyword", "hl-keyword"),
    ("storage", "hl-keyword"),
    ("entity.name.function", "hl-function"),
    ("support.function", "hl-function"),
    ("variable.function", "hl-function"),
    ("entity.name.tag", "hl-tag"),
    ("entity.other.attribute-name", "hl-attribute"),
    ("entity", "hl-type"),
    ("support", "hl-type"),
    ("variable.parameter", "hl-variable"),
    ("variable.language", "hl-keyword"),
    ("meta.diff.range", "hl-comment"),
    ("meta.diff.header", "hl-comment"),
    ("markup.inserted", "hl-inserted"),
    ("markup.deleted", "hl-deleted"),
    ("markup.heading", "hl-heading"),
];

/// Prefix of the class that names a code block's language.
const LANGUAGE_PREFIX: &str = "language-";

/// The languages that are highlighted: (word after the fence, token the grammar is found by).
/// Listed here so that asking does not load the grammars, and so that the words that reach a
/// class name are ours and not a member's.
const LANGUAGES: [(&str, &str); 76] = [
    ("bash", "sh"),
    ("bat", "bat"),
    ("c", "c"),
    ("c#", "cs"),
    ("c++", "cpp"),
    ("cc", "cpp"),
    ("clj", "clj"),
    ("clojure", "clj"),
    ("cpp", "cpp"),
    ("cs", "cs"),
    ("csharp", "cs"),
    ("css", "css"),
    ("cxx", "cpp"),
    ("d", "d"),
    ("diff", "diff"),
    ("dot", "dot"),
    ("erl", "erl"),
    ("erlang", "erl"),
    ("go", "go"),
    ("golang", "go"),
    ("graphviz", "dot"),
    ("groovy", "groovy"),
    ("h", "c"),
    ("haskell", "hs"),
    ("hpp", "cpp"),
    ("hs", "hs"),
    ("html", "html"),
    ("java", "java"),
    ("javascript", "js"),
    ("js", "js"),
    ("json", "json"),
    ("jsx", "js"),
    ("latex", "tex"),
    ("lisp", "lisp"),
    ("lua", "lua"),
    ("make", "makefile"),
    ("makefile", "makefile"),
    ("markdown", "md"),
    ("matlab", "matlab"),
    ("md", "md"),
    ("ml", "ml"),
    ("objc", "m"),
    ("objective-c", "m"),
    ("ocaml", "ml"),
    ("pas", "pas"),
    ("pascal", "pas"),
    ("patch", "diff"),
    ("perl", "pl"),
    ("php", "php"),
    ("pl", "pl"),
    ("py", "py"),
    ("python", "py"),
    ("r", "r"),
    ("rb", "rb"),
    ("rs", "rs"),
    ("rst", "rst"),
    ("ruby", "rb"),
    ("rust", "rs"),
    ("scala", "scala"),
    ("sh", "sh"),
    ("shell", "sh"),
    ("sql", "sql"),
    ("svg", "xml"),
    ("tcl", "tcl"),
    ("tex", "tex"),
    ("textile", "textile"),
    ("ts", "js"),
    ("tsx", "js"),
    ("typescript", "js"),
    ("xhtml", "html"),
    ("xml", "xml"),
    ("xsl", "xml"),
    ("yaml", "yaml"),
    ("yml", "yaml"),
    ("zsh", "sh"),
    ("jsonc", "json"),
];

/// A language that can be highlighted.
#[derive(Clone, Copy)]
struct Language {
    /// The word as listed, fit for a class name.
    name: &'static str,
    /// What the grammar is found by.
    token: &'static str,
}

/// Renders chat Markdown as safe HTML. Any input is accepted; a text over 64 KiB
/// or nested more than 48 levels deep is shown as plain lines. The first highlighted block of a language costs
/// tens of milliseconds (see [`needs_highlighting`]).
pub fn to_html(source: &str) -> String {
    let arena = Arena::new();
    let root = parse_bounded(&arena, source);
    rewrite(&arena, root);
    let mut html = String::with_capacity(source.len() * 2);
    // Writing to a string cannot fail; were it to, what was written so far is still cleaned.
    if format_html(root, options(), &mut html).is_err() {
        tracing::error!("a message could not be formatted");
    }
    sanitizer().clean(&html).to_string()
}

/// Whether the message is nothing but one to six emoji (and white space), counted after
/// shortcodes such as `:wave:` are resolved, so that a view may enlarge it.
pub fn is_emoji_only(source: &str) -> bool {
    if source.len() > MAX_EMOJI_SOURCE_BYTES {
        return false;
    }
    let arena = Arena::new();
    let root = parse_document(&arena, source, options());
    let only_text = root.descendants().all(|node| {
        matches!(
            node.data().value,
            NodeValue::Document
                | NodeValue::Paragraph
                | NodeValue::Text(_)
                | NodeValue::ShortCode(_)
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

/// Whether a code block names a language that will be highlighted. The caller then renders off
/// the async threads: the grammars take tens of milliseconds to load and a block up to a few
/// milliseconds per kilobyte. Cheap: one pass over the lines, nothing is loaded.
pub fn needs_highlighting(source: &str) -> bool {
    source.lines().any(|line| fence_info(line).and_then(language_of).is_some())
}

/// How comrak reads and writes a message.
fn options() -> &'static Options<'static> {
    static OPTIONS: OnceLock<Options<'static>> = OnceLock::new();
    OPTIONS.get_or_init(|| {
        let mut options = Options::default();
        options.extension.autolink = true;
        options.extension.strikethrough = true;
        options.extension.table = true;
        options.extension.tasklist = true;
        options.extension.shortcodes = true;
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

/// Whether a table could fill its short rows up to far more cells than the text has characters.
/// Asked before parsing, as making the cells is what costs.
fn may_spread(source: &str) -> bool {
    let widest = source.lines().map(|line| line.bytes().filter(|byte| *byte == b'|').count()).max().unwrap_or_default();
    widest > 0 && widest.saturating_mul(source.lines().count()) > max_nodes(source.len())
}

/// The nodes that the tree of a text of so many bytes may have.
fn max_nodes(source_bytes: usize) -> usize {
    source_bytes * MAX_NODES_PER_BYTE + MIN_NODES_ALLOWED
}

/// The last step: what may remain, whatever came before.
fn sanitizer() -> &'static Builder<'static> {
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
                ("ol", ["start"].into()),
                ("span", ["class"].into()),
            ]))
            .tag_attribute_values(HashMap::from([
                ("td", HashMap::from([("align", sides.clone())])),
                ("th", HashMap::from([("align", sides)])),
            ]))
            .url_schemes(SCHEMES.into())
            .url_relative(UrlRelative::Deny)
            .link_rel(Some("nofollow noopener noreferrer"))
            .strip_comments(true)
            .attribute_filter(|element, attribute, value| is_expected_attribute(element, attribute, value).then_some(Cow::Borrowed(value)));
        builder
    })
}

/// Whether an attribute that ammonia would keep has a value this module writes. A `<` never
/// passes: the browser library looks for its own tags in the raw text of what it receives.
fn is_expected_attribute(element: &str, attribute: &str, value: &str) -> bool {
    if value.contains('<') {
        return false;
    }
    match (element, attribute) {
        ("code", "class") => value.strip_prefix(LANGUAGE_PREFIX).and_then(language_of).is_some(),
        ("span", "class") => CLASSES.iter().any(|(_, class)| *class == value),
        ("ol", "start") => !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()),
        _ => true,
    }
}

/// Parses the text, or sets it as plain lines when it is too long or its tree is out of
/// proportion.
fn parse_bounded<'a>(arena: &'a Arena<'a>, source: &str) -> Node<'a> {
    if source.len() <= MAX_SOURCE_BYTES {
        let options = if may_spread(source) { options_without_tables() } else { options() };
        let root = parse_document(arena, source, options);
        if is_in_proportion(root, source.len()) {
            return root;
        }
    }
    let root = alloc(arena, NodeValue::Document);
    root.append(lines_of(arena, source));
    root
}

/// Whether the tree of a text of so many bytes is neither too deep nor too large. Stops at the
/// limit, so a huge tree costs no more than a large one.
fn is_in_proportion(root: Node<'_>, source_bytes: usize) -> bool {
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

/// Makes a node in the arena.
fn alloc<'a>(arena: &'a Arena<'a>, value: NodeValue) -> Node<'a> {
    arena.alloc(AstNode::from(value))
}

/// A text node.
fn text<'a>(arena: &'a Arena<'a>, content: impl Into<Cow<'static, str>>) -> Node<'a> {
    alloc(arena, NodeValue::Text(content.into()))
}

/// A paragraph that shows the source as it was typed, line by line.
fn lines_of<'a>(arena: &'a Arena<'a>, source: &str) -> Node<'a> {
    let paragraph = alloc(arena, NodeValue::Paragraph);
    append_lines(arena, paragraph, source);
    paragraph
}

/// Adds the lines of the source to a paragraph, as text with line breaks between.
fn append_lines<'a>(arena: &'a Arena<'a>, paragraph: Node<'a>, source: &str) {
    for (index, line) in source.trim_end().lines().enumerate() {
        if index > 0 {
            paragraph.append(alloc(arena, NodeValue::LineBreak));
        }
        paragraph.append(text(arena, line.to_owned()));
    }
}

/// What a node is to be changed into. Decided while reading the tree, done afterwards, so that
/// the walk never stands on a node that has just moved.
enum Change {
    /// Show raw HTML as the text it was typed as.
    ShowSource(String),
    /// Turn an image into a link, or give a link a text that can be read.
    MakeLink(Box<NodeLink>),
    /// Remove the link and keep its text.
    Unwrap(Box<NodeLink>),
    /// Set a heading's level.
    Level(u8),
    /// Write the box of a task as a character, which every screen reader announces.
    Task { done: bool },
    /// Highlight a code block, or drop what followed its fence.
    Code(Box<NodeCodeBlock>),
}

/// Rewrites the tree into one whose plain HTML is what a message may show.
fn rewrite<'a>(arena: &'a Arena<'a>, root: Node<'a>) {
    for (node, change) in changes(root) {
        match change {
            Change::ShowSource(source) => show_source(arena, node, &source),
            Change::MakeLink(link) => make_link(arena, node, *link),
            Change::Unwrap(link) => unwrap_link(arena, node, &link),
            Change::Level(level) => set_level(node, level),
            Change::Task { done } => write_task(arena, node, done),
            Change::Code(block) => highlight_block(node, &block),
        }
    }
}

/// Reads the tree once and lists what has to change, in document order.
fn changes<'a>(root: Node<'a>) -> Vec<(Node<'a>, Change)> {
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
                if open_link.is_none() && is_allowed_url(&link.url) {
                    open_link = Some(node);
                    Change::MakeLink(link.clone())
                } else {
                    Change::Unwrap(link.clone())
                }
            }
            NodeValue::Heading(heading) => Change::Level(fit_level(&mut outline, heading.level)),
            NodeValue::TaskItem(task) => Change::Task { done: task.symbol.is_some() },
            NodeValue::CodeBlock(block) => Change::Code(block.clone()),
            _ => continue,
        };
        list.push((node, change));
    }
    list
}

/// Whether a link may lead there.
fn is_allowed_url(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| SCHEMES.contains(&url.scheme()))
}

/// The level (3 to 6) at which a heading is shown: one below the heading it belongs to, starting
/// under the page's own first two levels, so that no level is ever skipped.
fn fit_level(outline: &mut Vec<u8>, level: u8) -> u8 {
    while outline.last().is_some_and(|open| *open >= level) {
        outline.pop();
    }
    outline.push(level);
    // At most six levels are ever open, so the sum fits.
    u8::try_from(outline.len() + 2).unwrap_or(6).min(6)
}

/// Replaces raw HTML with the text it was typed as.
fn show_source<'a>(arena: &'a Arena<'a>, node: Node<'a>, source: &str) {
    let is_block = matches!(node.data().value, NodeValue::HtmlBlock(_));
    if is_block {
        node.data_mut().value = NodeValue::Paragraph;
        append_lines(arena, node, source);
    } else {
        node.data_mut().value = NodeValue::Text(source.to_owned().into());
    }
}

/// Makes the node a link that always has a text to read and never a title.
fn make_link<'a>(arena: &'a Arena<'a>, node: Node<'a>, mut link: NodeLink) {
    if !has_visible_text(node) {
        node.append(text(arena, link.url.clone()));
    }
    link.title.clear();
    node.data_mut().value = NodeValue::Link(Box::new(link));
}

/// Puts a link's text in its place; with no text, the address is shown so nothing is lost.
fn unwrap_link<'a>(arena: &'a Arena<'a>, node: Node<'a>, link: &NodeLink) {
    if !has_visible_text(node) && !link.url.is_empty() {
        node.append(text(arena, link.url.clone()));
    }
    while let Some(child) = node.first_child() {
        node.insert_before(child);
    }
    node.detach();
}

/// Whether anything under the node can be seen.
fn has_visible_text(node: Node<'_>) -> bool {
    node.descendants().any(|child| match &child.data().value {
        NodeValue::Text(content) => content.chars().any(is_visible),
        NodeValue::Code(code) => code.literal.chars().any(is_visible),
        NodeValue::HtmlInline(_) | NodeValue::ShortCode(_) => true,
        _ => false,
    })
}

/// Whether a character leaves a mark on the page.
fn is_visible(character: char) -> bool {
    !character.is_whitespace() && !character.is_control() && !is_format_mark(character)
}

/// Zero-width and direction marks, which have no shape of their own.
fn is_format_mark(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}'
            | '\u{200b}'..='\u{200f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e0fff}'
    ) || is_direction_mark(character)
        || matches!(character, '\u{2060}'..='\u{2064}')
}

/// Marks that turn the text around them, and could turn a title they are placed in.
fn is_direction_mark(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Sets a heading's level.
fn set_level(node: Node<'_>, level: u8) {
    node.data_mut().value = NodeValue::Heading(NodeHeading { level, ..NodeHeading::default() });
}

/// Turns a task into an ordinary list item that begins with its box.
fn write_task<'a>(arena: &'a Arena<'a>, node: Node<'a>, done: bool) {
    let list = node.parent().and_then(|parent| match parent.data().value {
        NodeValue::List(list) => Some(list),
        _ => None,
    });
    let Some(list) = list else { return };
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

/// Replaces a code block by its highlighted form; one that cannot be highlighted stays plain,
/// without the words after its fence.
fn highlight_block(node: Node<'_>, block: &NodeCodeBlock) {
    let language = language_of(&block.info);
    let value = match language.and_then(|language| highlight(language, &block.literal)) {
        Some(html) => NodeValue::Raw(html),
        None => {
            let mut plain = block.clone();
            plain.info = language.map_or_else(String::new, |language| language.name.to_owned());
            NodeValue::CodeBlock(Box::new(plain))
        }
    };
    node.data_mut().value = value;
}

/// The grammars, loaded on first use (a few megabytes, kept).
fn syntaxes() -> &'static SyntaxSet {
    static SYNTAXES: OnceLock<SyntaxSet> = OnceLock::new();
    SYNTAXES.get_or_init(SyntaxSet::load_defaults_newlines)
}

/// The code as a highlighted block, or nothing when it is too long or its grammar gives up.
fn highlight(language: Language, code: &str) -> Option<String> {
    let too_long = code.len() > MAX_HIGHLIGHT_BYTES || code.lines().any(|line| line.len() > MAX_HIGHLIGHT_LINE_BYTES);
    if too_long {
        return None;
    }
    let set = syntaxes();
    let mut state = ParseState::new(set.find_syntax_by_token(language.token)?);
    let mut stack = ScopeStack::new();
    let mut spans = Spans::default();
    for line in LinesWithEndings::from(code) {
        let mut done = 0;
        for (position, operation) in state.parse_line(line, set).ok()? {
            spans.push(class_of(&stack), line.get(done..position)?);
            stack.apply(&operation).ok()?;
            done = position;
        }
        spans.push(class_of(&stack), line.get(done..)?);
        if spans.html.len() > MIN_HIGHLIGHT_ALLOWED + code.len() * MAX_HIGHLIGHT_GROWTH {
            return None;
        }
    }
    let name = language.name;
    let html = spans.finish();
    Some(format!("<pre><code class=\"{LANGUAGE_PREFIX}{name}\">{html}</code></pre>\n"))
}

/// The class of text within these scopes: that of the innermost scope that has one.
fn class_of(stack: &ScopeStack) -> Option<&'static str> {
    static SCOPES: OnceLock<Vec<(Scope, &'static str)>> = OnceLock::new();
    let scopes = SCOPES.get_or_init(|| CLASSES.iter().filter_map(|&(name, class)| Some((Scope::new(name).ok()?, class))).collect());
    stack.scopes.iter().rev().find_map(|inner| scopes.iter().find_map(|&(outer, class)| outer.is_prefix_of(*inner).then_some(class)))
}

/// HTML of code being highlighted: neighbours of the same class share a span, spans never nest.
#[derive(Default)]
struct Spans {
    html: String,
    open: Option<&'static str>,
}

impl Spans {
    /// Adds code in a class, or in none. White space has no colour, so it opens no span.
    fn push(&mut self, class: Option<&'static str>, code: &str) {
        if code.is_empty() {
            return;
        }
        if class != self.open && !code.trim().is_empty() {
            self.close();
            if let Some(class) = class {
                self.html.extend(["<span class=\"", class, "\">"]);
            }
            self.open = class;
        }
        for character in code.chars() {
            match character {
                '&' => self.html.push_str("&amp;"),
                '<' => self.html.push_str("&lt;"),
                '>' => self.html.push_str("&gt;"),
                _ => self.html.push(character),
            }
        }
    }

    /// Ends the open span, if any.
    fn close(&mut self) {
        if self.open.take().is_some() {
            self.html.push_str("</span>");
        }
    }

    /// The finished HTML.
    fn finish(mut self) -> String {
        self.close();
        self.html
    }
}

/// The language named by the words after a fence, if it is one of ours.
fn language_of(info: &str) -> Option<Language> {
    let word = info.split(|c: char| c.is_whitespace() || matches!(c, ',' | '{' | ':')).next()?;
    LANGUAGES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|&(name, token)| Language { name, token })
}

/// What follows the fence, if the line opens one: inside quotes and list items too.
fn fence_info(line: &str) -> Option<&str> {
    let marker = |c: char| c.is_whitespace() || c.is_ascii_digit() || ">-*+.)".contains(c);
    let rest = line.trim_start_matches(marker);
    ['`', '~'].into_iter().find_map(|fence| {
        let info = rest.trim_start_matches(fence);
        (rest.len() - info.len() >= 3).then(|| info.trim())
    })
}

/// All text of the tree, blocks and lines apart by white space.
fn collect_text(root: Node<'_>) -> String {
    let mut out = String::new();
    for node in root.descendants() {
        match &node.data().value {
            NodeValue::Text(content) => out.push_str(content),
            NodeValue::Code(code) => out.push_str(&code.literal),
            NodeValue::ShortCode(code) => out.push_str(&code.emoji),
            NodeValue::HtmlInline(source) => out.push_str(source),
            NodeValue::SoftBreak | NodeValue::LineBreak => out.push(' '),
            NodeValue::HtmlBlock(block) => push_apart(&mut out, &block.literal),
            NodeValue::CodeBlock(block) => push_apart(&mut out, &block.literal),
            NodeValue::TaskItem(task) => {
                push_apart(&mut out, if task.symbol.is_some() { "☑ " } else { "☐ " });
            }
            NodeValue::Image(link) | NodeValue::Link(link) if node.first_child().is_none() => {
                out.push_str(&link.url);
            }
            value if value.block() => out.push(' '),
            _ => {}
        }
    }
    out
}

/// Adds text with a space before it.
fn push_apart(out: &mut String, content: &str) {
    out.push(' ');
    out.push_str(content);
}

/// Runs of white space and control characters become one space; direction marks are dropped, as
/// they would reach into the words around a preview.
fn single_line(source: &str) -> String {
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
fn shorten(mut line: String, max_chars: usize) -> String {
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
/// the mark that asks for its coloured form.
fn is_emoji(grapheme: &str) -> bool {
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

/// Characters shown in colour without being asked to.
fn is_pictograph(character: char) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, Instant};

    /// Characters a message may have; the hostile texts below are that long.
    const MESSAGE_CHARS: usize = 4000;

    /// What a message may take to render in a debug build on a busy machine. The work is bounded
    /// by a few milliseconds; a square or worse in the length would go far beyond this.
    const PATIENCE: Duration = Duration::from_secs(5);

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
            let end = rest.find('>').unwrap_or_else(|| panic!("open tag in {}", context()));
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
                ("a", "href") => ["http://", "https://", "mailto:"].iter().any(|scheme| value.to_ascii_lowercase().starts_with(scheme)),
                ("td" | "th", "align") => ["left", "center", "right"].contains(&value),
                ("code" | "span", "class") | ("ol", "start") => is_expected_attribute(element, name, value),
                _ => false,
            };
            assert!(allowed, "{element} {name}={value} in {context}");
        }
        assert!(rest.is_empty(), "{rest} in {context}");
    }

    #[test]
    fn markdown_becomes_html() {
        for (source, html) in [
            ("hello", "<p>hello</p>"),
            ("a\nb", "<p>a<br>\nb</p>"),
            ("**b** *i* ~~d~~ `c`", "<p><strong>b</strong> <em>i</em> <del>d</del> <code>c</code></p>"),
            ("> q", "<blockquote>\n<p>q</p>\n</blockquote>"),
            ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
            ("3. a", "<ol start=\"3\">\n<li>a</li>\n</ol>"),
            ("- [x] a\n- [ ] b", "<ul>\n<li>☑ a</li>\n<li>☐ b</li>\n</ul>"),
            (":wave: :nope:", "<p>👋 :nope:</p>"),
            ("a & b < c > d", "<p>a &amp; b &lt; c &gt; d</p>"),
            ("---", "<hr>"),
            ("", ""),
            ("```\na < b\n```", "<pre><code>a &lt; b\n</code></pre>"),
            ("```nope x\na\n```", "<pre><code>a\n</code></pre>"),
            ("```math\na\n```", "<pre><code>a\n</code></pre>"),
        ] {
            assert_eq!(check(source).trim_end(), html, "{source:?}");
        }
    }

    #[test]
    fn tables_keep_their_alignment() {
        let html = check("| a | b |\n|:-:|--:|\n| 1 | 2 |");
        assert!(html.contains("<th align=\"center\">a</th>"), "{html}");
        assert!(html.contains("<td align=\"right\">2</td>"), "{html}");
    }

    #[test]
    fn links_are_marked_and_named() {
        let rel = "rel=\"nofollow noopener noreferrer\"";
        for (source, href, name) in [
            ("https://a.example/x?y=1", "https://a.example/x?y=1", "https://a.example/x?y=1"),
            ("www.a.example", "http://www.a.example", "www.a.example"),
            ("me@a.example", "mailto:me@a.example", "me@a.example"),
            ("[t](HTTPS://a.example \"title\")", "HTTPS://a.example", "t"),
            ("[](https://a.example)", "https://a.example", "https://a.example"),
            ("[\u{200b} ](https://a.example)", "https://a.example", "\u{200b} https://a.example"),
            ("![alt](https://a.example/i.png)", "https://a.example/i.png", "alt"),
            ("![](https://a.example/i.png)", "https://a.example/i.png", "https://a.example/i.png"),
            ("[![alt](https://b.example/i.png)](https://a.example)", "https://a.example", "alt"),
            ("[a](https://a.example/\"<x>)", "https://a.example/%22%3Cx%3E", "a"),
        ] {
            let expected = format!("<p><a href=\"{href}\" {rel}>{name}</a></p>\n");
            assert_eq!(check(source), expected, "{source:?}");
        }
    }

    #[test]
    fn links_elsewhere_become_text() {
        for (source, html) in [
            ("[t](/rooms/1)", "<p>t</p>\n"),
            ("[t](javascript:alert(1))", "<p>t</p>\n"),
            ("[t]()", "<p>t</p>\n"),
            ("![](data:image/png;base64,AA)", "<p>data:image/png;base64,AA</p>\n"),
            ("[**t**](//evil.example)", "<p><strong>t</strong></p>\n"),
            ("[t](https://)", "<p>t</p>\n"),
        ] {
            assert_eq!(check(source), html, "{source:?}");
        }
    }

    #[test]
    fn html_is_shown_as_typed() {
        assert_eq!(check("a <b>c</b>"), "<p>a &lt;b&gt;c&lt;/b&gt;</p>\n");
        let block = check("<div>\nhi **x**\n</div>");
        assert_eq!(block, "<p>&lt;div&gt;<br>\nhi **x**<br>\n&lt;/div&gt;</p>\n");
        assert_eq!(check("<!-- note -->"), "<p>&lt;!-- note --&gt;</p>\n");
        let partial = check("<hx-partial hx-target=\"#x\">y</hx-partial>");
        assert!(partial.contains("&lt;hx-partial"), "{partial}");
    }

    #[test]
    fn headings_fit_under_the_page() {
        let levels = |source| {
            let html = check(source);
            let mut levels: Vec<u8> = Vec::new();
            for (start, _) in html.match_indices("<h") {
                levels.push(html.as_bytes()[start + 2] - b'0');
            }
            levels
        };
        assert_eq!(levels("# a\n## b\n### c\n#### d\n##### e\n###### f"), [3, 4, 5, 6, 6, 6]);
        assert_eq!(levels("### a\n# b\n###### c\n## d\n## e"), [3, 3, 4, 4, 4]);
        assert_eq!(levels("a\n==="), [3]);
    }

    #[test]
    fn code_is_highlighted() {
        let html = check("```rust\nfn main() { let x = \"<b>\"; }\n```");
        let expected = "<pre><code class=\"language-rust\"><span class=\"hl-keyword\">fn \
                        </span><span class=\"hl-function\">main</span>() {";
        assert!(html.starts_with(expected), "{html}");
        assert!(html.contains("<span class=\"hl-string\">\"&lt;b&gt;\"</span>"), "{html}");
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

    #[test]
    fn flickering_code_stays_plain() {
        for unit in ["+ a ", "\"\"", "1+", "'a'b"] {
            let line = unit.repeat(200) + "\n";
            let source = format!("```rust\n{}```", line.repeat(5));
            assert!(check(&source).len() < MIN_HIGHLIGHT_ALLOWED + source.len() * 16);
        }
    }

    #[test]
    fn every_class_is_of_a_scope() {
        for (scope, class) in CLASSES {
            assert!(Scope::new(scope).is_ok(), "{scope}");
            assert!(class.starts_with("hl-"), "{class}");
        }
    }

    #[test]
    fn every_language_is_known() {
        for (index, (name, token)) in LANGUAGES.iter().enumerate() {
            assert!(syntaxes().find_syntax_by_token(token).is_some(), "{name} {token}");
            assert!(LANGUAGES[..index].iter().all(|(other, _)| other != name), "{name} twice");
            let html = check(&format!("```{name}\nif (x) {{ \"y\" }} # <z> 1\n```"));
            assert!(html.contains(&format!("class=\"language-{name}\"")), "{html}");
        }
    }

    #[test]
    fn highlighting_is_foreseen() {
        for source in ["```rust\nx", "hi\n\n~~~~ Py\nx\n~~~~", "> ```js\n> x", "1. ```c\n   x"] {
            assert!(needs_highlighting(source), "{source:?}");
        }
        for source in ["", "rust", "```\nx\n```", "``rust``", "```text\nx", "```nope\nx"] {
            assert!(!needs_highlighting(source), "{source:?}");
        }
    }

    #[test]
    fn emoji_alone_are_told_apart() {
        for source in [
            "👋",
            ":wave:",
            ":+1:",
            "👍🏽 👍🏿",
            "👨‍👩‍👧‍👦",
            "🇫🇷🇩🇪",
            "❤️",
            "1️⃣",
            "😀😀😀😀😀😀",
            " 😀\n😀 ",
            "⭐",
            "©️",
            ":heart:\n\n:tada:",
            "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
            "🏳️‍🌈",
            "🫠",
        ] {
            assert!(is_emoji_only(source), "{source:?}");
        }
        for source in [
            "",
            " ",
            "a",
            "👋 hi",
            "1",
            "12",
            "#",
            "©",
            "❤︎",
            "😀😀😀😀😀😀😀",
            ":nope:",
            "- 😀",
            "`😀`",
            "# 😀",
            "→",
            "漢",
            "\u{fe0f}",
            "\u{200d}",
            "🇫",
        ] {
            assert!(!is_emoji_only(source), "{source:?}");
        }
        assert!(!is_emoji_only(&"😀".repeat(MESSAGE_CHARS)));
    }

    #[test]
    fn plain_text_is_one_line() {
        for (source, plain) in [
            ("**a** _b_ `c`\n\n> d\n- e\n- f", "a b c d e f"),
            ("[t](https://a.example) ![alt](https://b.example)", "t alt"),
            ("![](https://b.example)", "https://b.example"),
            ("<b>x</b> &amp; :wave:", "<b>x</b> & 👋"),
            ("```rust\nfn a() {\n}\n```", "fn a() { }"),
            ("| a | b |\n|---|---|\n| 1 | 2 |", "a b 1 2"),
            ("- [x] done", "☑ done"),
            ("a\u{202e}b\tc\u{7}d", "ab c d"),
            ("", ""),
        ] {
            assert_eq!(to_plain(source, 100), plain, "{source:?}");
        }
    }

    #[test]
    fn plain_text_is_cut_between_characters() {
        assert_eq!(to_plain("hello", 5), "hello");
        assert_eq!(to_plain("hello!", 5), "hell…");
        assert_eq!(to_plain("hi there", 4), "hi…");
        assert_eq!(to_plain("👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 2), "👨‍👩‍👧‍👦…");
        assert_eq!(to_plain("ab", 1), "…");
        assert_eq!(to_plain("ab", 0), "");
        assert_eq!(to_plain("", 0), "");
        let pile = format!("a{}", "\u{301}".repeat(MESSAGE_CHARS));
        assert!(to_plain(&pile, 40).len() < 40 * MAX_SCALARS_PER_CHAR * 4);
    }

    #[test]
    fn hostile_markup_is_dead() {
        let payloads = [
            "<script>alert(1)</script>",
            "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
            "<scr<script>ipt>alert(1)</scr</script>ipt>",
            "<img src=x onerror=alert(1)>",
            "<img/src=x/onerror=alert(1)>",
            "<svg onload=alert(1)>",
            "<svg><script>alert(1)</script></svg>",
            "<svg><animate attributeName=href values=javascript:alert(1)>",
            "<math><mi xlink:href=\"javascript:alert(1)\">x</mi></math>",
            "<style>@import 'https://evil.example';</style>",
            "<style><img src=\"</style><img src=x onerror=alert(1)>\">",
            "<p style=\"background:url(javascript:alert(1))\">x</p>",
            "<iframe src=javascript:alert(1)></iframe>",
            "<iframe srcdoc='<script>alert(1)</script>'>",
            "<object data=javascript:alert(1)><embed src=x>",
            "<form action=//evil.example><input name=attributes><button>x",
            "<a href=javascript:alert(1)>x</a>",
            "<base href=//evil.example>",
            "<meta http-equiv=refresh content=0;url=//evil.example>",
            "<link rel=stylesheet href=//evil.example>",
            "<template><script>alert(1)</script></template>",
            "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
            "<textarea><img src=x onerror=alert(1)></textarea>",
            "<xmp><p title='</xmp><script>alert(1)</script>'>",
            "<plaintext><script>alert(1)",
            "<details open ontoggle=alert(1)>",
            "<div id=main name=cookie class=\"app hl-x\">x</div>",
            "<!--><script>alert(1)</script>-->",
            "<!-- --!><script>alert(1)</script>",
            "<![CDATA[<script>alert(1)</script>]]>",
            "<?php echo '<script>' ?>",
            "</p></div></body><script>alert(1)</script>",
            "<hx-partial hx-target=\"body\" hx-swap=\"innerHTML\"><b>x</b></hx-partial>",
            "<HX-PARTIAL>x</HX-PARTIAL>",
            "<div hx-get=/logout hx-trigger=load>x</div>",
            "<div data-hx-on:load='alert(1)' hx-on::load='alert(1)'>x</div>",
            "&lt;hx-partial&gt;&#60;hx-partial&#62;&#x3c;hx-partial>",
            "\\<hx-partial\\>",
            "`<hx-partial>`",
            "```html\n<hx-partial hx-get=/x>\n<script>alert(1)</script>\n```",
            "[<hx-partial>](https://a.example/<hx-partial>)",
            "[a](<https://a.example/?<hx-partial>> \"<hx-partial>\")",
            "![<hx-partial>](https://a.example \"<hx-partial>\")",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](&#106;avascript:alert(1))",
            "[x](java&#x09;script:alert(1))",
            "[x](java&NewLine;script:alert(1))",
            "[x](<java\tscript:alert(1)>)",
            "[x](\u{1}javascript:alert(1))",
            "[x](javascript&colon;alert(1))",
            "[x](javascript\\:alert(1))",
            "[x]( javascript:alert(1) )",
            "[x](data:text/html;base64,PHNjcmlwdD4=)",
            "[x](vbscript:msgbox(1))",
            "[x](file:///etc/passwd)",
            "[x](blob:https://a.example/1)",
            "[x](view-source:https://a.example)",
            "<javascript:alert(1)>",
            "<data:text/html,x>",
            "[x][1]\n\n[1]: javascript:alert(1) \"<script>\"",
            "![x](javascript:alert(1))",
            "![x](https://a.example/\"onerror=\"alert(1))",
            "![\"onerror=alert(1)](https://a.example)",
            "[x](https://a.example \"x\\\" onmouseover=\\\"alert(1)\")",
            "https://a.example/\"onmouseover=\"alert(1)",
            "https://a.example/'onmouseover='alert(1)",
            "www.a.example/\"><script>alert(1)</script>",
            "a@b.example\"onclick=alert(1)",
            "<https://a.example/\"onclick=\"alert(1)>",
            "```\"><script>alert(1)</script>\nx\n```",
            "```rust\" onclick=\"alert(1)\nx\n```",
            "```rust onclick=alert(1)\nx\n```",
            "~~~ <script>alert(1)</script>\nx\n~~~",
            "| <script>alert(1)</script> | a |\n|--|--|\n| <img src=x onerror=alert(1)> | [x](javascript:1) |",
            "| a |\n|:\"onclick=alert(1):|\n| b |",
            "# <script>alert(1)</script> {#id onclick=alert(1)}",
            "> <script>\n> alert(1)\n> </script>",
            "- [x] <script>alert(1)</script>",
            "\u{ff1c}script\u{ff1e}alert(1)\u{ff1c}/script\u{ff1e}",
            "<scr\u{0}ipt>alert(1)</scr\u{0}ipt>",
            "\u{202e}<tpircs>\u{202c}",
            "<\u{feff}script>alert(1)</script>",
            "[x](https://a.example\u{2028}onclick=alert(1))",
            ":\"><script>alert(1)</script>:",
            "[[a](https://a.example)](javascript:alert(1))",
            "[a![b](javascript:1)c](https://a.example)",
            "<a href=\"https://a.example\" ping=x target=_blank id=x>y</a>",
        ];
        assert!(payloads.len() >= 30);
        for payload in payloads {
            check(payload);
            check(&format!("**text** {payload} `x`"));
            check(&format!("> - {payload}\n\n| {payload} |\n|---|\n"));
            check(&format!("```html\n{payload}\n```"));
        }
    }

    #[test]
    fn hostile_shapes_are_fast() {
        let fill = |unit: &str| -> String { unit.chars().cycle().take(MESSAGE_CHARS).collect() };
        let half = |open: &str, close: &str| {
            let units = MESSAGE_CHARS / (open.len() + close.len());
            format!("{}x{}", open.repeat(units), close.repeat(units))
        };
        let mut shapes: Vec<String> = [
            ">",
            "> ",
            "*",
            "**a",
            "*a_",
            "_",
            "~",
            "~~a",
            "`",
            "`a``",
            "[",
            "![",
            "[a](",
            "[a]:",
            "](",
            "<",
            "<a ",
            "<!--",
            "<?",
            "<![CDATA[",
            "&",
            "&#",
            "&amp;",
            "\\",
            "\\`",
            ":",
            ":a",
            "- ",
            "1. ",
            "+ - * ",
            "#",
            "# a\n",
            "|",
            "|a",
            "| a |\n|-|\n",
            "a\n-\n",
            "http://",
            "www.",
            "www.a",
            "a@b.",
            "a@",
            "@a.b",
            "<http://",
            "\n",
            "a\n",
            "\t",
            "\u{301}",
            "\u{202e}",
            "👨‍👩‍👧",
            ":wave:",
            "\"",
            "'",
            "(",
            "[^a]",
            "[^a]: b\n",
            "- [x] a\n",
            "    a\n",
            "```\n",
            "```rust\nx\n```\n",
            "<div>\n",
            "\u{0}",
            "\r",
            "*a **b ",
            "a**b",
            "_a__b*",
            "![a](b) ",
        ]
        .into_iter()
        .map(fill)
        .collect();
        shapes.extend([
            half("[", "](https://a.example)"),
            half("![", "](https://a.example)"),
            half("**", "**"),
            half("*", "*"),
            half("~~", "~~"),
            half("(", ")"),
            half("<b>", "</b>"),
            (1..60).map(|depth| format!("{}- a\n", "  ".repeat(depth))).collect(),
            (1..89).map(|count| "`".repeat(count) + " ").collect(),
            format!("|{}\n|{}\n{}", "a|".repeat(300), "-|".repeat(300), "a|\n".repeat(900)),
            format!("[a]: https://a.example\n\n{}", "[a]".repeat(1300)),
        ]);
        for token in ["rust", "js", "html", "php", "md", "c++", "yaml", "tex", "sh", "haskell"] {
            for unit in ["(", "/*", "\"", "<a ", "a ", "{\n", "\\", "<<EOF\n", "$(", "`", "[", "*_"] {
                let code = fill(unit);
                let wrapped: Vec<String> =
                    code.chars().collect::<Vec<_>>().chunks(MAX_HIGHLIGHT_LINE_BYTES).map(|chunk| chunk.iter().collect()).collect();
                shapes.push(format!("```{token}\n{}\n```", wrapped.join("\n")));
            }
        }
        for shape in shapes {
            let started = Instant::now();
            check(&shape);
            to_plain(&shape, 100);
            is_emoji_only(&shape);
            needs_highlighting(&shape);
            let took = started.elapsed();
            if std::env::var_os("SHOW").is_some() {
                println!("{took:?} {:?}", shape.chars().take(30).collect::<String>());
            }
            assert!(took < PATIENCE, "{took:?} for {:?}", &shape.chars().take(40).collect::<String>());
        }
    }

    #[test]
    fn a_table_cannot_spread() {
        let head = format!("|{}\n|{}\n", "a|".repeat(300), "-|".repeat(300));
        let html = check(&format!("{head}{}", "**b**|\n".repeat(300)));
        assert!(!html.contains("<table") && html.contains("<strong>b</strong>"), "{html}");
        let row = format!("|{}\n", "b|".repeat(300));
        assert!(check(&format!("{head}{row}{row}")).contains("<table"));
    }

    #[test]
    fn deep_or_long_text_is_set_plainly() {
        let deep = format!("{} x", ">".repeat(200));
        assert!(check(&deep).starts_with("<p>&gt;&gt;"));
        let long = format!("**a**\n{}", "b ".repeat(MAX_SOURCE_BYTES));
        assert!(check(&long).starts_with("<p>**a**<br>\nb b"));
    }

    /// Text that is likely to be markup.
    fn markup() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "<",
            ">",
            "\"",
            "'",
            "&",
            "`",
            "```",
            "~~~",
            "*",
            "**",
            "_",
            "~~",
            "[",
            "](",
            ")",
            "!",
            "|",
            "\n",
            "\n\n",
            "|-|\n",
            "> ",
            "- ",
            "1. ",
            "- [x] ",
            "# ",
            "    ",
            "\t",
            "\r",
            "\\",
            "a",
            "x y",
            "<script>",
            "</script>",
            "<hx-a ",
            "onclick=",
            " onerror=\"x\"",
            "javascript:",
            "https://a.example/",
            "www.a.example",
            "a@b.example",
            "rust",
            "html",
            ":wave:",
            "&lt;",
            "&#13;",
            "&#0;",
            "&nbsp;",
            "<!--",
            "-->",
            "<p>",
            "</p>",
            "<a href=",
            "\u{0}",
            "\u{feff}",
            "\u{202e}",
            "\u{2028}",
            "\u{301}",
            "👋",
            "é",
            "[1]: ",
            "[1]",
            "\u{1}",
            "</pre>",
            "<br>",
        ]);
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn any_text_is_safe(source in any::<String>()) {
            check(&source);
        }

        #[test]
        fn any_markup_is_safe(source in markup()) {
            check(&source);
        }

        #[test]
        fn any_preview_is_short(source in markup(), max in 0_usize..50) {
            let plain = to_plain(&source, max);
            prop_assert!(plain.graphemes(true).count() <= max);
            prop_assert!(!plain.contains(['\n', '\r']));
            is_emoji_only(&source);
        }
    }
}
