//! Reading HTML without a browser: attributes, ids, and what a person would see.

/// The values of every attribute of this name, in order.
pub fn attributes(html: &str, name: &str) -> Vec<String> {
    let start = format!(" {name}=\"");
    html.split(start.as_str())
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()))
        .collect()
}

/// The ids that stand more than once.
pub fn duplicate_ids(html: &str) -> Vec<String> {
    let mut ids = attributes(html, "id");
    ids.sort();
    ids.windows(2)
        .filter(|pair| pair[0] == pair[1])
        .map(|pair| pair[0].clone())
        .collect()
}

/// Ids of the messages a page shows, in order.
pub fn messages(html: &str) -> Vec<String> {
    attributes(html, "id")
        .into_iter()
        .filter_map(|id| Some(id.strip_prefix("m-")?.to_owned()))
        .collect()
}

/// The opening tag that has this id.
pub fn tag_with_id<'a>(html: &'a str, id: &str) -> &'a str {
    let at = html
        .find(&format!(" id=\"{id}\""))
        .unwrap_or_else(|| panic!("nothing has the id {id} in {html}"));
    let start = html[..at].rfind('<').expect("a tag opens");
    let end = at + html[at..].find('>').expect("a tag closes");
    &html[start..=end]
}

/// The stretches of text between tags, without scripts, styles and SVG, trimmed; empty ones left
/// out.
pub fn words(html: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = html;
    while let Some((text, tag)) = rest.split_once('<') {
        words.push(text.trim().to_owned());
        let name: String = tag
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        rest = match name.as_str() {
            "script" | "style" | "svg" | "template"
                if !tag
                    .split_once('>')
                    .is_some_and(|(open, _)| open.ends_with('/')) =>
            {
                tag.split_once(&format!("</{name}>"))
                    .map_or("", |(_, rest)| rest)
            }
            _ if tag.starts_with("!--") => tag.split_once("-->").map_or("", |(_, rest)| rest),
            _ => tag.split_once('>').map_or("", |(_, rest)| rest),
        };
    }
    words.push(rest.trim().to_owned());
    words.retain(|text| !text.is_empty());
    words
}

/// How often `part` stands in `text`.
pub fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

/// The value of the form field of this name.
pub fn field_value(html: &str, name: &str) -> String {
    let at = html
        .find(&format!(" name=\"{name}\""))
        .unwrap_or_else(|| panic!("no field {name} in {html}"));
    let start = html[..at].rfind('<').expect("a tag opens");
    let end = at + html[at..].find('>').expect("a tag closes");
    attributes(&html[start..end], "value")
        .into_iter()
        .next()
        .unwrap_or_default()
}
