//! Who joined a space, as a line in its first room stores it: how many, and the first names. The
//! words around them are each reader's.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::error::Error;
use crate::base::locale::Lang;

/// Names that a line shows; the others are counted.
const SHOWN_NAMES: usize = 3;

/// Who joined.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// How many joined.
    pub count: u64,
    /// The names of the first of them, at most three.
    pub names: Vec<String>,
}

impl Joined {
    /// Adds people, in the order in which they joined.
    pub(super) fn add<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) {
        for name in names {
            self.count += 1;
            if self.names.len() < SHOWN_NAMES {
                self.names.push(name.to_owned());
            }
        }
    }

    /// The line in a language, with its names in Unicode isolates.
    pub(super) fn text(&self, lang: Lang) -> String {
        let name = |index: usize| {
            let name = self.names.get(index).map_or("", String::as_str);
            format!("\u{2068}{name}\u{2069}")
        };
        let others = self.count.saturating_sub(2);
        let args = [
            ("name", name(0).into()),
            ("second", name(1).into()),
            ("third", name(2).into()),
            ("others", others.into()),
        ];
        match self.count {
            0 | 1 => lang.with("joined-one", &args[..1]),
            2 => lang.with("joined-two", &args[..2]),
            3 => lang.with("joined-three", &args[..3]),
            _ => lang.with("joined-many", &args),
        }
    }
}

/// As stored: the count and the names, each after a line feed, which no name contains.
impl fmt::Display for Joined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.count)?;
        self.names.iter().try_for_each(|name| write!(f, "\n{name}"))
    }
}

impl TryFrom<String> for Joined {
    type Error = Error;

    fn try_from(stored: String) -> Result<Self, Error> {
        let mut lines = stored.lines();
        let count = lines.next().unwrap_or_default().parse().map_err(|_| {
            Error::Internal(anyhow::anyhow!(
                "a message says wrongly who joined: {stored}"
            ))
        })?;
        let names = lines.map(str::to_owned).collect();
        Ok(Self { count, names })
    }
}

#[cfg(test)]
mod tests {
    use super::super::told::Told;
    use super::*;

    #[test]
    fn names_in_a_line_are_escaped_and_isolated() {
        let mut joined = Joined::default();
        joined.add(["<b>", "محمد"]);
        let html = Told::Joined(joined).html("", Lang::negotiate(None, None));
        assert_eq!(html, "<bdi>&lt;b&gt;</bdi> and <bdi>محمد</bdi> joined");
    }

    #[test]
    fn people_past_three_are_counted() {
        let mut joined = Joined::default();
        let lang = Lang::negotiate(None, None);
        for (name, line) in [
            ("Ana", "Ana joined"),
            ("Bo", "Ana and Bo joined"),
            ("Cy", "Ana, Bo and Cy joined"),
            ("Di", "Ana, Bo and 2 others joined"),
            ("Ed", "Ana, Bo and 3 others joined"),
        ] {
            joined.add([name]);
            let stored = Joined::try_from(joined.to_string()).unwrap();
            let text = stored.text(lang);
            assert_eq!(text.replace(['\u{2068}', '\u{2069}'], ""), line);
            assert_eq!(stored, joined);
        }
        assert_eq!(joined.names.len(), SHOWN_NAMES);
    }
}
