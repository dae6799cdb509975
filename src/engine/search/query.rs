//! What somebody looks for: words, phrases in quotation marks, what shall not be there (`-word`),
//! and filters (`from:anna`). The filters are the caller's to understand.

use super::words::words;

/// Bytes of a query; the rest is ignored.
pub const MAX_QUERY_BYTES: usize = 400;
/// Words, phrases and filters of a query; the rest is ignored.
pub const MAX_TERMS: usize = 16;
/// Filters among them; the rest is ignored.
pub const MAX_FILTERS: usize = 6;

/// A word, or words that follow one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// As [`words`] makes them; never empty.
    pub words: Vec<String>,
    /// Whether the last of them may go on.
    pub is_prefix: bool,
    /// Whether it must not be there.
    pub is_excluded: bool,
}

/// A query that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// What has to be in a text, and what must not be.
    pub terms: Vec<Term>,
    /// Filters, in their order: name and value, as they were written.
    pub filters: Vec<(&'static str, String)>,
}

impl Query {
    /// Reads a query. `filters` are the names that are understood; other words with a colon are
    /// words. The last word is taken for the beginning of one, unless a space or a quotation mark
    /// follows it.
    pub fn parse(text: &str, filters: &[&'static str]) -> Self {
        let text = &text[..text.floor_char_boundary(MAX_QUERY_BYTES)];
        let (mut query, mut rest) = (Self::default(), text.trim_start());
        while !rest.is_empty() && query.terms.len() + query.filters.len() < MAX_TERMS {
            let (is_excluded, body) = match rest.strip_prefix('-') {
                Some(body) if !body.starts_with(char::is_whitespace) => (true, body),
                _ => (false, rest),
            };
            let filter = filters.iter().find_map(|name| {
                let value = body.strip_prefix(name)?.strip_prefix(':')?;
                (!is_excluded && !value.starts_with(char::is_whitespace)).then_some((*name, value))
            });
            let (value, quoted, after) = read_value(filter.map_or(body, |(_, value)| value));
            match filter {
                Some((name, _)) => {
                    if !value.is_empty() && query.filters.len() < MAX_FILTERS {
                        query.filters.push((name, value.to_owned()));
                    }
                }
                None => query.add_term(value, is_excluded, !quoted, after.is_empty()),
            }
            rest = after.trim_start();
        }
        query
    }

    fn add_term(&mut self, text: &str, is_excluded: bool, is_word: bool, is_last: bool) {
        let words: Vec<_> = words(text).into_iter().map(|word| word.text).collect();
        let Some(last) = words.last() else {
            return;
        };
        // A single character of a script without spaces begins pairs. A single letter begins half
        // of all words.
        let mut characters = last.chars();
        let is_single = characters.next().is_some() && characters.next().is_none();
        let is_unspaced = last.chars().all(super::words::is_unspaced);
        let may_go_on = match is_unspaced {
            true => is_single,
            false => is_word && !is_single && (is_last || text.ends_with('*')),
        };
        self.terms.push(Term {
            is_prefix: may_go_on,
            is_excluded,
            words,
        });
    }
}

/// The text up to a space or, in quotation marks, up to the next of them; whether it was in
/// quotation marks; and what follows.
fn read_value(text: &str) -> (&str, bool, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        return (&text[..end], false, &text[end..]);
    };
    let end = quoted.find('"').unwrap_or(quoted.len());
    (
        &quoted[..end],
        true,
        quoted[end..].strip_prefix('"').unwrap_or(""),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        let query = Query::parse(text, &["from", "in"]);
        let terms = query.terms.iter().map(|term| {
            let sign = if term.is_excluded { "-" } else { "" };
            let star = if term.is_prefix { "*" } else { "" };
            format!("{sign}{}{star}", term.words.join("+"))
        });
        let filters = query
            .filters
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        terms.chain(filters).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn queries_are_words_phrases_and_filters() {
        for (text, expected) in [
            ("Frost early", "frost early*"),
            ("frost ", "frost"),
            ("gard* frost ", "gard* frost"),
            ("\"the frost\" came", "the+frost came*"),
            ("\"the frost", "the+frost"),
            ("frost -snow", "frost -snow*"),
            ("from:anna frost ", "frost from=anna"),
            ("from:\"Anna Lund\" in:#garden", "from=Anna Lund in=#garden"),
            ("from: anna", "from anna*"),
            ("https://example.org/a ", "https+example+org+a"),
            ("no:filter ", "no+filter"),
            ("東京都", "東京+京都"),
            ("字", "字*"),
            ("a", "a"),
            ("- \" \" !", ""),
            ("👍🏽", "👍"),
        ] {
            assert_eq!(parsed(text), expected, "{text}");
        }
        assert_eq!(Query::parse(&"a ".repeat(500), &[]).terms.len(), MAX_TERMS);
        let filters = Query::parse(&"in:a ".repeat(99), &["in"]).filters;
        assert_eq!(filters.len(), MAX_FILTERS);
    }
}
