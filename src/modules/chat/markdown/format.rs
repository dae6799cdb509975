//! The tree as HTML, where comrak's own falls short: each item of an ordered list has the number
//! that was written, each table is in a box of its own that scrolls sideways, and the keyboard
//! reaches spoilers.

use std::fmt::Write as _;

use comrak::create_formatter;
use comrak::html::format_node_default;
use comrak::nodes::{ListType, Node, NodeList, NodeValue};

/// Where text begins that is covered until it has the focus.
const SPOILER: &str = "<span class=\"spoiler\" tabindex=\"0\">";

create_formatter!(MessageFormatter, {
    NodeValue::Item(item) => |context, node, entering| {
        if entering {
            context.cr()?;
            match unexpected_number(node, &item) {
                Some(number) => write!(context, "<li value=\"{number}\">")?,
                None => context.write_str("<li>")?,
            }
        } else {
            context.write_str("</li>")?;
            context.lf()?;
        }
    },
    NodeValue::SpoileredText => |context, node, entering| {
        let _ = node;
        context.write_str(match entering {
            true => SPOILER,
            false => "</span>",
        })?;
    },
    NodeValue::Table(_) => |context, node, entering| {
        if entering {
            context.cr()?;
            context.write_str("<div>")?;
            return format_node_default(context, node, entering);
        }
        format_node_default(context, node, entering)?;
        context.write_str("</div>")?;
        context.lf()?;
    },
});

/// The number of an item, unless a browser counts to it by itself.
fn unexpected_number(node: Node<'_>, item: &NodeList) -> Option<usize> {
    if item.list_type != ListType::Ordered {
        return None;
    }
    let expected = match node
        .previous_sibling()
        .map(|before| before.data().value.clone())
    {
        Some(NodeValue::Item(before)) => before.start + 1,
        // The list says where it starts.
        _ => item.start,
    };
    (item.start != expected).then_some(item.start)
}
