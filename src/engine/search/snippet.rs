//! The part of a text that shows why it was found, with what was found marked.

use std::ops::Range;

use super::query::Term;
use super::words::{Word, words};

/// Characters of a snippet, about.
const MAX_SNIPPET_CHARS: usize = 200;
/// Of these, characters before the first place that was found.
const MAX_LEAD_CHARS: usize = 60;

/// A piece of a snippet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The text, as it was written.
    pub text: String,
    /// Whether it was looked for.
    pub is_marked: bool,
}

/// A snippet of one line, as pieces in their order.
pub fn snippet(text: &str, terms: &[Term]) -> Vec<Piece> {
    let marked = marked_ranges(&words(text), terms);
    let first = marked.first().map_or(0, |range| range.start);
    let before = text[..first]
        .char_indices()
        .rev()
        .take(MAX_LEAD_CHARS)
        .last();
    let mut start = before.map_or(first, |(at, _)| at);
    if start > 0 {
        // From the beginning of a word, where one is near.
        let lead = &text[start..first];
        let space = lead.char_indices().find(|(_, char)| char.is_whitespace());
        start += space.map_or(0, |(at, space)| at + space.len_utf8());
    }
    let length = text[start..].char_indices().nth(MAX_SNIPPET_CHARS);
    let end = length.map_or(text.len(), |(at, _)| start + at);
    let mut pieces = Vec::new();
    let mut push = |range: Range<usize>, is_marked| {
        let line = text.get(range).unwrap_or_default();
        if !line.is_empty() {
            let text = line.replace(['\n', '\t'], " ");
            pieces.push(Piece { text, is_marked });
        }
    };
    let mut at = start;
    for range in marked.iter().filter(|range| range.end <= end) {
        push(at..range.start, false);
        push(range.clone(), true);
        at = range.end;
    }
    push(at..end, false);
    if start > 0 {
        pieces.insert(0, ellipsis());
    }
    if end < text.len() {
        pieces.push(ellipsis());
    }
    pieces
}

fn ellipsis() -> Piece {
    Piece {
        text: "…".to_owned(),
        is_marked: false,
    }
}

/// How well a text fits: how many of its words were looked for, those that are equal counting
/// twice, by how long it is.
pub fn score(text: &str, terms: &[Term]) -> f64 {
    let found = words(text);
    let wanted = terms.iter().filter(|term| !term.is_excluded);
    let mut sum = 0.0;
    for term in wanted {
        let matches = places(&found, term);
        let exact = matches.iter().filter(|(_, is_exact)| *is_exact).count();
        let weight = (matches.len() + exact) as f64;
        sum += weight / (weight + 1.0) * term.words.len() as f64;
    }
    sum / (1.0 + (found.len() as f64 + 1.0).ln())
}

/// The places of what was looked for, ascending, those that touch made one.
fn marked_ranges(found: &[Word], terms: &[Term]) -> Vec<Range<usize>> {
    let wanted = terms.iter().filter(|term| !term.is_excluded);
    let mut ranges: Vec<_> = wanted
        .flat_map(|term| places(found, term))
        .map(|(range, _)| range)
        .collect();
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

/// Where a term is, and whether it is exactly that.
fn places(found: &[Word], term: &Term) -> Vec<(Range<usize>, bool)> {
    let length = term.words.len();
    let windows = found.windows(length.max(1));
    let fitting = windows.filter_map(|window| {
        let (last, head) = window.split_last()?;
        let (wanted_last, wanted_head) = term.words.split_last()?;
        let is_head = head
            .iter()
            .zip(wanted_head)
            .all(|(word, wanted)| word.text == *wanted);
        let is_exact = last.text == *wanted_last;
        let goes_on = term.is_prefix && last.text.starts_with(wanted_last.as_str());
        let range = window.first()?.range.start..last.range.end;
        (is_head && (is_exact || goes_on)).then_some((range, is_exact))
    });
    let mut places: Vec<_> = fitting.collect();
    // The last character of a run has no pair that begins with it.
    if let ([wanted], true) = (term.words.as_slice(), term.is_prefix) {
        let ends = found.iter().filter(|word| {
            super::words::is_unspaced(wanted.chars().next().unwrap_or(' '))
                && !word.text.starts_with(wanted.as_str())
                && word.text.ends_with(wanted.as_str())
        });
        places.extend(ends.map(|word| (word.range.clone(), false)));
    }
    places
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::query::Query;
    use super::*;

    fn marked(text: &str, query: &str) -> String {
        let pieces = snippet(text, &Query::parse(query, &[]).terms);
        let pieces = pieces.into_iter().map(|piece| match piece.is_marked {
            true => format!("[{}]", piece.text),
            false => piece.text,
        });
        pieces.collect()
    }

    #[test]
    fn snippets_mark_what_was_looked_for() {
        for (text, query, expected) in [
            ("The frost came early", "frost ", "The [frost] came early"),
            ("The Frosts\ncame", "fros", "The [Frosts] came"),
            ("a b c a b", "\"a b\"", "[a b] c [a b]"),
            ("in 東京都 now", "東京都", "in [東京都] now"),
            ("Crème brûlée", "creme ", "[Crème] brûlée"),
            ("well 👍🏽 done", "👍", "well [👍🏽] done"),
            ("nothing", "other ", "nothing"),
        ] {
            assert_eq!(marked(text, query), expected);
        }
        let long = format!("{} frost {}", "word ".repeat(100), "tail ".repeat(100));
        let shown = marked(&long, "frost ");
        assert!(shown.starts_with("…word") && shown.contains("[frost]") && shown.ends_with('…'));
        assert!(shown.chars().count() < MAX_SNIPPET_CHARS + 10);
        // White space of several bytes.
        let wide = format!("{} frost", "寒い\u{3000}".repeat(40));
        assert!(marked(&wide, "frost ").starts_with("…寒い\u{3000}"));
    }

    #[test]
    fn exact_words_in_short_texts_fit_best() {
        let terms = Query::parse("garden", &[]).terms;
        let ranked = [
            "garden",
            "gardens",
            "a long text about a garden and more",
            "none",
        ];
        let scores = ranked.map(|text| score(text, &terms));
        assert!(scores.is_sorted_by(|one, next| one > next), "{scores:?}");
    }

    proptest! {
        #[test]
        fn snippets_are_made_of_any_text(text in "\\PC{0,300}", query in "\\PC{0,20}") {
            let terms = Query::parse(&query, &[]).terms;
            let pieces = snippet(&text, &terms);
            prop_assert!(pieces.iter().map(|piece| piece.text.chars().count()).sum::<usize>() <= 400);
            prop_assert!(score(&text, &terms).is_finite());
        }
    }
}
