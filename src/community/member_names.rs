//! The names of members in texts that people without an account read: what follows an `@` is
//! replaced where it is one.

use std::collections::{BTreeSet, HashSet};

/// Names that are looked up in one text; past them every word after an `@` is replaced.
const MAX_LOOKED_UP: usize = 100;

/// Names as they may stand in HTML, in lower case.
#[derive(Clone, Debug, Default)]
pub struct MemberNames {
    names: HashSet<String>,
    /// Their lengths in letters.
    lengths: BTreeSet<usize>,
}

impl MemberNames {
    /// These names.
    pub(super) fn new(names: impl Iterator<Item = String>) -> Self {
        let mut all = Self::default();
        for name in names.filter(|name| !name.is_empty()) {
            let name = lower(&name);
            let name: String = name.replace('&', "&amp;").replace('<', "&lt;");
            all.lengths.insert(name.chars().count());
            all.names.insert(name);
        }
        all
    }

    /// Replaces what follows each `@` by `…` where it begins with a name, the longest one.
    pub fn mask(&self, html: &str) -> String {
        let mut out = String::with_capacity(html.len());
        let (mut rest, mut looked_up) = (html, 0);
        while let Some((before, after)) = rest.split_once('@') {
            out.push_str(before);
            out.push('@');
            looked_up += 1;
            let end = match looked_up > MAX_LOOKED_UP {
                true => after
                    .find(|c: char| !c.is_alphanumeric())
                    .or(Some(after.len())),
                false => self.end_of_name(after),
            };
            let end = end.filter(|end| *end > 0);
            if end.is_some() {
                out.push('…');
            }
            rest = &after[end.unwrap_or(0)..];
        }
        out.push_str(rest);
        out
    }

    /// Where the longest name ends that a text begins with.
    fn end_of_name(&self, text: &str) -> Option<usize> {
        let longest = self.lengths.last().copied().unwrap_or(0);
        let ends: Vec<usize> = text
            .char_indices()
            .take(longest)
            .map(|(index, letter)| index + letter.len_utf8())
            .collect();
        let mut lengths = self.lengths.iter().rev();
        lengths.find_map(|length| {
            let end = *ends.get(length.checked_sub(1)?)?;
            self.names.contains(&lower(&text[..end])).then_some(end)
        })
    }
}

/// In lower case, letter by letter, so that the count of letters stays the same.
fn lower(text: &str) -> String {
    let lower = |letter: char| letter.to_lowercase().next().unwrap_or(letter);
    text.chars().map(lower).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_after_at_signs_are_masked() {
        let names = ["Ann", "Ann Okafor", "Tom & Co", "Zoë"].map(str::to_owned);
        let names = MemberNames::new(names.into_iter());
        for (text, masked) in [
            ("<p>@Ann Okafor and @ANN</p>", "<p>@… and @…</p>"),
            ("@Tom &amp; Co, hi", "@…, hi"),
            ("@ZOË!", "@…!"),
            ("mail @ noon, @bob @", "mail @ noon, @bob @"),
        ] {
            assert_eq!(names.mask(text), masked);
        }
        let many = names.mask(&"@bob ".repeat(150));
        assert_eq!(many.matches("@bob ").count(), 100);
        assert_eq!(many.matches("@… ").count(), 50);
    }
}
