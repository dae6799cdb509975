//! People, roles and groups that are named in a message: `@name`.

use std::collections::HashMap;

use super::html_text::change_text;
use super::name_in_text::{joins, name_ends, plain};
use crate::base::ids::AccountId;
use crate::community::name_key;
use crate::modules::chat::links::escape;
use crate::modules::chat::mention_targets::{Mentions, Target};

/// Signs in one message that are looked at: each costs some look-ups.
const MAX_SIGNS: usize = 30;
/// Bytes of HTML after a sign that may belong to a name. Names have at most 60 characters.
const MAX_NAME_BYTES: usize = 480;
/// Ends of a name that are tried after one sign: a text of a script without spaces may have one
/// after each character, and names of people have at most so many.
const MAX_ENDS: usize = 40;
/// No mentions in code, and none within links.
const EXCEPT: [&str; 3] = ["a", "code", "pre"];

/// Calls `name` with the text after each sign that may begin a name, and copies the HTML. `name`
/// writes what it has read of the text and says how many bytes that was; zero leaves the sign.
fn each_sign(html: &str, mut name: impl FnMut(&str, &mut String) -> usize) -> String {
    let mut left = MAX_SIGNS;
    change_text(html, &EXCEPT, |text, out| {
        let (mut rest, mut last) = (text, None);
        while let Some(sign) = rest.find('@').filter(|_| left > 0) {
            left -= 1;
            let (before, from) = rest.split_at(sign);
            out.push_str(before);
            let previous = before.chars().next_back().or(last);
            let end = match previous.is_some_and(joins) {
                true => 0,
                false => name(&from[1..], out),
            };
            if end == 0 {
                out.push('@');
            }
            last = from[..=end].chars().next_back();
            rest = &from[end + 1..];
        }
        out.push_str(rest);
    })
}

/// The ends of names after a sign with the names as they are compared, longest first.
fn names_at(text: &str, max_bytes: usize) -> impl Iterator<Item = (usize, String)> {
    // A name begins with the sign, goes on in its line, and has no other one in it.
    let line = text.split(['@', '\n']).next().unwrap_or_default();
    let is_apart = line.starts_with(char::is_whitespace);
    let ends = name_ends(
        if is_apart { "" } else { line },
        max_bytes.min(MAX_NAME_BYTES),
    );
    // White space after a name is not part of it.
    let ends = ends.filter(|end| !text[..*end].ends_with(char::is_whitespace));
    let ends: Vec<usize> = ends.take(MAX_ENDS).collect();
    ends.into_iter()
        .rev()
        .map(|end| (end, name_key(&plain(&text[..end]))))
}

/// For each `@` in sanitised HTML the names that may be meant, as they are compared, longest first.
pub(in super::super) fn mentioned_names(html: &str) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    each_sign(html, |text, _| {
        all.push(
            names_at(text, MAX_NAME_BYTES)
                .map(|(_, name)| name)
                .collect(),
        );
        0
    });
    all
}

/// Marks the mentions of a message in its sanitised HTML. `people` are the present names of those
/// who are mentioned; others are shown as they were written.
pub(in super::super) fn with_mentions(
    html: &str,
    mentions: &Mentions,
    people: &HashMap<AccountId, String>,
) -> String {
    if mentions.is_empty() {
        return html.to_owned();
    }
    // Characters may be written as entities, and in wider forms than they are compared.
    let max_bytes = mentions.longest() * 6;
    each_sign(html, |text, out| {
        let found =
            names_at(text, max_bytes).find_map(|(end, name)| Some((end, mentions.get(&name)?)));
        let Some((end, target)) = found else {
            return 0;
        };
        let written = &text[..end];
        match target {
            Target::Account { id } => {
                let name = people.get(id).map(|name| escape(name));
                let name = name.as_deref().unwrap_or(written);
                out.push_str(&format!(
                    "<a class=\"mention\" data-account=\"{id}\" href=\"/people/{id}\" \
                     dir=\"auto\">@{name}</a>"
                ));
            }
            Target::Role { id } => mark(out, &format!("data-group=\"role-{id}\""), written),
            Target::Group { id } => mark(out, &format!("data-group=\"group-{id}\""), written),
            Target::Here | Target::Room => mark(out, "data-everyone", written),
        }
        end
    })
}

fn mark(out: &mut String, attribute: &str, written: &str) {
    out.push_str(&format!(
        "<span class=\"mention\" {attribute} dir=\"auto\">@{written}</span>"
    ));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::chat::markdown::to_html;
    use crate::modules::chat::mention_targets::Mention;

    fn shown(source: &str) -> String {
        let names = ["anna", "ann okafor", "小明", "r&d", "анна", "o'neil"];
        let mentions = names.into_iter().zip(1..).map(|(name, id)| Mention {
            name: name_key(name),
            target: Target::Account { id: AccountId(id) },
        });
        let mentions: Mentions = mentions
            .chain([Mention {
                name: "room".into(),
                target: Target::Room,
            }])
            .collect();
        let people = HashMap::from([(AccountId(1), "Anna <K>".to_owned())]);
        let html = with_mentions(&to_html(source), &mentions, &people);
        let link = |html: String, id: i64| {
            let open = format!(
                "<a class=\"mention\" data-account=\"{id}\" href=\"/people/{id}\" dir=\"auto\">"
            );
            html.replace(&open, &format!("[{id}:"))
        };
        let html = (1..7).fold(html, link).replace("</a>", "]");
        let html = html.replace("<span class=\"mention\" data-everyone dir=\"auto\">", "[*:");
        html.replace("</span>", "]")
            .replace("<p>", "")
            .replace("</p>", "")
            .trim_end()
            .to_owned()
    }

    #[test]
    fn names_are_marked_in_any_script_and_with_spaces() {
        for (source, becomes) in [
            ("@anna", "[1:@Anna &lt;K&gt;]"),
            ("hi @ANNA, now", "hi [1:@Anna &lt;K&gt;], now"),
            ("(@Ann Okafor's)", "([2:@Ann Okafor]'s)"),
            ("你好@小明在吗", "你好[3:@小明]在吗"),
            ("**@r&d**", "<strong>[4:@r&amp;d]</strong>"),
            ("@Анна!", "[5:@Анна]!"),
            ("@O'Neil", "[6:@O'Neil]"),
            ("@room @unknown", "[*:@room] @unknown"),
            ("@anna @anna", "[1:@Anna &lt;K&gt;] [1:@Anna &lt;K&gt;]"),
        ] {
            assert_eq!(shown(source), becomes, "{source}");
        }
    }

    #[test]
    fn other_signs_are_unchanged() {
        for source in [
            "@annabel",
            "me@anna",
            "@@anna",
            "`@anna`",
            "@Аннами",
            "anna",
            "@ anna",
        ] {
            assert!(!shown(source).contains(':'), "{source}: {}", shown(source));
        }
    }

    #[test]
    fn many_signs_cost_little() {
        for source in [
            "@".repeat(4_000),
            "@字".repeat(2_000),
            format!("@{}", "字".repeat(3_000)),
            format!("@{} ", "字".repeat(50)).repeat(60),
            "@a b c d e f g h i j ".repeat(150),
        ] {
            let names = mentioned_names(&to_html(&source));
            assert!(names.len() <= MAX_SIGNS);
            assert!(names.iter().all(|names| names.len() <= MAX_ENDS));
        }
    }
}
