//! Lines that CommonMark adds to a quote or list although they have neither its `>` nor its
//! indentation ("lazy continuation"). In a chat the line after a quote is the answer to it, so such
//! a line ends what it is not marked as part of.

use comrak::nodes::{ListType, Node, NodeList, NodeValue, Sourcepos};

/// Columns between two tab stops.
const TAB_STOP: usize = 4;

/// The source with an empty line before each line that continues a paragraph lazily, or `None` if
/// there is none. `root` is the tree of the source, whose lines end in `\n`. Separated lines may
/// begin blocks that had been text, so the result may have such lines again.
pub(super) fn separate(root: Node<'_>, source: &str) -> Option<String> {
    let lines: Vec<&str> = source.split_inclusive('\n').collect();
    // (index of the line, bytes of it that repeat what still contains it)
    let mut separators: Vec<(usize, usize)> = Vec::new();
    for node in root.descendants() {
        let is_text = match node.data().value {
            NodeValue::Paragraph => true,
            NodeValue::Heading(heading) => heading.setext,
            _ => false,
        };
        if !is_text {
            continue;
        }
        let containers = containers_of(node);
        let position = node.data().sourcepos;
        let mut depth = containers.len();
        for number in position.start.line..=position.end.line {
            let Some(line) = number.checked_sub(1).and_then(|index| lines.get(index)) else {
                break;
            };
            if depth == 0 {
                break;
            }
            let (matched, prefix) = match_containers(line, number, &containers[..depth]);
            if matched < depth {
                separators.push((number - 1, prefix));
                depth = matched;
            }
        }
    }
    if separators.is_empty() {
        return None;
    }
    separators.sort_unstable();
    let mut out = String::with_capacity(source.len() + separators.len() * 4);
    let mut separators = separators.into_iter().peekable();
    for (index, line) in lines.iter().enumerate() {
        while let Some((_, prefix)) = separators.next_if(|(before, _)| *before == index) {
            out.push_str(&line[..prefix]);
            out.push('\n');
        }
        out.push_str(line);
    }
    Some(out)
}

/// A quote or list item around a paragraph.
struct Container {
    /// The columns that lines of a list item are indented by; `None` for a quote.
    indent: Option<usize>,
    position: Sourcepos,
}

/// The quotes and list items around a node, outermost first.
fn containers_of(node: Node<'_>) -> Vec<Container> {
    let mut list: Vec<_> = node
        .ancestors()
        .filter_map(|ancestor| {
            let data = ancestor.data();
            let indent = match data.value {
                NodeValue::BlockQuote => None,
                NodeValue::Item(item) => Some(indent_of(&item)),
                NodeValue::TaskItem(_) => Some(task_indent(ancestor)),
                _ => return None,
            };
            Some(Container {
                indent,
                position: data.sourcepos,
            })
        })
        .collect();
    list.reverse();
    list
}

fn indent_of(item: &NodeList) -> usize {
    item.marker_offset + item.padding
}

/// The indentation of a task's list, whose items comrak replaces.
fn task_indent(task: Node<'_>) -> usize {
    match task.parent().map(|parent| parent.data().value.clone()) {
        Some(NodeValue::List(list)) if list.list_type == ListType::Bullet => indent_of(&list),
        _ => 1,
    }
}

/// How many of the containers a line continues, and the bytes of its text that say so.
fn match_containers(text: &str, number: usize, containers: &[Container]) -> (usize, usize) {
    let mut line = Line::new(text);
    for (index, container) in containers.iter().enumerate() {
        if container.position.start.line == number {
            return (containers.len(), line.at);
        }
        let before = line.at;
        let is_matched = match container.indent {
            None => line.skip_quote_mark(),
            Some(indent) => line.skip_indent(indent),
        };
        if !is_matched {
            return (index, before);
        }
    }
    (containers.len(), line.at)
}

/// A line that is read column by column: a tab may be part of two indentations.
struct Line<'a> {
    bytes: &'a [u8],
    /// Bytes read.
    at: usize,
    /// Columns read. Ahead of `at` by the part of a tab that has been read.
    column: usize,
    /// Columns left of a tab that was read in part.
    rest_of_tab: usize,
}

impl<'a> Line<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            bytes: text.as_bytes(),
            at: 0,
            column: 0,
            rest_of_tab: 0,
        }
    }

    /// Reads at most so many columns of spaces and tabs. Returns how many there were.
    fn skip_columns(&mut self, columns: usize) -> usize {
        let mut skipped = 0;
        while skipped < columns {
            if self.rest_of_tab == 0 {
                self.rest_of_tab = match self.bytes.get(self.at) {
                    Some(b' ') => 1,
                    Some(b'\t') => TAB_STOP - self.column % TAB_STOP,
                    _ => break,
                };
                self.at += 1;
            }
            self.rest_of_tab -= 1;
            self.column += 1;
            skipped += 1;
        }
        skipped
    }

    /// Reads the `>` of a quote, which up to three columns may precede and one may follow.
    fn skip_quote_mark(&mut self) -> bool {
        self.skip_columns(3);
        if self.rest_of_tab > 0 || self.bytes.get(self.at) != Some(&b'>') {
            return false;
        }
        self.at += 1;
        self.column += 1;
        self.skip_columns(1);
        true
    }

    /// Reads the indentation of a list item. Less than that is enough as long as there is some:
    /// people rarely count.
    fn skip_indent(&mut self, columns: usize) -> bool {
        self.skip_columns(columns) > 0
    }
}
