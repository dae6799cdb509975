//! The index: of each thing that may be found, the words of its text and its facets, such as its
//! room and its author. One column of an FTS5 table on SQLite, a `tsvector` on PostgreSQL; both get
//! the same words from [`words`](super::words), so that both find the same.
//!
//! An id is 64 bits of which the upper ones are a time (`base/ids.rs`), so the newest come first in
//! descending order of ids.

use std::collections::HashMap;
use std::fmt::Write;

use super::query::Term;
use super::words::{last_characters, words};
use crate::base::db::{Db, Sql, Tx};
use crate::base::error::Result;

/// A property of a thing that queries select by: a sign and a number. It can be no word of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Facet(pub char, pub i64);

impl Facet {
    /// A property that a thing has or has not.
    pub const fn flag(sign: char) -> Self {
        Self(sign, 0)
    }

    fn word(self) -> String {
        format!("={}{:x}", self.0, self.1)
    }
}

/// A thing that may be found.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// Unique among all things on the server.
    pub id: i64,
    /// What is searched.
    pub text: String,
    /// What queries select by.
    pub facets: Vec<Facet>,
}

/// What to select.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// What has to be in a text, and what must not be.
    pub terms: Vec<Term>,
    /// Of each of these, one facet at least.
    pub any: Vec<Vec<Facet>>,
    /// None of these.
    pub none: Vec<Facet>,
    /// Greater ids only.
    pub after: i64,
    /// Smaller ids only.
    pub before: i64,
}

const FIND: Sql = Sql {
    sqlite: "SELECT rowid FROM search_index WHERE search_index MATCH $1 \
        AND rowid > $2 AND rowid < $3 ORDER BY rowid DESC LIMIT $4",
    postgres: "SELECT id FROM search_index WHERE words @@ $1::tsquery \
        AND id > $2 AND id < $3 ORDER BY id DESC LIMIT $4",
};
const PUT: Sql = Sql {
    sqlite: "INSERT OR REPLACE INTO search_index (rowid, words) VALUES ($1, $2)",
    postgres: "INSERT INTO search_index (id, words) VALUES ($1, $2::tsvector) \
        ON CONFLICT (id) DO UPDATE SET words = excluded.words",
};
const DELETE: Sql = Sql {
    sqlite: "DELETE FROM search_index WHERE rowid = $1",
    postgres: "DELETE FROM search_index WHERE id = $1",
};
const DELETE_ALL: Sql = Sql {
    sqlite: "INSERT INTO search_index (search_index) VALUES ('delete-all')",
    postgres: "DELETE FROM search_index",
};

/// The ids of what is selected, the newest first. Nothing is when nothing has to be there.
pub(super) async fn find(db: &Db, selection: &Selection, limit: usize) -> Result<Vec<i64>> {
    let needed = selection.terms.iter().any(|term| !term.is_excluded);
    if !needed && selection.any.is_empty() {
        return Ok(Vec::new());
    }
    let expression = match db {
        Db::Sqlite(_) => selection.fts5(),
        Db::Postgres(_) => selection.tsquery(),
    };
    let (after, before) = (selection.after, selection.before);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    db.scalars(FIND, (expression, after, before, limit)).await
}

/// A document as a row has it.
pub(super) fn stored(db: &Db, document: &Document) -> String {
    let found = words(&document.text);
    let ends = last_characters(&found);
    let all = found.into_iter().map(|word| word.text).chain(ends);
    let facets = document.facets.iter().map(|facet| facet.word());
    match db {
        Db::Sqlite(_) => all.chain(facets).collect::<Vec<_>>().join(" "),
        Db::Postgres(_) => tsvector(all.chain(facets)),
    }
}

pub(super) async fn put(tx: &mut Tx, id: i64, stored: &str) -> Result<()> {
    tx.execute(PUT, (id, stored)).await.map(drop)
}

pub(super) async fn delete(tx: &mut Tx, id: i64) -> Result<()> {
    tx.execute(DELETE, (id,)).await.map(drop)
}

pub(super) async fn delete_all(tx: &mut Tx) -> Result<()> {
    tx.execute(DELETE_ALL, ()).await.map(drop)
}

/// A `tsvector` in PostgreSQL's text form. Neither words nor facets contain anything that it would
/// have to escape.
fn tsvector(all: impl Iterator<Item = String>) -> String {
    /// PostgreSQL's greatest position.
    const MAX_POSITION: usize = 16_383;
    /// Positions of one word that PostgreSQL keeps.
    const MAX_POSITIONS: usize = 255;
    let mut places: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, word) in all.enumerate() {
        let positions = places.entry(word).or_default();
        if positions.len() < MAX_POSITIONS {
            positions.push((index + 1).min(MAX_POSITION));
        }
    }
    let mut text = String::new();
    for (word, positions) in places {
        let positions: Vec<_> = positions.iter().map(ToString::to_string).collect();
        let _ = write!(text, "'{word}':{} ", positions.join(","));
    }
    text
}

impl Selection {
    /// The expression for `MATCH`.
    fn fts5(&self) -> String {
        let term = |term: &Term| {
            let star = if term.is_prefix { "*" } else { "" };
            format!("\"{}\"{star}", term.words.join(" "))
        };
        let facet = |facet: &Facet| format!("\"{}\"", facet.word());
        let (all, none) = self.parts(term, facet, " OR ");
        let all = all.join(" AND ");
        match none.is_empty() {
            true => all,
            false => format!("({all}) NOT ({})", none.join(" OR ")),
        }
    }

    /// The expression for `@@`.
    fn tsquery(&self) -> String {
        let term = |term: &Term| {
            let words = term.words.iter().map(|word| format!("'{word}'"));
            let star = if term.is_prefix { ":*" } else { "" };
            format!("({}{star})", words.collect::<Vec<_>>().join(" <-> "))
        };
        let facet = |facet: &Facet| format!("'{}'", facet.word());
        let (all, none) = self.parts(term, facet, " | ");
        let all = all.join(" & ");
        match none.is_empty() {
            true => all,
            false => format!("{all} & !({})", none.join(" | ")),
        }
    }

    /// What has to be there, each part in brackets where it needs them, and what must not be.
    fn parts(
        &self,
        term: impl Fn(&Term) -> String,
        facet: impl Fn(&Facet) -> String,
        or: &str,
    ) -> (Vec<String>, Vec<String>) {
        let (excluded, wanted): (Vec<_>, Vec<_>) =
            self.terms.iter().partition(|term| term.is_excluded);
        let any = self.any.iter().map(|facets| {
            // Nothing has the facet of an empty list.
            let facets: Vec<_> = match facets.is_empty() {
                true => vec![facet(&Facet::flag('-'))],
                false => facets.iter().map(&facet).collect(),
            };
            format!("({})", facets.join(or))
        });
        let all = wanted.into_iter().map(&term).chain(any).collect();
        let none = excluded.into_iter().map(&term);
        let none = none.chain(self.none.iter().map(&facet)).collect();
        (all, none)
    }
}

#[cfg(test)]
mod tests {
    use super::super::query::Query;
    use super::*;

    #[test]
    fn selections_become_expressions_of_both_databases() {
        let selection = Selection {
            terms: Query::parse("\"the frost\" -snow gard", &[]).terms,
            any: vec![vec![Facet('s', 1), Facet('r', 255)], Vec::new()],
            none: vec![Facet('r', 2)],
            ..Selection::default()
        };
        assert_eq!(
            selection.fts5(),
            "(\"the frost\" AND \"gard\"* AND (\"=s1\" OR \"=rff\") AND (\"=-0\")) \
            NOT (\"snow\" OR \"=r2\")"
        );
        assert_eq!(
            selection.tsquery(),
            "('the' <-> 'frost') & ('gard':*) & ('=s1' | '=rff') & ('=-0') & !(('snow') | '=r2')"
        );
    }

    #[test]
    fn tsvectors_have_each_word_with_its_positions() {
        let words = ["a", "b", "a"].map(str::to_owned);
        let text = tsvector(words.into_iter());
        assert!(
            text.contains("'a':1,3 ") && text.contains("'b':2 "),
            "{text}"
        );
    }
}
