//! Changes to the text of HTML that is already sanitised.

/// Copies HTML, with its text changed by `change`. Text within the elements named in `except`
/// stays as it is.
pub(super) fn change_text(
    html: &str,
    except: &[&str],
    mut change: impl FnMut(&str, &mut String),
) -> String {
    let mut out = String::with_capacity(html.len() + 64);
    let (mut rest, mut depth) = (html, 0_usize);
    while !rest.is_empty() {
        let text = rest.find('<').unwrap_or(rest.len());
        let (before, tag) = rest.split_at(text);
        if depth == 0 {
            change(before, &mut out);
        } else {
            out.push_str(before);
        }
        let end = end_of_tag(tag);
        let (tag, after) = tag.split_at(end);
        for name in except {
            let is = |start: &str| {
                tag.strip_prefix(start)
                    .and_then(|tag| tag.strip_prefix(name))
                    .is_some_and(|rest| rest.starts_with(['>', ' ']))
            };
            depth = if is("<") {
                depth + 1
            } else if is("</") {
                depth.saturating_sub(1)
            } else {
                depth
            };
        }
        out.push_str(tag);
        rest = after;
    }
    out
}

/// Where a tag ends: at the first `>` outside of quotes.
fn end_of_tag(tag: &str) -> usize {
    let mut quoted = false;
    for (index, byte) in tag.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'>' if !quoted => return index + 1,
            _ => {}
        }
    }
    tag.len()
}
