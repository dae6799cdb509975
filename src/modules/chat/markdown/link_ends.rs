//! Where a bare web address ends. comrak reads one up to the next ASCII white space, so that in
//! writing without spaces it would take the rest of the sentence with it. A mark is put into the
//! source where an address ends before that, and taken out of the tree again.

use std::borrow::Cow;

use comrak::nodes::{Node, NodeValue};
use icu_properties::props::{BidiControl, EastAsianWidth, GeneralCategory, TerminalPunctuation};
use icu_properties::{
    CodePointMapData, CodePointMapDataBorrowed, CodePointSetData, CodePointSetDataBorrowed,
};

/// Ends an address for comrak: a tab, and a control character that no text needs, by which the tab
/// is told from others. [`normalize`] makes that a space where it was written.
const MARK: &str = "\t\u{c}";
/// The same before the bars of a spoiler, which would close none after white space: the last
/// character is one that no text has, and that is no white space.
const MARK_BEFORE_BARS: &str = "\t\u{c}\u{fdd0}";
const CONTROL: char = '\u{c}';

/// The source with `\n` at the ends of lines and without the control character of [`MARK`].
pub(super) fn normalize(source: &str) -> Cow<'_, str> {
    if source.contains(['\r', CONTROL]) {
        let lines = source.replace("\r\n", "\n").replace('\r', "\n");
        lines.replace(CONTROL, " ").into()
    } else {
        source.into()
    }
}

/// Puts a mark into the source at the end of each bare address that comrak would read on. Takes
/// time linear in the source.
pub(super) fn mark(source: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(start) = find_address(source, at) {
        let from = start.after;
        at = from;
        if is_destination(&source[..start.before]) {
            continue;
        }
        if let Some(end) = end_of_address(&source[from..]) {
            out.push_str(&source[copied..from + end]);
            out.push_str(match source[from + end..].starts_with("||") {
                true => MARK_BEFORE_BARS,
                false => MARK,
            });
            copied = from + end;
            at = copied;
        }
    }
    if copied == 0 {
        return source.into();
    }
    out.push_str(&source[copied..]);
    out.into()
}

/// Takes the marks out of the tree.
pub(super) fn remove_marks(root: Node<'_>) {
    let clean = |text: &mut String| {
        if text.contains(MARK) {
            *text = text.replace(MARK_BEFORE_BARS, "").replace(MARK, "");
        }
    };
    for node in root.descendants() {
        match &mut node.data_mut().value {
            NodeValue::Text(text) if text.contains(MARK) => clean(text.to_mut()),
            NodeValue::Code(code) => clean(&mut code.literal),
            NodeValue::CodeBlock(block) => {
                clean(&mut block.literal);
                clean(&mut block.info);
            }
            NodeValue::HtmlBlock(block) => clean(&mut block.literal),
            NodeValue::HtmlInline(html) => clean(html),
            NodeValue::Link(link) | NodeValue::Image(link) => clean(&mut link.url),
            _ => {}
        }
    }
}

/// An address: the bytes before its scheme and those before its host.
struct Start {
    before: usize,
    after: usize,
}

/// The first address of the source after `from`: `://` after a scheme, or `www.`.
fn find_address(source: &str, from: usize) -> Option<Start> {
    let bytes = source.as_bytes();
    let rest = &source[from..];
    let scheme = rest.find("://").map(|colon| {
        let colon = from + colon;
        let name = bytes[from..colon]
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count();
        Start {
            before: colon - name,
            after: colon + 3,
        }
    });
    let www = rest.find("www.").map(|start| Start {
        before: from + start,
        after: from + start + 4,
    });
    match (scheme, www) {
        (Some(one), Some(other)) if other.before < one.before => Some(other),
        (one, other) => one.or(other),
    }
}

/// Whether the address after this text is the destination of a link, which has ends of its own.
fn is_destination(before: &str) -> bool {
    let before = before.trim_end_matches([' ', '\t']);
    ["](", "](<", "]:", "<"]
        .iter()
        .any(|opening| before.ends_with(opening))
}

/// Where an address ends, if not at ASCII white space or the end of the text.
fn end_of_address(text: &str) -> Option<usize> {
    let mut open = Vec::new();
    for (index, c) in text.char_indices() {
        match c {
            // comrak ends the address here.
            '<' => return None,
            _ if c.is_ascii_whitespace() => return None,
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' if open.pop() != Some(c) => return Some(index),
            '>' | '"' => return Some(index),
            '|' if text[index..].starts_with("||") => return Some(index),
            _ if is_end(c) => return Some(index),
            _ => {}
        }
    }
    None
}

/// Whether a character that is not ASCII ends an address: white space, brackets and quotation marks
/// of any script, whatever ends a sentence or its part, all punctuation as wide as an ideograph, and
/// the marks that change the direction of text. Letters, signs and joiners are part of addresses.
fn is_end(c: char) -> bool {
    const CATEGORY: CodePointMapDataBorrowed<'static, GeneralCategory> =
        CodePointMapData::<GeneralCategory>::new();
    const WIDTH: CodePointMapDataBorrowed<'static, EastAsianWidth> =
        CodePointMapData::<EastAsianWidth>::new();
    const TERMINAL: CodePointSetDataBorrowed<'static> =
        CodePointSetData::new::<TerminalPunctuation>();
    const DIRECTION: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<BidiControl>();
    use GeneralCategory as Category;
    if c.is_ascii() {
        return false;
    }
    let is_wide = || {
        matches!(
            WIDTH.get(c),
            EastAsianWidth::Wide | EastAsianWidth::Fullwidth | EastAsianWidth::Halfwidth
        )
    };
    c.is_whitespace()
        || TERMINAL.contains(c)
        || DIRECTION.contains(c)
        || matches!(c, '…' | '\u{200b}' | '\u{2060}' | '\u{feff}')
        || match CATEGORY.get(c) {
            Category::OpenPunctuation
            | Category::ClosePunctuation
            | Category::InitialPunctuation
            | Category::FinalPunctuation => true,
            Category::OtherPunctuation | Category::DashPunctuation => is_wide(),
            // The wave dash of full width is a sign.
            Category::MathSymbol => is_wide(),
            _ => false,
        }
}
