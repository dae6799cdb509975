//! Rooms that are named in a message: `#name` becomes a link to the room.

use super::html_text::change_text;
use super::name_in_text::{joins, name_ends, plain};
use crate::community::RoomNames;

/// Signs in one message that are looked at: each costs a few look-ups.
const MAX_SIGNS: usize = 100;

/// Replaces the names of rooms by links in sanitised HTML: in text only, and not in code or links.
/// Of several names that fit, the longest counts.
pub fn with_room_links(html: &str, names: &RoomNames) -> String {
    if names.longest() == 0 || !html.contains('#') {
        return html.to_owned();
    }
    let mut left = MAX_SIGNS;
    change_text(html, &["a", "code", "pre"], |text, out| {
        link(text, names, &mut left, out);
    })
}

fn link(text: &str, names: &RoomNames, left: &mut usize, out: &mut String) {
    let (mut rest, mut last) = (text, None);
    while let Some(sign) = rest.find('#').filter(|_| *left > 0) {
        *left -= 1;
        let (before, from) = rest.split_at(sign);
        out.push_str(before);
        let previous = before.chars().next_back().or(last);
        let named = match previous.is_some_and(joins) {
            true => None,
            false => longest_name(&from[1..], names),
        };
        let end = match named {
            Some((bytes, href)) => {
                let end = bytes + 1;
                out.push_str(&format!("<a href=\"{href}\">{}</a>", &from[..end]));
                end
            }
            None => {
                out.push('#');
                1
            }
        };
        last = from[..end].chars().next_back();
        rest = &from[end..];
    }
    out.push_str(rest);
}

/// How many bytes of an HTML text are the longest name of a room that it begins with, and the
/// address of that room.
fn longest_name(text: &str, names: &RoomNames) -> Option<(usize, String)> {
    // A name is at most so long, also when each of its characters is written as an entity.
    let limit = names.longest().saturating_mul(6);
    name_ends(text, limit).rev().find_map(|end| {
        let name = plain(&text[..end]);
        (name.len() <= names.longest())
            .then(|| names.get(&name))?
            .map(|room| (end, format!("/rooms/{room}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::RoomId;
    use crate::modules::chat::markdown::to_html;

    fn shown(source: &str) -> String {
        let rooms = ["general", "Garden", "garden party", "R&D", "日本", "C"];
        let names = rooms
            .iter()
            .zip(1..)
            .map(|(name, id)| ((*name).to_owned(), RoomId(id)));
        with_room_links(&to_html(source), &names.collect())
            .trim_end()
            .to_owned()
    }

    #[test]
    fn names_of_rooms_become_links() {
        for (source, becomes) in [
            ("#general", "<p><a href=\"/rooms/1\">#general</a></p>"),
            (
                "see #GARDEN, now",
                "<p>see <a href=\"/rooms/2\">#GARDEN</a>, now</p>",
            ),
            (
                "#garden party!",
                "<p><a href=\"/rooms/3\">#garden party</a>!</p>",
            ),
            ("(#R&D)", "<p>(<a href=\"/rooms/4\">#R&amp;D</a>)</p>"),
            (
                "今日は #日本で",
                "<p>今日は <a href=\"/rooms/5\">#日本</a>で</p>",
            ),
        ] {
            assert_eq!(shown(source), becomes, "{source}");
        }
    }

    #[test]
    fn other_signs_stay() {
        for source in [
            "#generally",
            "a#general",
            "C#C",
            "##general x",
            "`#general`",
            "#unknown",
            "# general",
            "[#general](https://example.org)",
            "https://example.org/#general",
        ] {
            assert!(
                !shown(source).contains("/rooms/"),
                "{source}: {}",
                shown(source)
            );
        }
    }

    #[test]
    fn many_signs_cost_little() {
        let started = std::time::Instant::now();
        shown(&"#".repeat(16_000));
        shown(&"#a ".repeat(5_000));
        assert!(started.elapsed() < std::time::Duration::from_secs(2));
    }
}
