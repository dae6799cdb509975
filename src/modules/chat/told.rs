//! What a line in a room's log tells that nobody wrote: who joined, or what a module has to tell.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::joined::Joined;
use super::links::escape;
use crate::base::error::Error;
use crate::base::locale::Lang;
use crate::engine::room_lines::RoomLine;

/// What a message tells that nobody wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// Somebody wrote it.
    #[default]
    Nothing,
    /// Who joined the space; the author is the first of them.
    Joined(Joined),
    /// What another module tells of its author.
    Line(RoomLine),
}

impl Told {
    /// Whether somebody wrote the message.
    pub fn is_nothing(&self) -> bool {
        *self == Self::Nothing
    }

    /// The line as HTML, in a language. Each name is set apart from the direction of the others.
    pub(super) fn html(&self, author: &str, lang: Lang) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Joined(joined) => isolated(&joined.text(lang)),
            Self::Line(line) => {
                // Neither has isolates of its own: see `normalize_line`.
                let [name, text] = [author, &line.text].map(|one| format!("\u{2068}{one}\u{2069}"));
                let args = [("name", name.into()), ("text", text.into())];
                let html = isolated(&lang.with(&line.words, &args));
                match line.href.as_str() {
                    "" => html,
                    href => format!("<a href=\"{}\">{html}</a>", escape(href)),
                }
            }
        }
    }
}

/// Text as HTML, with its isolates as elements.
fn isolated(text: &str) -> String {
    escape(text)
        .replace('\u{2068}', "<bdi>")
        .replace('\u{2069}', "</bdi>")
}

/// As stored: nothing; who joined, which begins with a digit; or a line as JSON.
impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => Ok(()),
            Self::Joined(joined) => joined.fmt(f),
            Self::Line(line) => {
                let stored = serde_json::to_string(line).map_err(|_| fmt::Error)?;
                f.write_str(&stored)
            }
        }
    }
}

impl TryFrom<String> for Told {
    type Error = Error;

    fn try_from(stored: String) -> Result<Self, Error> {
        match stored.as_bytes().first() {
            None => Ok(Self::Nothing),
            Some(b'{') => serde_json::from_str(&stored).map(Self::Line).map_err(|_| {
                Error::Internal(anyhow::anyhow!("a message tells nothing that can be read"))
            }),
            Some(_) => Joined::try_from(stored).map(Self::Joined),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_is_escaped_isolated_and_kept() {
        let told = Told::Line(RoomLine {
            words: "line-terminal-ended".into(),
            text: "<b>: 2 m 10 s".into(),
            href: "/rooms/1/terminals/2".into(),
        });
        let html = told.html("محمد", Lang::negotiate(None, None));
        let start = "<a href=\"/rooms/1/terminals/2\"><bdi>محمد</bdi> ";
        assert!(html.starts_with(start), "{html}");
        assert!(html.contains("<bdi>&lt;b&gt;: 2 m 10 s</bdi>"), "{html}");
        assert_eq!(Told::try_from(told.to_string()).unwrap(), told);
        assert_eq!(Told::try_from(String::new()).unwrap(), Told::Nothing);
    }
}
